"""The stream of events has every readable event once, in the order of the log."""

from __future__ import annotations

import json

import pytest
from django.db import connection

from flows.api.calls.audit_events import wait_for_event
from flows.audit import append_only, audit_log, verification
from flows.audit.actions import AuditAction
from flows.audit.models import AuditEvent, Result, Stage

pytestmark = pytest.mark.django_db(transaction=True)


def read_lines(client, **query):
    response = client.get("events", **query)
    assert response["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in response.content.decode().splitlines()]


def append_event(actor):
    return audit_log.append(
        action=AuditAction.VERIFY,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=actor,
        account_sid="",
    )


def test_stream_continues_after_the_last_line_without_gaps(flow_sid, api_client):
    client = api_client("auditor", scope="read")

    pages, after = [], 0
    while page := read_lines(client, after=after, limit=2):
        pages.append([line["seq"] for line in page])
        after = pages[-1][-1]

    seqs = list(AuditEvent.objects.order_by("seq").values_list("seq", flat=True))
    assert [seq for page in pages for seq in page] == seqs
    names = {"payload_hash", "before", "requested", "after", "token_key"}
    assert names <= set(read_lines(client)[0])


def test_use_is_logged_once_a_day(flow_sid, api_client):
    client = api_client("admin")

    for _ in range(3):
        client.get("events")

    events = AuditEvent.objects.filter(action=AuditAction.FOLLOW)
    assert [event.token_key for event in events] == [client.token.key]


def test_token_of_one_account_reads_only_its_events(staging, flow_sid, api_client):
    client = api_client("admin", accounts=[staging.account_sid])

    lines = read_lines(client)

    assert {line["account_sid"] for line in lines} <= {staging.account_sid}


def test_waiting_ends_with_the_first_new_event(actor):
    append_event(actor)
    last_seq = audit_log.last_seq()
    pauses = []

    def pause(seconds):
        pauses.append(seconds)
        if len(pauses) == 3:
            append_event(actor)

    assert wait_for_event(None, last_seq, seconds=30, pause=pause)
    assert len(pauses) == 3


def test_waiting_is_bounded(actor):
    pauses = []

    assert not wait_for_event(None, audit_log.last_seq(), seconds=5, pause=pauses.append)
    assert pauses == [1.0] * 5


def test_token_of_an_event_is_part_of_its_hash(flow_sid, api_client):
    api_client("admin").get("events")
    assert verification.verify().is_intact

    append_only.remove(connection)
    try:
        AuditEvent.objects.filter(token_key__isnull=False).update(token_key="flexapi_other")
        assert verification.verify().bad_seq
    finally:
        append_only.install(connection)
