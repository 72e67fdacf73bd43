"""Flows that Twilio's list lacks: fetched by SID, and deleted only after a "not found"."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from flows.audit.models import AuditEvent, OpenChange
from flows.availability import restrictions
from flows.changes import reconcile, unknown_outcomes
from flows.mirror import freshness, missing_flows
from flows.mirror.models import Flow, MissingFlow, SyncState
from flows.mirror.sync import sync_account
from flows.twilio.client import ResourceClient
from flows.twilio.errors import FlexError, OutcomeUnknown
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.consistency import Lag
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import age_history, clock_ahead, create_flow, delete_flow, drift_events

pytestmark = pytest.mark.django_db
ONE = "/FlexFlows/*"


@pytest.fixture
def flows(sandbox):
    """Create a number of flows and sync them."""

    def make(count):
        sids = [sandbox.add_flow(friendly_name=f"Flow {number:03}") for number in range(count)]
        sync_account(ACCOUNT)
        return sids

    return make


@pytest.fixture
def small_pages(monkeypatch):
    listed = ResourceClient.list
    monkeypatch.setattr(
        ResourceClient, "list", lambda client, **more: listed(client, page_size=2, **more)
    )


def fetched_sids(sandbox):
    """Return the SIDs of the flows that were fetched one by one, in order."""
    return [
        request.path.rsplit("/", 1)[1]
        for request in sandbox.requests
        if request.method == "GET" and "/FO" in request.path
    ]


def deleted_sids():
    return set(Flow.objects.exclude(gone_at=None).values_list("sid", flat=True))


@pytest.mark.parametrize("kind", ["empty", "short"])
@pytest.mark.parametrize("count", [1, 4])
def test_list_that_lacks_flows_which_exist_records_nothing(sandbox, flows, state, kind, count):
    flows(count)
    sandbox.lag(Lag(kind))

    report = sync_account(ACCOUNT)
    sync_account(ACCOUNT)

    assert (report.deleted, report.unchecked) == (0, 0)
    assert (drift_events(), deleted_sids()) == ([], set())
    assert state().left_out == 0


def test_flows_missing_from_a_list_are_reported_until_it_has_them_again(sandbox, flows, state):
    flows(4)
    sandbox.lag(Lag("empty"))

    assert sync_account(ACCOUNT).left_out == 4

    assert (
        freshness.describe_missing(state())
        == "4 flows are missing from Twilio's list, but still exist there."
    )
    assert not freshness.Freshness(state()).is_up_to_date
    sync_account(ACCOUNT)
    assert freshness.Freshness(state()).is_up_to_date
    assert not MissingFlow.objects.exists()


def test_list_that_lacks_many_existing_flows_is_rejected(sandbox, flows, state):
    flows(12)
    new = sandbox.add_flow(friendly_name="New")
    sandbox.lag(Lag("short"))

    with pytest.raises(OutcomeUnknown, match="leaves out"):
        sync_account(ACCOUNT)

    assert not Flow.objects.filter(sid=new).exists()
    assert "leaves out" in state().error


def test_page_that_shifts_while_it_is_read_loses_no_flow(sandbox, flows, small_pages):
    flows(6)
    sandbox.lag(Lag("skipped", times=None))

    report = sync_account(ACCOUNT)

    assert (report.flows, report.deleted, report.left_out) == (6, 0, 2)
    assert (drift_events(), deleted_sids()) == ([], set())


def test_flow_on_two_pages_is_counted_once(sandbox, flows, small_pages):
    flows(6)
    sandbox.lag(Lag("repeated", times=None))

    report = sync_account(ACCOUNT)

    assert (report.flows, report.has_changes) == (6, False)


def test_many_missing_flows_are_checked_over_several_syncs_with_progress(sandbox, flows, state):
    sids = flows(50)
    for sid in sids:
        sandbox.remove_flow(sid)

    first = sync_account(ACCOUNT)

    assert (first.deleted, first.unchecked) == (20, 30)
    assert len(fetched_sids(sandbox)) == missing_flows.MAX_CHECKS == 20
    expected = "Checking 30 flows that are missing from Twilio's list: 20 checked."
    assert freshness.describe_missing(state()) == expected
    assert not freshness.Freshness(state()).is_up_to_date
    unchecked = set(sids) - deleted_sids()
    assert missing_flows.find_unchecked(sids) == unchecked
    assert {event.target_sid for event in drift_events()} == deleted_sids()
    second = sync_account(ACCOUNT)
    assert (second.deleted, second.unchecked, state().missing_checked) == (20, 10, 40)
    assert sync_account(ACCOUNT).deleted == 10
    assert freshness.Freshness(state()).is_up_to_date
    assert sorted(fetched_sids(sandbox)) == sorted(sids)
    assert (state().missing_checked, MissingFlow.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.HTML, status=404, path=ONE, times=None),
        Fault(FaultKind.REFUSE, status=404, code=20003, path=ONE, times=None),
        Fault(FaultKind.SERVER_ERROR, path=ONE, times=None),
        Fault(FaultKind.DROP, path=ONE, times=None),
    ],
    ids=["a proxy's 404", "another code", "500", "no answer"],
)
def test_response_that_proves_no_deletion_leaves_the_flow_unchanged(sandbox, flows, state, fault):
    sids = flows(2)
    sandbox.remove_flow(sids[0])
    sandbox.inject(fault)

    report = sync_account(ACCOUNT)

    assert (report.deleted, report.unchecked, deleted_sids()) == (0, 1, set())
    assert "Checking stopped: " in freshness.describe_missing(state())
    sandbox.clear_faults()
    assert sync_account(ACCOUNT).deleted == 1
    assert state().check_error == ""


def test_no_flow_is_marked_deleted_while_twilio_refuses_to_show_flows(sandbox, flows, state):
    sids = flows(2)
    sandbox.inject(Fault(FaultKind.REFUSE, status=403, code=20005, path=ONE, times=None))
    sandbox.remove_flow(sids[0])
    sync_account(ACCOUNT)
    fetch_count = len(fetched_sids(sandbox))

    report = sync_account(ACCOUNT)

    assert restrictions.account_availability(ACCOUNT).restriction_of("fetch")
    assert (report.unchecked, deleted_sids(), len(fetched_sids(sandbox))) == (1, set(), fetch_count)
    assert "Twilio refuses to show a flow" in freshness.describe_missing(state())


def test_sync_without_missing_flows_does_not_query_them(sandbox, flows):
    flows(3)

    with CaptureQueriesContext(connection) as queries:
        sync_account(ACCOUNT)

    assert "flows_missingflow" not in "".join(query["sql"] for query in queries)


def test_deleted_flow_in_a_stale_list_is_fetched_before_it_is_restored(sandbox, flows):
    """A fetch by SID is right however stale the list is."""
    sids = flows(2)
    with clock_ahead(2):
        delete_flow(sids[0], base={"friendly_name": "Flow 000"})
    sandbox.lag(Lag("stale", path="/FlexFlows", seconds=30))

    with clock_ahead(30):
        report = sync_account(ACCOUNT)

    assert report.created == 0
    assert drift_events() == []
    assert deleted_sids() == {sids[0]}


def test_flow_that_reappeared_is_restored(sandbox, flows):
    sids = flows(1)
    was = FLEX_FLOW.decode(sandbox.flows[sids[0]])
    sandbox.remove_flow(sids[0])
    sync_account(ACCOUNT)
    sandbox.add_flow(**was)

    with clock_ahead():
        report = sync_account(ACCOUNT)

    assert report.created == 1
    assert deleted_sids() == set()


def test_flow_with_an_earlier_date_than_the_mirror_is_fetched(sandbox, flows):
    (sid,) = flows(1)
    sandbox.edit_flow(sid, friendly_name="Newer", date_updated="2030-01-01T00:00:00Z")
    sync_account(ACCOUNT)
    sandbox.lag(Lag("stale", path="/FlexFlows", seconds=30))
    with clock_ahead(10):
        sandbox.edit_flow(sid, enabled=True, date_updated="2030-01-01T00:00:01Z")
        sync_account(ACCOUNT)

    assert drift_events()[0].changed_fields == ["friendly_name"]
    assert Flow.objects.get().friendly_name == "Newer"


def test_checks_end_at_their_time_limit(sandbox, flows, monkeypatch):
    sids = flows(3)
    for sid in sids:
        sandbox.remove_flow(sid)
    monkeypatch.setattr(missing_flows, "CHECK_TIMEOUT", -1.0)

    report = sync_account(ACCOUNT)

    assert (report.deleted, report.unchecked) == (0, 3)


def test_incomplete_list_does_not_resolve_a_lost_creation_as_not_applied(sandbox, flows):
    flows(2)
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    create_flow()

    for minutes in (2, 4, 6):
        sandbox.lag(Lag("empty"))
        with clock_ahead(minutes), pytest.raises(FlexError, match="leaves out"):
            reconcile.reconcile()

    with clock_ahead(8):
        (event,) = reconcile.reconcile()
    assert event.result == "applied"
    assert not AuditEvent.objects.filter(result="not_applied").exists()


def test_candidate_of_a_lost_creation_is_fetched_if_the_list_lacks_it(sandbox, flow_sid):
    age_history(sandbox)
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    create_flow(values={"friendly_name": "Lost"})
    created_sid = next(sid for sid in sandbox.flows if sid != flow_sid)
    sandbox.edit_flow(created_sid, friendly_name="Lost, and edited")
    assert reconcile.reconcile() == []
    assert OpenChange.objects.get().candidates == [created_sid]
    sandbox.lag(Lag("stale", path="/FlexFlows", seconds=3600))

    with clock_ahead():
        reconcile.reconcile()

    assert OpenChange.objects.get().ambiguity == unknown_outcomes.PARTIAL_MATCH.format(noun="flow")


@pytest.mark.parametrize(
    ("missing", "checked"),
    [(["unchecked before", "new"], 21), (["new", "also new"], 1)],
    ids=["same gap", "another gap"],
)
def test_progress_is_that_of_one_gap(missing, checked):
    """A sync that fails between two gaps leaves the first one's progress behind."""
    at = timezone.now()
    state = SyncState.objects.create(account_sid=ACCOUNT, missing=1, missing_checked=20)
    MissingFlow.objects.create(sid="unchecked before", account_sid=ACCOUNT, since=at)

    missing_flows.check_missing_flows(state, missing, lambda _sid: None, limit=1, at=at)

    state.refresh_from_db()
    assert (state.missing, state.missing_checked) == (1, checked)
