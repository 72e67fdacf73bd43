"""The timeline on a flow's page: a mark for each of its latest changes, where it happened."""

import re
import uuid
from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from flows.audit import audit_log
from flows.changes import flow_changes
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT

pytestmark = pytest.mark.django_db

MARK = re.compile(
    r'<a href="([^"]*)" tabindex="-1"><title>(.*?)</title><svg x="([\d.]+)%".*?class="mark-(\w+)"'
)


def marks(page):
    return MARK.findall(page.content.decode())


def change(sid, actor, **values):
    return flow_changes.update_flow(
        sid=sid,
        account_sid=ACCOUNT,
        base=None,
        values=values,
        reason="Why",
        actor=actor,
        change_id=uuid.uuid4(),
    ).event


def test_each_change_is_a_mark_with_its_result_that_links_to_its_event(
    client_of, sandbox, flow_sid, actor
):
    renamed = change(flow_sid, actor, friendly_name="New")
    sandbox.inject(Fault(FaultKind.REFUSE, status=400, code=20001, method="POST"))
    refused = change(flow_sid, actor, friendly_name="Newer")
    sandbox.edit_flow(flow_sid, friendly_name="From the Console")
    sync_account(ACCOUNT)

    page = client_of("viewer").get(f"/flows/{flow_sid}/")

    found = {href: (title, shape) for href, title, _, shape in marks(page)}
    assert len(found) == len(page.context["history"]) == 4
    title, shape = found[f"/audit/{renamed.event_id}/"]
    assert shape == "good"
    assert re.search(r"Done · omar · \d+ \w+ \d{4}, \d\d:\d\d UTC$", title)
    assert found[f"/audit/{refused.event_id}/"][1] == "bad"
    assert {shape for _, shape in found.values()} == {"good", "bad", "doubt", "none"}


def test_marks_stand_where_the_changes_started(client_of, flow_sid, actor):
    now = timezone.now()
    for days in (3, 2, 1):
        with mock.patch("django.utils.timezone.now", return_value=now + timedelta(days=10 - days)):
            audit_log.append(
                action="flow.update", stage="access", result="denied",
                actor=actor, account_sid=ACCOUNT, target_sid=flow_sid,
            )  # fmt: skip
    with mock.patch("django.utils.timezone.now", return_value=now + timedelta(days=10)):
        page = client_of("viewer").get(f"/flows/{flow_sid}/")

    lefts = [float(left) for _, _, left, _ in marks(page)]

    assert lefts == pytest.approx([2, 2 + 96 * 0.7, 2 + 96 * 0.8, 2 + 96 * 0.9], abs=0.1)
    assert "<span>10 d ago</span> <span>Now</span>" in page.content.decode()


def test_names_in_a_mark_are_escaped_once(client_of, flow_sid, actor):
    audit_log.append(
        action="<b>&\u202e", stage="access", result="denied",
        actor=actor, account_sid=ACCOUNT, target_sid=flow_sid,
    )  # fmt: skip

    titles = [title for _, title, _, _ in marks(client_of("viewer").get(f"/flows/{flow_sid}/"))]

    assert any(title.startswith("&lt;b&gt;&amp;⟨U+202E⟩ · Refused · omar") for title in titles)


def test_flow_with_one_event_has_no_timeline(client_of, flow_sid):
    page = client_of("viewer").get(f"/flows/{flow_sid}/")

    assert len(page.context["history"]) == 1
    assert marks(page) == []
    assert "History" in page.content.decode()
