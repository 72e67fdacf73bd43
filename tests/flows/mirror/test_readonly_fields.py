"""Read-only fields: a change is recorded once for each field and account, and is no drift."""

import pytest

from flows.audit.models import AuditEvent, OpenDrift
from flows.mirror import mirror, readonly_fields
from flows.mirror.actions import MirrorAction
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.faults.acting import (
    assert_chain_intact,
    create_flow,
    drift_events,
    rename_flow,
    run_concurrently,
)

pytestmark = pytest.mark.django_db


def recorded_fields():
    return [
        event.changed_fields
        for event in AuditEvent.objects.filter(action="account.field").order_by("seq")
    ]


def test_field_that_changes_at_each_read_of_twenty_flows_is_one_event(sandbox):
    sids = [sandbox.add_flow(revision=0) for _ in range(20)]
    for revision in range(4):
        for sid in sids:
            sandbox.edit_flow(sid, revision=revision)
        sync_account(ACCOUNT)

    assert recorded_fields() == [["revision"]]
    assert drift_events() == []
    assert {flow.resource["revision"] for flow in Flow.objects.all()} == {3}


def test_new_field_on_many_flows_is_one_event(sandbox):
    sids = [sandbox.add_flow() for _ in range(300)]
    sync_account(ACCOUNT)
    for sid in sids:
        sandbox.edit_flow(sid, flavour={"kind": "new"}, integration_flavour="odd")

    sync_account(ACCOUNT)
    mirror.fetch(sids[0], account_sid=ACCOUNT)

    assert recorded_fields() == [["flavour"], ["integration_flavour"]]
    assert not OpenDrift.objects.exists()
    event = AuditEvent.objects.get(action="account.field", changed_fields=["flavour"])
    assert (event.stage, event.result, event.target_sid, event.account_sid) == (
        "observed",
        "applied",
        "",
        ACCOUNT,
    )
    assert event.payload.after["field"] == "flavour"
    assert_chain_intact()


@pytest.mark.parametrize(
    ("name", "value"),
    [("account_sid", "AC" + "9" * 32), ("url", "https://api.example/v2/other"), ("flavour", 7)],
)
def test_field_that_only_twilio_sets_is_recorded_once(sandbox, flow_sid, name, value):
    other = sandbox.add_flow()
    sync_account(ACCOUNT)
    before = len(drift_events())
    monkey = {name: value}
    for sid in (flow_sid, other):
        sandbox.edit_flow(sid, **monkey)
    if name == "url":
        readonly_fields.record_new_fields(ACCOUNT, [({"url": "/a"}, {"url": "/b"})] * 2)

    sync_account(ACCOUNT)
    sync_account(ACCOUNT)

    assert recorded_fields() == [[name]]
    assert len(drift_events()) == before


def test_dates_and_the_host_of_a_url_are_not_recorded(sandbox, flow_sid):
    sandbox.edit_flow(
        flow_sid, date_created="2001-01-01T00:00:00Z", date_updated="2002-01-01T00:00:00Z"
    )
    readonly_fields.record_new_fields(
        ACCOUNT, [({"url": "http://one/v1/FO1"}, {"url": "https://two/v1/FO1"})]
    )

    sync_account(ACCOUNT)

    assert recorded_fields() == []


def test_field_in_the_response_to_our_change_is_recorded(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, flavour=1)
    base = {name: value for name, value in Flow.objects.get().resource.items() if name != "flavour"}

    created = rename_flow(flow_sid, base=base)

    assert recorded_fields() == [["flavour"]]
    assert created.merged_fields == []
    assert drift_events() == []


def test_read_only_field_that_changes_with_our_change_is_no_concurrent_edit(sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, flavour=1)
    sync_account(ACCOUNT)
    base = Flow.objects.get().resource
    sandbox.edit_flow(flow_sid, flavour=2)

    created = rename_flow(flow_sid, base=base)

    assert created.merged_fields == []
    assert drift_events() == []


def test_fields_are_recorded_for_each_account(sandbox, staging):
    for staging_sid, account in ((sandbox, sandbox.account_sid), (staging, staging.account_sid)):
        staging_sid.add_flow(flavour=1)
        sync_account(account)

    events = AuditEvent.objects.filter(action="account.field")
    assert {event.account_sid for event in events} == {sandbox.account_sid, staging.account_sid}


@pytest.mark.django_db(transaction=True)
def test_concurrent_reads_record_a_field_once(sandbox):
    sid = sandbox.add_flow()
    sync_account(ACCOUNT)
    sandbox.edit_flow(sid, flavour=1)

    run_concurrently(*[lambda: mirror.fetch(sid, account_sid=ACCOUNT)] * 4)

    assert recorded_fields() == [["flavour"]]
    assert_chain_intact()


def test_number_of_recorded_fields_is_limited(sandbox, monkeypatch):
    monkeypatch.setattr(readonly_fields, "MAX_FIELDS", 3)
    sid = sandbox.add_flow()
    for number in range(5):
        sandbox.edit_flow(sid, **{f"{'x' * 200}{number}": 1, f"field {number}": 1})
        sync_account(ACCOUNT)

    assert len(recorded_fields()) == 3
    assert all(len(name) <= readonly_fields.NAME_MAX for (name,) in recorded_fields())


def test_new_field_of_a_flow_created_here_is_recorded(sandbox, flow_sid):
    store = sandbox._store.create
    sandbox._store.create = lambda values: store(values) | {"flavour": 1}

    create_flow()

    assert recorded_fields() == [["flavour"]]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("url", "Read-only field changed at Twilio: API URL"),
        ("flavour", "New field at Twilio: flavour"),
        ("revision", "New field at Twilio: revision"),  # a Studio Flow has it
    ],
)
def test_sentence_says_if_a_flow_has_the_field(name, sentence):
    event = AuditEvent(action="account.field", changed_fields=[name])

    assert MirrorAction.FIELD.sentence(event) == sentence
