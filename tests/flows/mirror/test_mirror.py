"""Syncs and fetches: the flows that they store, and the rows that they must not change."""

import copy
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flows.accounts import clients
from flows.audit.models import AuditEvent
from flows.mirror import drift, flow_rows, mirror, missing_flows
from flows.mirror.mirror import SyncBusy
from flows.mirror.models import Flow, SyncState
from flows.twilio.errors import FlexError, NotSent, OutcomeUnknown, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    SECRET,
    SECRET_URL,
    VERBS,
    BackgroundCall,
    clock_ahead,
    create_flow,
    delete_flow,
    drift_events,
    dump_tables,
    failing_inserts,
    rename_flow,
    run_concurrently,
    wait_for,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def hurry(monkeypatch):
    """Shorten reads to half a second, without pauses between attempts."""

    def make(account_sid, *, deadline=0.5):
        client = copy.copy(clients.flex_client(account_sid, deadline=min(deadline, 0.5)))
        client._sleep = lambda seconds: None
        return client

    monkeypatch.setattr(mirror, "flex_client", make)


@pytest.fixture
def state():
    return lambda: SyncState.objects.get()


def rows():
    return {row["sid"]: row for row in Flow.objects.values()}


def report(**counts):
    return mirror.SyncReport(**{"flows": 0, "created": 0, "changed": 0, "deleted": 0, **counts})


def snapshot(sid="FO" + "1" * 32, **values):
    return {"sid": sid, "account_sid": "AC" + "5a" * 16, "friendly_name": "A", **values}


def test_sync_of_an_empty_account(sandbox, state):
    assert mirror.sync(ACCOUNT) == report()

    assert (state().flows, state().error, state().started_at, state().failed_at) == (
        0,
        "",
        None,
        None,
    )
    assert state().synced_at is not None
    assert not mirror.sync(ACCOUNT).moved


def test_sync_stores_every_field(sandbox, state):
    sid = sandbox.add_flow(
        friendly_name="Störungsmeldung ÅBO", channel_type="whatsapp", contact_identity="whatsapp:+4923055501",
        enabled=True, integration_type="task", date_updated="2026-11-20T10:11:12Z",
    )  # fmt: skip

    assert mirror.sync(ACCOUNT) == report(flows=1, created=1)

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
    mirror.sync(ACCOUNT)
    before = rows()
    sandbox.edit_flow(changed, friendly_name="changed!")
    sandbox.remove_flow(deleted)
    new = sandbox.add_flow(friendly_name="new")

    result = mirror.sync(ACCOUNT)

    assert result == report(flows=3, created=1, changed=1, deleted=1)
    assert result.moved
    after = rows()
    assert after[unchanged] == before[unchanged]
    assert (after[changed]["friendly_name"], after[new]["friendly_name"]) == ("changed!", "new")
    assert after[deleted]["gone_at"] is not None
    assert after[deleted]["resource"] == before[deleted]["resource"]


def test_sync_of_a_deleted_flow_changes_nothing(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)
    mirror.sync(ACCOUNT)
    before = rows()

    assert mirror.sync(ACCOUNT) == report()

    assert rows() == before


def test_sync_of_a_flow_that_reappeared(sandbox, flow_sid):
    was = FLEX_FLOW.decode(sandbox.flows[flow_sid])
    sandbox.remove_flow(flow_sid)
    mirror.sync(ACCOUNT)
    sandbox.add_flow(**was)

    with clock_ahead():
        assert mirror.sync(ACCOUNT) == report(flows=1, created=1)

    assert Flow.objects.get().gone_at is None


def test_edit_within_the_same_second_is_found(sandbox, flow_sid):
    date = Flow.objects.get().resource["date_updated"]
    sandbox.edit_flow(flow_sid, janitor_enabled=True, date_updated=date)

    assert mirror.sync(ACCOUNT) == report(flows=1, changed=1)


def test_sync_without_differences_writes_no_flow(sandbox):
    for number in range(5):
        sandbox.add_flow(
            odd=[1e3, 0.1, 2**70, "nul\x00", {"\ud800": None}], friendly_name=f"\x00{number}"
        )
    mirror.sync(ACCOUNT)
    before = rows()

    with CaptureQueriesContext(connection) as queries:
        assert mirror.sync(ACCOUNT) == report(flows=5)

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
        mirror.sync(ACCOUNT)
        with CaptureQueriesContext(connection) as queries:
            mirror.sync(ACCOUNT)
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
    mirror.sync(ACCOUNT)
    redact, masked_sids = missing_flows.redact, []
    monkeypatch.setattr(
        missing_flows, "redact", lambda value: masked_sids.append(value["sid"]) or redact(value)
    )

    assert mirror.sync(ACCOUNT) == report(flows=2)
    assert masked_sids == [secret]

    sandbox.edit_flow(plain, friendly_name="other")
    assert mirror.sync(ACCOUNT) == report(flows=2, changed=1)
    assert masked_sids[0] == secret
    assert sorted(masked_sids[1:]) == sorted([secret, plain])


def test_unknown_fields_are_stored(sandbox):
    sandbox.add_flow(flavour={"kind": ["new", 1, None]}, integration_flavour="x")

    mirror.sync(ACCOUNT)

    resource = Flow.objects.get().resource
    assert resource["flavour"] == {"kind": ["new", 1, None]}
    assert resource["integration_flavour"] == "x"


def test_nulls_everywhere(sandbox):
    names = ("account_sid", "friendly_name", "chat_service_sid", "channel_type", "contact_identity", "enabled",
             "integration_type", "long_lived", "janitor_enabled", "date_created", "date_updated")  # fmt: skip
    sid = sandbox.add_flow()
    sandbox.edit_flow(sid, **dict.fromkeys(names))

    assert mirror.sync(ACCOUNT) == report(flows=1, created=1)
    assert mirror.sync(ACCOUNT) == report(flows=1)

    flow = Flow.objects.get()
    assert (flow.account_sid, flow.friendly_name, flow.channel_type, flow.enabled) == (
        "AC" + "5a" * 16,
        "",
        "",
        None,
    )
    assert (flow.date_created, flow.date_updated) == (None, None)
    sandbox.remove_flow(sid)
    assert mirror.sync(ACCOUNT) == report(deleted=1)


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

    mirror.sync(ACCOUNT)

    assert rows()[sid][column] == expected


def test_names_too_long_for_an_index_are_stored(sandbox):
    long = "".join(chr(0x4E00 + number * 7 % 20_000) for number in range(5000))
    sandbox.add_flow(friendly_name=long, contact_identity=long)
    sandbox.add_flow(friendly_name="\ufdfa" * 256)  # folds to eighteen times as many

    assert mirror.sync(ACCOUNT) == report(flows=2, created=2)

    assert Flow.objects.get(friendly_name=long).resource["contact_identity"] == long


def test_more_flows_than_a_batch(sandbox):
    for _ in range(1103):
        sandbox.add_flow()
    mirror.sync(ACCOUNT)
    for sid in list(sandbox.flows)[:501]:
        sandbox.remove_flow(sid)
    for sid in sandbox.flows:
        sandbox.edit_flow(sid, janitor_enabled=True)

    assert mirror.sync(ACCOUNT) == report(flows=602, changed=602, deleted=20, unchecked=481)
    reports = [mirror.sync(ACCOUNT) for _ in range(25)]

    assert sum(one.deleted for one in reports) == 481
    assert reports[-1] == report(flows=602, deleted=1)


def test_secrets_are_masked_in_the_mirror(sandbox):
    sid = sandbox.add_flow(
        integration_type="external", integration_url=SECRET_URL, friendly_name=SECRET_URL,
        contact_identity=SECRET_URL, odd=[{"deep": SECRET_URL}],
    )  # fmt: skip

    mirror.sync(ACCOUNT)
    fetched = mirror.fetch(sid, account_sid=ACCOUNT)

    assert SECRET not in dump_tables()
    assert "hooks.example.com" in dump_tables()
    assert fetched["integration_url"] == SECRET_URL
    assert mirror.sync(ACCOUNT) == report(flows=1)


def test_other_accounts_rows_are_left_alone(sandbox, flow_sid):
    other = "FO" + "9" * 32
    flow_rows.save_snapshots({other: {"sid": other}}, "AC" + "9" * 32)
    before = rows()[other]

    assert mirror.sync(ACCOUNT) == report(flows=1)

    assert rows()[other] == before


LIST_FAULTS = {
    "refused": (Fault(FaultKind.REFUSE, times=None, status=403, code=20005), RequestRefused),
    "too many": (Fault(FaultKind.TOO_MANY, times=None, retry_after=0), RequestRefused),
    "problem": (Fault(FaultKind.PROBLEM, times=None), RequestRefused),
    "server error": (Fault(FaultKind.SERVER_ERROR, times=None), OutcomeUnknown),
    "dropped": (Fault(FaultKind.DROP, times=None), OutcomeUnknown),
    "hangs": (Fault(FaultKind.HANG, times=None), OutcomeUnknown),
    "drips": (Fault(FaultKind.DRIP, times=None, seconds=0.01), OutcomeUnknown),
    "drips headers": (Fault(FaultKind.DRIP_HEADERS, times=None, seconds=0.05), OutcomeUnknown),
    "truncated": (Fault(FaultKind.TRUNCATE, times=None), OutcomeUnknown),
    "a proxy's page": (Fault(FaultKind.HTML, times=None), OutcomeUnknown),
    "HTML": (Fault(FaultKind.HTML_OK, times=None), OutcomeUnknown),
    "garbage": (Fault(FaultKind.GARBAGE, times=None), OutcomeUnknown),
    "redirect": (Fault(FaultKind.REDIRECT, times=None), OutcomeUnknown),
    "huge": (Fault(FaultKind.HUGE, times=None), OutcomeUnknown),
    "empty": (Fault(FaultKind.EMPTY, times=None), OutcomeUnknown),
    "another host": (Fault(FaultKind.LEAVE_HOST, times=None), OutcomeUnknown),
    "a loop": (Fault(FaultKind.PAGE_LOOP, times=None), OutcomeUnknown),
}


@pytest.mark.parametrize(("fault", "kind"), LIST_FAULTS.values(), ids=LIST_FAULTS)
def test_failed_sync_keeps_the_rows_and_stores_the_error(
    sandbox, flow_sid, hurry, state, fault, kind
):
    before, synced_at = rows(), state().synced_at
    sandbox.edit_flow(flow_sid, friendly_name="Newer")
    sandbox.add_flow()
    sandbox.inject(fault)

    with pytest.raises(kind):
        mirror.sync(ACCOUNT)

    assert rows() == before
    after = state()
    assert (after.started_at, after.synced_at) == (None, synced_at)
    assert after.failed_at > synced_at
    assert after.error[0].isupper()
    sandbox.clear_faults()
    assert mirror.sync(ACCOUNT) == report(flows=2, created=1, changed=1)
    assert (state().error, state().failed_at) == ("", None)


def test_failure_at_a_later_page_keeps_the_rows(sandbox, flow_sid, monkeypatch):
    before = rows()
    sandbox.edit_flow(flow_sid, friendly_name="Newer")

    class Client:
        def list(self):
            yield snapshot("FO" + "2" * 32)
            raise OutcomeUnknown("the connection to Twilio was lost")

    monkeypatch.setattr(mirror, "flex_client", lambda *_, **__: Client())

    with pytest.raises(OutcomeUnknown):
        mirror.sync(ACCOUNT)

    assert rows() == before


def test_sync_without_a_network(db, settings, state):
    settings.FLEX_API_URL = "http://127.0.0.1:9/v1"

    with pytest.raises(NotSent):
        mirror.sync(ACCOUNT)

    assert state().error.startswith("Couldn't connect to 127.0.0.1:9. Check FLEX_API_URL")


@pytest.mark.django_db(transaction=True)
def test_database_error_during_a_sync_keeps_the_rows_and_is_not_retried_at_once(
    sandbox, flow_sid, state
):
    before = rows()
    sandbox.edit_flow(flow_sid, friendly_name="Newer")
    sandbox.add_flow()

    with failing_inserts("flows_flow"), pytest.raises(Exception, match="disk is full"):
        mirror.sync(ACCOUNT)

    assert rows() == before
    assert state().started_at is None
    assert "Internal error" in state().error
    assert not mirror.is_stale(state())
    assert mirror.sync(ACCOUNT) == report(flows=2, created=1, changed=1)


@pytest.mark.django_db(transaction=True)
def test_one_sync_at_a_time(sandbox, flow_sid):
    listed = len(sandbox.requests)
    sandbox.inject(Fault(FaultKind.HANG))
    first = BackgroundCall(partial(mirror.sync, ACCOUNT))
    assert sandbox.wait_until_held()

    with pytest.raises(SyncBusy):
        mirror.sync(ACCOUNT)

    assert len(sandbox.requests) == listed + 1
    sandbox.release()
    assert first.outcome() == report(flows=1)


def test_mirror_is_loaded_while_twilio_prepares_its_list(sandbox, flow_sid, monkeypatch):
    sandbox.inject(Fault(FaultKind.HANG))
    load_snapshots = flow_rows.load_snapshots

    def load_while_held(rows):
        monkeypatch.setattr(flow_rows, "load_snapshots", load_snapshots)
        assert sandbox.wait_until_held()
        sandbox.release()
        return load_snapshots(rows)

    monkeypatch.setattr(flow_rows, "load_snapshots", load_while_held)

    assert mirror.sync(ACCOUNT) == report(flows=1)


@pytest.mark.django_db(transaction=True)
def test_eight_concurrent_syncs_create_each_flow_once(sandbox):
    for _ in range(20):
        sandbox.add_flow()

    results = run_concurrently(*[partial(mirror.sync, ACCOUNT)] * 8)

    reports = [result for result in results if not isinstance(result, SyncBusy)]
    assert reports
    assert all(isinstance(result, mirror.SyncReport) for result in reports)
    assert sum(result.created for result in reports) == 20
    assert Flow.objects.count() == 20


@pytest.mark.parametrize(
    ("age", "is_busy"), [(timedelta(minutes=1), True), (timedelta(minutes=3), False)]
)
def test_lease_of_a_dead_sync_expires(sandbox, flow_sid, age, is_busy):
    SyncState.objects.update(started_at=timezone.now() - age)

    if is_busy:
        with pytest.raises(SyncBusy):
            mirror.sync(ACCOUNT)
    else:
        assert mirror.sync(ACCOUNT) == report(flows=1)
        assert SyncState.objects.get().started_at is None


def test_slow_sync_does_not_release_the_lease_of_its_successor(sandbox, flow_sid, monkeypatch):
    successor = timezone.now()
    listing = clients.flex_client("AC" + "5a" * 16, deadline=5).list

    def slow():
        SyncState.objects.update(started_at=successor)
        return listing()

    monkeypatch.setattr(
        mirror, "flex_client", lambda *_, **__: type("Client", (), {"list": staticmethod(slow)})
    )

    mirror.sync(ACCOUNT)

    assert SyncState.objects.get().started_at == successor


@pytest.fixture
def during_listing(monkeypatch):
    """Call a function after Twilio made its list and before the mirror has it."""

    def arrange(act):
        class Client:
            def list(self):
                snapshots = list(clients.flex_client("AC" + "5a" * 16).list())
                monkeypatch.setattr(mirror, "flex_client", clients.flex_client)
                act()
                return iter(snapshots)

        monkeypatch.setattr(mirror, "flex_client", lambda *_, **__: Client())

    yield arrange
    monkeypatch.undo()


def test_older_list_does_not_overwrite_our_change(sandbox, flow_sid, during_listing):
    during_listing(lambda: rename_flow(flow_sid))

    assert mirror.sync(ACCOUNT) == report(flows=1)

    assert Flow.objects.get().friendly_name == "Plaintes Lyon"
    assert mirror.sync(ACCOUNT) == report(flows=1)
    assert drift_events() == []


def test_flow_created_during_the_listing_is_not_marked_deleted(sandbox, flow_sid, during_listing):
    during_listing(create_flow)

    assert mirror.sync(ACCOUNT) == report(flows=1)

    created_sid = AuditEvent.objects.get(stage="outcome").target_sid
    assert Flow.objects.get(sid=created_sid).gone_at is None
    assert mirror.sync(ACCOUNT) == report(flows=2)
    assert drift_events() == []


def test_flow_deleted_during_the_listing_stays_deleted(sandbox, flow_sid, during_listing):
    during_listing(lambda: delete_flow(flow_sid))

    assert mirror.sync(ACCOUNT) == report(flows=1)

    assert Flow.objects.get().gone_at is not None
    assert mirror.sync(ACCOUNT) == report()
    assert drift_events() == []


def test_flow_fetched_during_the_listing_is_not_marked_deleted(sandbox, flow_sid, during_listing):
    during_listing(lambda: mirror.fetch(sandbox.add_flow(), account_sid=ACCOUNT))

    assert mirror.sync(ACCOUNT) == report(flows=1)

    assert Flow.objects.filter(gone_at=None).count() == 2
    assert [drift.payload.before for drift in drift_events()] == [None]


@pytest.mark.django_db(transaction=True)
def test_change_while_the_list_is_being_received(sandbox, flow_sid):
    """The last bytes of a real response wait until the change is applied."""
    sandbox.inject(Fault(FaultKind.DRIP, method="GET", path="/FlexFlows", seconds=60))
    listed = len(sandbox.requests)
    sync = BackgroundCall(partial(mirror.sync, ACCOUNT))
    wait_for(lambda: len(sandbox.requests) > listed and sandbox.requests[listed].status)

    rename_flow(flow_sid)

    sandbox.release()
    assert sync.outcome() == report(flows=1)
    assert Flow.objects.get().friendly_name == "Plaintes Lyon"


@pytest.mark.parametrize("act", ["change", "delete"])
def test_fetch_from_before_a_change_does_not_overwrite_it(sandbox, flow_sid, monkeypatch, act):
    """Twilio answers after the change with the flow as it was before."""

    class Client:
        def fetch(self, sid):
            snapshots = clients.flex_client("AC" + "5a" * 16).fetch(sid)
            monkeypatch.setattr(mirror, "flex_client", clients.flex_client)
            rename_flow(sid) if act == "change" else delete_flow(sid)
            return snapshots

    monkeypatch.setattr(mirror, "flex_client", lambda *_, **__: Client())

    snapshots = mirror.fetch(flow_sid, account_sid=ACCOUNT)

    assert snapshots["friendly_name"] == "Réclamations Lyon"
    flow = Flow.objects.get()
    assert (flow.friendly_name, flow.gone_at is None) == (
        ("Plaintes Lyon", True) if act == "change" else ("Réclamations Lyon", False)
    )
    assert drift_events() == []


@pytest.mark.parametrize("act", ["our change", "another read"])
def test_event_recorded_before_the_mirror_is_written_counts_as_newer(
    sandbox, flow_sid, monkeypatch, act
):
    """The event comes between recording a difference and storing it."""
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    note = drift.record_differences

    def note_and_act(*args, **more):
        monkeypatch.setattr(drift, "record_differences", note)
        as_found = note(*args, **more)
        if act == "our change":
            rename_flow(flow_sid, base=None)
        else:
            sandbox.edit_flow(flow_sid, friendly_name="Plaintes Lyon")
            mirror.fetch(flow_sid, account_sid=ACCOUNT)
        return as_found

    monkeypatch.setattr(drift, "record_differences", note_and_act)

    mirror.sync(ACCOUNT)

    assert Flow.objects.get().friendly_name == "Plaintes Lyon"
    assert len(drift_events()) == (1 if act == "our change" else 2)


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_result_applied_late_does_not_overwrite_a_newer_state(sandbox, flow_sid, monkeypatch, verb):
    """After the outcome is recorded, somebody changes the flow and a sync stores that first."""
    before, apply_result = FLEX_FLOW.decode(sandbox.flows[flow_sid]), mirror.apply_result

    def late(*args):
        if verb == "update":
            sandbox.edit_flow(flow_sid, friendly_name="Theirs")
        else:
            sandbox.add_flow(**{**before, "friendly_name": "Theirs"})
        with clock_ahead():
            mirror.sync(ACCOUNT)
        apply_result(*args)

    monkeypatch.setattr(mirror, "apply_result", late)

    VERBS[verb](flow_sid)

    flow = Flow.objects.get()
    assert (flow.friendly_name, flow.gone_at) == ("Theirs", None)
    assert not mirror.sync(ACCOUNT).moved


def test_fetch_stores_the_flow(sandbox, flow_sid):
    was = FLEX_FLOW.decode(sandbox.flows[flow_sid])
    sandbox.remove_flow(flow_sid)
    mirror.sync(ACCOUNT)
    sandbox.add_flow(**{**was, "friendly_name": "Newer"})

    with clock_ahead():
        assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["friendly_name"] == "Newer"

    assert (Flow.objects.get().friendly_name, Flow.objects.get().gone_at) == ("Newer", None)


def test_fetch_of_a_deleted_flow_marks_it_deleted(sandbox, flow_sid):
    sandbox.remove_flow(flow_sid)

    with pytest.raises(RequestRefused):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)

    gone_at = Flow.objects.get().gone_at
    assert gone_at is not None
    with pytest.raises(RequestRefused):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)
    assert Flow.objects.get().gone_at == gone_at


@pytest.mark.parametrize("fault", [
    Fault(FaultKind.REFUSE, status=404, code=20003),
    Fault(FaultKind.REFUSE, status=403, code=20404),
    Fault(FaultKind.HTML, status=404),
    Fault(FaultKind.SERVER_ERROR, times=None),
], ids=["another code", "another status", "a proxy's 404", "an error"])  # fmt: skip
def test_fetch_that_fails_for_another_reason_marks_nothing(sandbox, flow_sid, hurry, fault):
    sandbox.inject(fault)

    with pytest.raises(FlexError):
        mirror.fetch(flow_sid, account_sid=ACCOUNT)

    assert Flow.objects.get().gone_at is None


@pytest.mark.django_db(transaction=True)
def test_fetch_returns_the_flow_though_the_mirror_cannot_be_written(sandbox, flow_sid, caplog):
    sandbox.edit_flow(flow_sid, friendly_name="Newer")

    with failing_inserts("flows_flow"):
        assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["friendly_name"] == "Newer"

    assert "the mirror could not store" in caplog.text
    assert Flow.objects.get().friendly_name == "Réclamations Lyon"


def test_fetch_returns_a_flow_that_the_mirror_cannot_process(sandbox, flow_sid, monkeypatch):
    monkeypatch.setattr(flow_rows, "normalize_text", lambda text: 1 / 0)

    assert mirror.fetch(flow_sid, account_sid=ACCOUNT)["sid"] == flow_sid


@pytest.mark.parametrize(("synced", "failed", "stale"), [
    (None, None, True), (10, None, False), (40, None, True), (None, 10, False), (40, 10, False), (40, 50, True),
    (30, None, False),
])  # fmt: skip
def test_is_stale(synced, failed, stale):
    at = datetime(2026, 11, 21, 8, 40, tzinfo=UTC)

    def ago(seconds):
        return None if seconds is None else at - timedelta(seconds=seconds)

    assert mirror.is_stale(SyncState(synced_at=ago(synced), failed_at=ago(failed)), at=at) is stale


def test_is_stale_uses_the_current_time():
    assert not mirror.is_stale(SyncState(synced_at=timezone.now()))


def test_sync_state_of_a_new_site(settings):
    state = mirror.sync_state(ACCOUNT)

    assert (state.account_sid, state.synced_at) == ("AC" + "5a" * 16, None)
    assert not SyncState.objects.exists()


def test_sync_state_after_a_sync(sandbox, flow_sid):
    assert mirror.sync_state(ACCOUNT).flows == 1


def test_list_that_lacks_many_existing_flows_is_rejected(sandbox, db, monkeypatch):
    for number in range(mirror.MISSING_THRESHOLD):
        sandbox.add_flow(friendly_name=f"Flow {number}")
    mirror.sync(ACCOUNT)
    monkeypatch.setattr(mirror.AccountMirror, "list_flows", lambda _self: [])

    with pytest.raises(OutcomeUnknown, match="leaves out"):
        mirror.sync(ACCOUNT)

    assert not Flow.objects.exclude(gone_at=None).exists()
    assert "leaves out" in mirror.sync_state(ACCOUNT).error


def test_many_flows_deleted_at_twilio_are_marked_deleted(sandbox, db):
    sids = [
        sandbox.add_flow(friendly_name=f"Flow {number}")
        for number in range(mirror.MISSING_THRESHOLD)
    ]
    mirror.sync(ACCOUNT)
    for sid in sids:
        sandbox.remove_flow(sid)

    assert mirror.sync(ACCOUNT).deleted == mirror.MISSING_THRESHOLD
