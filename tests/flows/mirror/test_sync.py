"""A sync: the differences that it finds, the values that it stores, and its state afterwards."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flows.mirror import flow_rows, mirror, missing_flows
from flows.mirror.models import Flow, SyncState
from flows.mirror.sync import MISSING_THRESHOLD, needs_sync, sync_account, sync_state
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT
from tests.faults.acting import (
    SECRET,
    SECRET_URL,
    clock_ahead,
    dump_tables,
)
from tests.flows.mirror.sync_results import report, rows

pytestmark = pytest.mark.django_db


def test_sync_of_an_empty_account(sandbox, state):
    assert sync_account(ACCOUNT) == report()

    assert (state().flows, state().error, state().started_at, state().failed_at) == (
        0,
        "",
        None,
        None,
    )
    assert state().synced_at is not None
    assert not sync_account(ACCOUNT).has_changes


def test_sync_stores_every_field(sandbox, state):
    sid = sandbox.add_flow(
        friendly_name="Störungsmeldung ÅBO", channel_type="whatsapp", contact_identity="whatsapp:+4923055501",
        enabled=True, integration_type="task", date_updated="2026-11-20T10:11:12Z",
    )  # fmt: skip

    assert sync_account(ACCOUNT) == report(flows=1, created=1)

    flow = Flow.objects.get()
    assert (flow.sid, flow.account_sid) == (sid, sandbox.account_sid)
    assert (flow.friendly_name, flow.name_folded) == ("Störungsmeldung ÅBO", "storungsmeldung abo")
    assert (flow.contact_identity, flow.enabled) == ("whatsapp:+4923055501", True)
    assert (flow.channel_type, flow.integration_type) == ("whatsapp", "task")
    assert flow.date_updated == datetime(2026, 11, 20, 10, 11, 12, tzinfo=UTC)
    assert flow.gone_at is None
    assert flow.value("integration_channel") == "default"
    assert flow.value("nothing of the kind") is None
    assert (str(flow), str(Flow(sid=sid)), str(state())) == (
        flow.friendly_name,
        sid,
        sandbox.account_sid,
    )
    assert state().flows == 1


def test_sync_counts_created_changed_and_deleted_flows(sandbox):
    unchanged, changed, deleted = (
        sandbox.add_flow(friendly_name=name) for name in ("kept", "changed", "gone")
    )
    sync_account(ACCOUNT)
    before = rows()
    sandbox.edit_flow(changed, friendly_name="changed!")
    sandbox.remove_flow(deleted)
    new = sandbox.add_flow(friendly_name="new")

    result = sync_account(ACCOUNT)

    assert result == report(flows=3, created=1, changed=1, deleted=1)
    assert result.has_changes
    after = rows()
    assert after[unchanged] == before[unchanged]
    assert (after[changed]["friendly_name"], after[new]["friendly_name"]) == ("changed!", "new")
    assert after[deleted]["gone_at"] is not None
    assert after[deleted]["resource"] == before[deleted]["resource"]


def test_sync_of_a_deleted_flow_changes_nothing(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    before = rows()

    assert sync_account(ACCOUNT) == report()

    assert rows() == before


def test_sync_of_a_flow_that_reappeared(sandbox, flow_sid):
    was = FLEX_FLOW.decode(sandbox.flows[flow_sid])
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)
    sandbox.add_flow(**was)

    with clock_ahead():
        assert sync_account(ACCOUNT) == report(flows=1, created=1)

    assert Flow.objects.get().gone_at is None


def test_edit_within_the_same_second_is_found(sandbox, flow_sid):
    date = Flow.objects.get().resource["date_updated"]
    sandbox.edit_flow(flow_sid, janitor_enabled=True, date_updated=date)

    assert sync_account(ACCOUNT) == report(flows=1, changed=1)


def test_sync_without_differences_writes_no_flow(sandbox):
    for number in range(5):
        sandbox.add_flow(
            odd=[1e3, 0.1, 2**70, "nul\x00", {"\ud800": None}], friendly_name=f"\x00{number}"
        )
    sync_account(ACCOUNT)
    before = rows()

    with CaptureQueriesContext(connection) as queries:
        assert sync_account(ACCOUNT) == report(flows=5)

    assert rows() == before
    assert not [
        query["sql"] for query in queries
        if '"flows_flow"' in query["sql"] and not query["sql"].startswith("SELECT")
    ]  # fmt: skip


def test_sync_without_differences_only_writes_its_state(sandbox):
    """The writes do not depend on the number of flows: the start and the end of the sync."""
    statements_by_sync = []
    for flows in (3, 40):
        for _ in range(flows):
            sandbox.add_flow(
                integration_type="external",
                integration_url="https://a:b@hooks.example.com/?token=1",
            )
        sync_account(ACCOUNT)
        with CaptureQueriesContext(connection) as queries:
            sync_account(ACCOUNT)
        statements_by_sync.append([query["sql"] for query in queries])

    few, many = ([sql.split(None, 1)[0] for sql in statements] for statements in statements_by_sync)
    assert few == many
    writes = [
        sql
        for sql in statements_by_sync[1]
        if not sql.startswith(("SELECT", "PRAGMA", "SET", "RESET", "BEGIN"))
    ]
    assert [sql.split()[:2] for sql in writes] == [
        ["UPDATE", '"flows_syncstate"'],
        ["UPDATE", '"flows_syncstate"'],
    ]


def test_sync_masks_only_flows_that_differ_from_the_mirror(sandbox, monkeypatch):
    plain = sandbox.add_flow(friendly_name="plain")
    secret = sandbox.add_flow(
        integration_type="external", integration_url="https://a:b@hooks.example.com/?token=1"
    )
    sync_account(ACCOUNT)
    redact_fields, masked_sids = missing_flows.redact_fields, []
    monkeypatch.setattr(
        missing_flows,
        "redact_fields",
        lambda value: masked_sids.append(value["sid"]) or redact_fields(value),
    )

    assert sync_account(ACCOUNT) == report(flows=2)
    assert masked_sids == [secret]

    sandbox.edit_flow(plain, friendly_name="other")
    assert sync_account(ACCOUNT) == report(flows=2, changed=1)
    assert masked_sids[0] == secret
    assert sorted(masked_sids[1:]) == sorted([secret, plain])


def test_unknown_fields_are_stored(sandbox):
    sandbox.add_flow(flavour={"kind": ["new", 1, None]}, integration_flavour="x")

    sync_account(ACCOUNT)

    resource = Flow.objects.get().resource
    assert resource["flavour"] == {"kind": ["new", 1, None]}
    assert resource["integration_flavour"] == "x"


def test_nulls_everywhere(sandbox):
    names = ("account_sid", "friendly_name", "chat_service_sid", "channel_type", "contact_identity", "enabled",
             "integration_type", "long_lived", "janitor_enabled", "date_created", "date_updated")  # fmt: skip
    sid = sandbox.add_flow()
    sandbox.edit_flow(sid, **dict.fromkeys(names))

    assert sync_account(ACCOUNT) == report(flows=1, created=1)
    assert sync_account(ACCOUNT) == report(flows=1)

    flow = Flow.objects.get()
    assert (flow.account_sid, flow.friendly_name, flow.channel_type, flow.enabled) == (
        "AC" + "5a" * 16,
        "",
        "",
        None,
    )
    assert (flow.date_created, flow.date_updated) == (None, None)
    sandbox.remove_flow(sid)
    assert sync_account(ACCOUNT) == report(deleted=1)


@pytest.mark.parametrize(("name", "value", "column", "expected"), [
    ("friendly_name", 7, "friendly_name", "7"),
    ("friendly_name", {"a": 1}, "friendly_name", '{"a": 1}'),
    ("enabled", "true", "enabled", True),
    ("enabled", "False", "enabled", False),
    ("enabled", 1, "enabled", True),
    ("enabled", "maybe", "enabled", None),
    ("enabled", 2, "enabled", None),
    ("channel_type", "SMS", "channel_type", "sms"),
    ("date_updated", "Fri, 20 Nov 2026 10:00:00 +0200", "date_updated", datetime(2026, 11, 20, 8, tzinfo=UTC)),
    ("channel_type", "x" * 100, "channel_type", "x" * 64),
    ("integration_type", "x" * 100, "integration_type", "x" * 64),
    ("date_updated", "yesterday", "date_updated", None),
    ("date_updated", "2026-13-45T00:00:00Z", "date_updated", None),
    ("date_updated", 1_763_000_000, "date_updated", None),
    ("date_updated", "0001-01-01T00:00:00+05:00", "date_updated", None),
    ("date_updated", "2026-11-20T10:00:00", "date_updated", datetime(2026, 11, 20, 10, tzinfo=UTC)),
    ("date_updated", "2026-11-20T10:00:00+02:00", "date_updated", datetime(2026, 11, 20, 8, tzinfo=UTC)),
])  # fmt: skip
def test_values_of_an_unexpected_type(sandbox, name, value, column, expected):
    sid = sandbox.add_flow()
    sandbox.edit_flow(sid, **{name: value})

    sync_account(ACCOUNT)

    assert rows()[sid][column] == expected


def test_names_too_long_for_an_index_are_stored(sandbox):
    long = "".join(chr(0x4E00 + number * 7 % 20_000) for number in range(5000))
    sandbox.add_flow(friendly_name=long, contact_identity=long)
    sandbox.add_flow(friendly_name="\ufdfa" * 256)  # folds to eighteen times as many

    assert sync_account(ACCOUNT) == report(flows=2, created=2)

    assert Flow.objects.get(friendly_name=long).resource["contact_identity"] == long


def test_more_flows_than_a_batch(sandbox):
    for _ in range(1103):
        sandbox.add_flow()
    sync_account(ACCOUNT)
    for sid in list(sandbox.flows)[:501]:
        sandbox.remove_flow(sid)
    for sid in sandbox.flows:
        sandbox.edit_flow(sid, janitor_enabled=True)

    assert sync_account(ACCOUNT) == report(flows=602, changed=602, deleted=20, unchecked=481)
    reports = [sync_account(ACCOUNT) for _ in range(25)]

    assert sum(one.deleted for one in reports) == 481
    assert reports[-1] == report(flows=602, deleted=1)


def test_secrets_are_masked_in_the_mirror(sandbox):
    sid = sandbox.add_flow(
        integration_type="external", integration_url=SECRET_URL, friendly_name=SECRET_URL,
        contact_identity=SECRET_URL, odd=[{"deep": SECRET_URL}],
    )  # fmt: skip

    sync_account(ACCOUNT)
    fetched = mirror.fetch(sid, account_sid=ACCOUNT)

    assert SECRET not in dump_tables()
    assert "hooks.example.com" in dump_tables()
    assert fetched["integration_url"] == SECRET_URL
    assert sync_account(ACCOUNT) == report(flows=1)


def test_other_accounts_rows_are_left_alone(sandbox, flow_sid):
    other = "FO" + "9" * 32
    flow_rows.save_snapshots({other: {"sid": other}}, "AC" + "9" * 32)
    before = rows()[other]

    assert sync_account(ACCOUNT) == report(flows=1)

    assert rows()[other] == before


def test_many_flows_deleted_at_twilio_are_marked_deleted(sandbox, db):
    sids = [sandbox.add_flow(friendly_name=f"Flow {number}") for number in range(MISSING_THRESHOLD)]
    sync_account(ACCOUNT)
    for sid in sids:
        sandbox.remove_flow(sid)

    assert sync_account(ACCOUNT).deleted == MISSING_THRESHOLD


@pytest.mark.parametrize(("synced", "failed", "stale"), [
    (None, None, True), (10, None, False), (40, None, True), (None, 10, False), (40, 10, False), (40, 50, True),
    (30, None, False),
])  # fmt: skip
def test_needs_sync(synced, failed, stale):
    at = datetime(2026, 11, 21, 8, 40, tzinfo=UTC)

    def ago(seconds):
        return None if seconds is None else at - timedelta(seconds=seconds)

    assert needs_sync(SyncState(synced_at=ago(synced), failed_at=ago(failed)), at=at) is stale


def test_needs_sync_uses_the_current_time():
    assert not needs_sync(SyncState(synced_at=timezone.now()))


def test_sync_state_of_a_new_site(settings):
    state = sync_state(ACCOUNT)

    assert (state.account_sid, state.synced_at) == ("AC" + "5a" * 16, None)
    assert not SyncState.objects.exists()


def test_sync_state_after_a_sync(sandbox, flow_sid):
    assert sync_state(ACCOUNT).flows == 1
