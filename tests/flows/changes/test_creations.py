"""Creations whose response was lost: the search for the flow that they made.

Until the outcome is known, nobody can create the same flow, and no candidate counts as an external
change.
"""

from datetime import UTC, datetime, timedelta

import pytest

from flows.audit import audit_log
from flows.audit.models import AuditEvent, OpenChange
from flows.changes import reconcile, unknown_outcomes
from flows.changes.flow_changes import Change
from flows.changes.in_flight import ConcurrentChange
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.errors import FlexError
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import (
    NEW_FLOW,
    OMAR,
    SECRET,
    SECRET_URL,
    BackgroundCall,
    append_attempt,
    applied_writes,
    assert_chain_intact,
    clock_ahead,
    create_flow,
    delete_flow,
    drift_events,
    dump_tables,
    received_writes,
    rename_flow,
    run_concurrently,
    wait_for,
)

pytestmark = pytest.mark.django_db
REQUESTED = {name: value for name, value in NEW_FLOW.items() if value is not None}
OTHER = {"friendly_name": "Something else", "contact_identity": "+4900001"}


@pytest.fixture(autouse=True)
def baseline(sandbox, flow_sid):
    """A flow that existed before."""


def lose(sandbox, fault=FaultKind.APPLY_THEN_DROP, **more):
    """Lose the response to a creation and return the SID of the created flow, if there is one."""
    sandbox.inject(Fault(fault, method="POST"))
    assert create_flow(**more).event.result == "unknown"
    changes = applied_writes(sandbox)
    return changes[-1].sid if fault is FaultKind.APPLY_THEN_DROP else None


def results():
    return [event.result for event in reconcile.reconcile()]


def puzzle():
    change = OpenChange.objects.get()
    return change.ambiguity, sorted(change.candidates)


def twin(sandbox, **fields):
    """Create the same flow outside this dashboard."""
    return sandbox.add_flow(**{**REQUESTED, "long_lived": False, **fields})


def test_one_that_is_as_asked_for_is_the_one(sandbox):
    sid = lose(sandbox)
    write_count = len(received_writes(sandbox))

    (event,) = reconcile.reconcile()

    assert (event.stage, event.result, event.action, event.target_sid) == (
        "reconciled", "applied", "flow.create", sid,
    )  # fmt: skip
    assert (
        event.payload.after["friendly_name"]
        == event.payload.friendly_name
        == REQUESTED["friendly_name"]
    )
    assert event.payload.requested == REQUESTED
    assert Flow.objects.get(sid=sid).resource == event.payload.after
    assert len(received_writes(sandbox)) == write_count
    assert not OpenChange.objects.exists()
    assert not sync_account(ACCOUNT).has_changes
    assert drift_events() == []
    assert_chain_intact()


def test_none_on_two_reads_some_time_apart_and_it_was_not_made(sandbox):
    lose(sandbox, FaultKind.DROP)

    assert results() == results() == []
    with clock_ahead():
        (event,) = reconcile.reconcile()

    assert (event.result, event.target_sid, event.payload.after) == ("not_applied", "", None)
    assert not OpenChange.objects.exists()
    assert create_flow().event.result == "succeeded"


def test_none_on_the_first_read_and_there_on_the_second(sandbox):
    """Let Twilio apply the change late, when the sandbox is released."""
    lose(sandbox, FaultKind.DROP)
    assert results() == []
    sid = twin(sandbox)

    with clock_ahead():
        assert results() == ["applied"]

    assert AuditEvent.objects.get(stage="reconciled").target_sid == sid


def test_two_that_are_as_asked_for_are_a_puzzle(sandbox):
    ours, theirs = lose(sandbox), twin(sandbox)

    assert results() == []
    with clock_ahead():
        assert results() == []

    assert puzzle() == (
        unknown_outcomes.MULTIPLE_MATCHES.format(noun="flow"),
        sorted([ours, theirs]),
    )


def test_twin_that_was_known_before_is_none_of_ours(sandbox):
    twin(sandbox)
    sync_account(ACCOUNT)

    ours = lose(sandbox)

    assert [event.target_sid for event in reconcile.reconcile()] == [ours]


def test_twin_that_was_known_before_is_none_of_ours_if_ours_was_not_made_either(sandbox):
    twin(sandbox)
    sync_account(ACCOUNT)
    lose(sandbox, FaultKind.DROP)

    assert results() == []
    with clock_ahead():
        assert results() == ["not_applied"]


@pytest.mark.parametrize("minutes", [-60, 60])
def test_twin_of_another_time_is_none_of_ours(sandbox, minutes):
    lose(sandbox, FaultKind.DROP)
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    twin(sandbox, date_created=at.isoformat(timespec="seconds"))

    assert results() == []
    with clock_ahead():
        assert results() == ["not_applied"]


@pytest.mark.parametrize("minutes", [-4, 4])
def test_clocks_may_differ_a_little(sandbox, minutes):
    sid = lose(sandbox)
    at = datetime.now(UTC) + timedelta(minutes=minutes)
    sandbox.edit_flow(sid, date_created=at.isoformat(timespec="seconds"))

    assert results() == ["applied"]


def test_one_that_was_edited_since_is_a_puzzle(sandbox):
    sid = lose(sandbox)
    sandbox.edit_flow(sid, friendly_name="Edited")

    assert results() == []
    with clock_ahead():
        assert results() == []

    assert puzzle() == (unknown_outcomes.PARTIAL_MATCH.format(noun="flow"), [sid])


def test_puzzle_that_solves_itself_is_settled(sandbox):
    sid = lose(sandbox)
    sandbox.edit_flow(sid, friendly_name="Edited")
    assert results() == []
    sandbox.edit_flow(sid, friendly_name=REQUESTED["friendly_name"])

    assert results() == ["applied"]


def test_candidate_that_is_deleted_since_is_no_proof_that_nothing_was_made(sandbox):
    sid = lose(sandbox)
    sandbox.edit_flow(sid, friendly_name="Edited")
    assert results() == []
    sandbox.remove_flow(sid)

    for minutes in (0, 2, 4):
        with clock_ahead(minutes):
            assert results() == []

    assert puzzle() == (unknown_outcomes.CANDIDATE_DELETED.format(noun="flow"), [sid])


def test_of_two_candidates_one_is_deleted_and_the_other_is_not_taken_for_ours(sandbox):
    ours, theirs = lose(sandbox), twin(sandbox)
    assert results() == []
    sandbox.remove_flow(ours)

    assert results() == []

    assert puzzle() == (
        unknown_outcomes.CANDIDATE_DELETED.format(noun="flow"),
        sorted([ours, theirs]),
    )


@pytest.mark.parametrize("is_deleted", [False, True], ids=["there", "deleted"])
def test_candidate_that_another_creation_has_been_given_is_no_puzzle_any_more(sandbox, is_deleted):
    """Reads from before it was one don't count: two new reads are needed."""
    lose(sandbox, FaultKind.DROP)
    lose(sandbox, FaultKind.DROP, values=OTHER)
    first, second = OpenChange.objects.order_by("attempt")
    assert results() == []
    theirs = twin(sandbox, friendly_name="Edited")
    assert results() == []
    reconcile.resolve_manually(change=second, applied=True, sid=theirs, reason="", actor=OMAR)
    if is_deleted:
        sandbox.remove_flow(theirs)

    with clock_ahead():
        assert results() == []
        assert puzzle() == ("", [])
    with clock_ahead(4):
        assert [event.change_id for event in reconcile.reconcile()] == [first.change_id]


def test_flow_that_was_changed_here_before_is_none_of_ours(sandbox):
    """A log that is older than the first baseline."""
    append_attempt(twin(sandbox), stage="outcome", result="succeeded", change_id=None)
    lose(sandbox, FaultKind.DROP)

    assert results() == []
    with clock_ahead():
        assert results() == ["not_applied"]


def test_secret_is_matched_by_its_mask(sandbox):
    values = {
        "integration_type": "external",
        "integration_url": SECRET_URL,
        "integration_flow_sid": None,
    }
    lose(sandbox, values=values)
    twin(sandbox, **{**values, "integration_url": SECRET_URL.replace("canary", "kestrel")})

    assert results() == ["applied"]

    assert SECRET not in dump_tables()


def test_two_lost_creations_each_find_their_own(sandbox):
    first, second = lose(sandbox), lose(sandbox, values=OTHER)

    sid_by_name = {event.payload.friendly_name: event.target_sid for event in reconcile.reconcile()}

    assert sid_by_name == {REQUESTED["friendly_name"]: first, OTHER["friendly_name"]: second}


def test_flow_that_another_creation_asked_for_is_no_candidate(sandbox):
    first = lose(sandbox)
    lose(sandbox, values=OTHER)
    sandbox.edit_flow(first, friendly_name="Edited")

    assert results() == ["applied"]

    assert puzzle() == (unknown_outcomes.PARTIAL_MATCH.format(noun="flow"), [first])


def test_flow_that_a_creation_made_which_is_on_record_is_no_candidate(sandbox):
    lose(sandbox, FaultKind.DROP)
    assert create_flow(values=OTHER).event.result == "succeeded"

    assert results() == []
    with clock_ahead():
        assert results() == ["not_applied"]


def test_flow_that_another_creation_is_just_making_is_no_candidate(sandbox):
    lose(sandbox, FaultKind.DROP)
    append_attempt(
        "",
        action="flow.create",
        payload=audit_log.Payload(requested={**REQUESTED, **OTHER}, **OTHER),
    )
    twin(sandbox, **OTHER)

    assert results() == []

    assert set(OpenChange.objects.values_list("ambiguity", flat=True)) == {""}


def test_creation_whose_process_died_is_found_out_once_it_is_no_longer_under_way(sandbox):
    append_attempt("", action="flow.create", payload=audit_log.Payload(requested=REQUESTED, **{
        name: REQUESTED[name] for name in ("friendly_name", "contact_identity")
    }))  # fmt: skip
    sid = twin(sandbox)

    assert results() == []
    with clock_ahead():
        assert [event.target_sid for event in reconcile.reconcile()] == [sid]


def test_without_twilio_nothing_is_found_out(sandbox):
    lose(sandbox, FaultKind.DROP)
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    with clock_ahead(), pytest.raises(FlexError):
        reconcile.reconcile()

    assert OpenChange.objects.get().not_applied_at is None


def test_list_is_read_once_for_all_creations_and_not_for_other_changes(sandbox, flow_sid):
    def lists():
        return len([request for request in sandbox.requests if request.path.endswith("/FlexFlows")])

    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    rename_flow(flow_sid)
    before = lists()
    assert results() == ["applied"]
    assert lists() == before
    lose(sandbox)
    lose(sandbox, values=OTHER)
    before = lists()

    assert results() == ["applied", "applied"]

    assert lists() == before + 1


@pytest.mark.parametrize("read", ["sync", "fetch"])
def test_what_may_be_ours_is_no_drift_and_not_in_the_copy_while_that_is_open(sandbox, read):
    sid = lose(sandbox)

    sync_account(ACCOUNT) if read == "sync" else mirror.fetch(sid, account_sid=ACCOUNT)

    assert drift_events() == []
    assert not Flow.objects.filter(sid=sid).exists()


@pytest.mark.parametrize("read", ["sync", "fetch"])
def test_what_was_not_ours_is_drift_afterwards(sandbox, read):
    lose(sandbox, FaultKind.DROP)
    theirs = twin(sandbox, friendly_name="Theirs")
    sync_account(ACCOUNT)
    assert results() == []
    assert puzzle() == (unknown_outcomes.PARTIAL_MATCH.format(noun="flow"), [theirs])
    change = OpenChange.objects.get()

    append_attempt(
        "",
        action="flow.create",
        stage="reconciled",
        result="not_applied",
        change_id=change.change_id,
    )
    sync_account(ACCOUNT) if read == "sync" else mirror.fetch(theirs, account_sid=ACCOUNT)

    assert [(event.target_sid, event.payload.before) for event in drift_events()] == [
        (theirs, None)
    ]
    assert Flow.objects.get(sid=theirs).friendly_name == "Theirs"


def test_flow_of_another_time_is_drift_though_a_creation_is_open(sandbox):
    lose(sandbox, FaultKind.DROP)
    at = datetime.now(UTC) - timedelta(hours=1)
    theirs = twin(sandbox, date_created=at.isoformat(timespec="seconds"))

    sync_account(ACCOUNT)

    assert [event.target_sid for event in drift_events()] == [theirs]


def test_edit_of_a_known_flow_is_drift_though_a_creation_is_open(sandbox, flow_sid):
    lose(sandbox)
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    sync_account(ACCOUNT)

    assert [event.target_sid for event in drift_events()] == [flow_sid]


@pytest.mark.parametrize("values", [
    {}, {"contact_identity": "+1"}, {"friendly_name": "Another name"},
], ids=["the same", "same name", "same identity"])  # fmt: skip
@pytest.mark.parametrize("fault", [FaultKind.APPLY_THEN_DROP, FaultKind.DROP], ids=str)
def test_like_creation_is_held_back_until_the_first_is_settled(sandbox, fault, values):
    lose(sandbox, fault)
    unknown, write_count = AuditEvent.objects.latest("seq"), len(received_writes(sandbox))

    with pytest.raises(ConcurrentChange) as raised:
        create_flow(values=values)

    assert raised.value.event == unknown
    assert len(received_writes(sandbox)) == write_count
    outcomes = results()
    with clock_ahead():
        outcomes += results()
    assert len(outcomes) == 1
    assert create_flow(values={**values, "enabled": False}).event.result == "succeeded"


def test_other_creation_is_not_held_back(sandbox):
    lose(sandbox)

    assert create_flow(values=OTHER).event.result == "succeeded"
    assert (
        create_flow(values={"friendly_name": "Third", "contact_identity": None}).event.result
        == "succeeded"
    )


def test_creation_without_name_or_identity_is_like_no_other(sandbox):
    append_attempt(
        "", action="flow.create", payload=audit_log.Payload(requested={"channel_type": "web"})
    )

    assert create_flow(values={"contact_identity": None}).event.result == "succeeded"


def test_changes_of_flows_are_not_held_back_by_a_creation(sandbox, flow_sid):
    lose(sandbox, values={"friendly_name": "Réclamations Lyon"})

    assert rename_flow(flow_sid).event.result == "succeeded"
    assert delete_flow(flow_sid, base={}).event.result == "succeeded"


@pytest.mark.django_db(transaction=True)
def test_like_creation_is_held_back_while_the_first_hangs(sandbox):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_HANG, method="POST"))
    first = BackgroundCall(create_flow)
    wait_for(lambda: applied_writes(sandbox))

    with pytest.raises(ConcurrentChange):
        create_flow()

    sandbox.release()
    assert first.outcome().event.result == "unknown"
    assert len(received_writes(sandbox)) == 1


@pytest.mark.django_db(transaction=True)
def test_eight_people_make_the_same_flow_at_once(sandbox):
    results = run_concurrently(*[create_flow] * 8)

    changes = [result for result in results if isinstance(result, Change)]
    assert changes
    assert all(isinstance(result, Change | ConcurrentChange) for result in results)
    assert len(changes) == len(received_writes(sandbox)) == len(sandbox.flows) - 1
    assert_chain_intact(2 * len(changes))
