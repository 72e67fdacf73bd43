"""What is known of a flow at a moment where the log alone can't tell all of it."""

from datetime import UTC, datetime, timedelta
from unittest import mock

import pytest

from flows.audit.models import AuditEvent, AuditPayload
from flows.changes import flow_changes
from flows.erasure import erasure
from flows.history.known_states import DELETED, EXISTS, NOT_KNOWN_YET, UNREADABLE, states_at
from flows.history.moments import LogPosition, find_position
from flows.history.open_changes import creations_open_at
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import append_attempt, change_arguments, create_flow, rename_flow

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=3)  # no read is taken for a stale one


def now():
    """Return the position of the log's end."""
    event = AuditEvent.objects.latest("seq")
    return LogPosition(event.at, event.seq)


@pytest.fixture
def later():
    """Return a function that sets the clock some minutes ahead, further each time."""
    start = datetime.now(UTC)
    with mock.patch("django.utils.timezone.now", return_value=start) as clock:

        def go_on():
            clock.return_value += LATER
            return clock.return_value

        yield go_on


def test_change_elsewhere_makes_the_time_before_its_reading_uncertain(sandbox, flow_sid, later):
    before = find_position(later())
    sandbox.edit_flow(flow_sid, friendly_name="Elsewhere")
    later()
    sync_account(ACCOUNT)

    state = states_at(before)[flow_sid]

    assert (state.kind, state.name, state.is_uncertain) == (EXISTS, "Réclamations Lyon", True)
    assert state.later.event_id == AuditEvent.objects.latest("seq").event_id
    assert not states_at(now())[flow_sid].is_uncertain


def test_deletion_elsewhere_is_one_that_was_read_later(sandbox, flow_sid, later):
    before = find_position(later())
    sandbox.remove_flow(flow_sid)
    later()
    sync_account(ACCOUNT)

    assert states_at(before)[flow_sid].later.is_deletion
    assert states_at(now())[flow_sid].kind == DELETED


def test_flow_that_was_recorded_later_existed_if_twilio_says_so(sandbox, flow_sid):
    event = AuditEvent.objects.latest("seq")
    early = LogPosition(event.at + timedelta(days=1), 0)
    before_its_creation = LogPosition(event.at - timedelta(days=1), 0)

    assert states_at(early)[flow_sid].kind == NOT_KNOWN_YET
    assert states_at(early)[flow_sid].existed_unrecorded
    assert not states_at(before_its_creation)[flow_sid].is_uncertain


def test_lost_update_is_open_until_its_outcome_is_known(sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.DROP, method="POST"))
    rename_flow(flow_sid)
    unknown = now()
    attempt = AuditEvent.objects.get(stage="attempt")

    state = states_at(unknown)[flow_sid]

    assert (state.name, state.is_uncertain) == ("Réclamations Lyon", True)
    assert (state.open_change.event_id, state.open_change.result) == (attempt.event_id, "")

    append_attempt(flow_sid, stage="reconciled", result="not_applied", change_id=attempt.change_id)
    assert states_at(unknown)[flow_sid].open_change.result == "not_applied"
    assert states_at(now())[flow_sid].open_change is None


def test_conflict_between_does_not_end_an_open_change(sandbox, flow_sid):
    append_attempt(flow_sid)
    append_attempt(flow_sid, stage="outcome", result="conflict")

    assert states_at(now())[flow_sid].open_change is not None


def test_lost_creation_may_have_made_a_flow(sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    create_flow()
    attempt = AuditEvent.objects.get(stage="attempt")

    creations = creations_open_at(now(), None)

    assert [one.event_id for one in creations[ACCOUNT]] == [attempt.event_id]
    assert creations_open_at(LogPosition(attempt.at, attempt.seq - 1), None) == {}
    assert creations_open_at(now(), frozenset({"AC" + "7" * 32})) == {}


def test_erased_state_is_not_known_and_has_no_name(sandbox, flow_sid, actor):
    rename_flow(flow_sid)
    renamed = now()
    erasure.erase(sid=flow_sid, actor=actor)

    state = states_at(renamed)[flow_sid]

    assert (state.kind, state.is_erased, state.name, dict(state.values)) == (
        UNREADABLE,
        True,
        "",
        {},
    )
    assert state.label == flow_sid


def test_erased_deletion_is_still_a_deletion(sandbox, flow_sid, actor):
    base = sandbox.flows[flow_sid]
    flow_changes.delete_flow(
        sid=flow_sid,
        base={"friendly_name": base["friendly_name"]},
        **change_arguments(),
    )
    deleted = now()
    erasure.erase(sid=flow_sid, actor=actor)

    assert states_at(deleted)[flow_sid].kind == DELETED


def test_event_without_a_payload_tells_no_state(sandbox, flow_sid):
    AuditPayload.objects.all().delete()

    assert states_at(now())[flow_sid].kind == UNREADABLE


def test_only_flows_of_these_accounts_are_returned(sandbox, staging, flow_sid):
    other_sid = staging.add_flow(friendly_name="Try line")
    sync_account(staging.account_sid)

    assert states_at(now()).keys() == {flow_sid, other_sid}
    assert states_at(now(), frozenset({staging.account_sid})).keys() == {other_sid}
    assert states_at(now(), frozenset({staging.account_sid}), [flow_sid]) == {}


def test_number_of_queries_does_not_grow_with_the_flows(
    sandbox, flow_sid, django_assert_num_queries
):
    for number in range(30):
        sandbox.add_flow(friendly_name=f"Flow {number}")
    sync_account(ACCOUNT)
    position = now()

    with django_assert_num_queries(2):
        assert len(states_at(position)) == 31
