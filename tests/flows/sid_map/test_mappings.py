"""The map of SIDs between two accounts, and its record in the audit log."""

import pytest

from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.availability.restrictions import OperationUnavailable
from flows.sid_map.fields import PREFIX_BY_FIELD, account_sids_of
from flows.sid_map.mappings import Direction, change_map, load_map, load_pairs
from tests import ACCOUNT

pytestmark = pytest.mark.django_db
FIRST, SECOND, THIRD, FOURTH = ("FW" + digit * 32 for digit in "1234")


@pytest.fixture
def there(staging):
    return Direction(ACCOUNT, staging.account_sid)


def test_each_change_is_recorded_with_the_counterpart_before_and_after(there, actor):
    change_map(there, {FIRST: SECOND}, actor)
    change_map(there, {FIRST: THIRD}, actor)
    change_map(there, {FIRST: THIRD}, actor)  # no change, no event
    change_map(there, {FIRST: ""}, actor)

    events = AuditEvent.objects.filter(action="sid_map.change").order_by("seq")
    recorded = [
        (event.payload.before[FIRST], event.payload.after[FIRST], event.account_sid)
        for event in events
    ]
    target = there.target
    assert recorded == [(None, SECOND, target), (SECOND, THIRD, target), (THIRD, None, target)]
    assert {event.actor_label for event in events} == {"omar"}
    assert load_map(there) == {}


def test_directions_are_apart_and_pairs_have_both(there, actor):
    change_map(there, {FIRST: SECOND}, actor)
    change_map(there.reverse, {THIRD: FOURTH}, actor)

    assert load_map(there) == {FIRST: SECOND}
    assert load_map(there.reverse) == {THIRD: FOURTH}
    assert load_pairs(ACCOUNT, there.target) == {(FIRST, SECOND), (FOURTH, THIRD)}
    assert load_pairs(there.target, ACCOUNT) == {(SECOND, FIRST), (THIRD, FOURTH)}


def test_other_direction_counts_only_for_sids_that_the_map_lacks(there, actor):
    """Otherwise an outdated answer would hide a difference."""
    change_map(there.reverse, {THIRD: FIRST}, actor)
    change_map(there, {FIRST: SECOND}, actor)

    assert load_pairs(ACCOUNT, there.target) == {(FIRST, SECOND)}


def test_other_direction_counts_only_if_it_is_clear(there, actor):
    change_map(there.reverse, {SECOND: FIRST, THIRD: FIRST}, actor)

    assert load_pairs(ACCOUNT, there.target) == frozenset()


def test_read_only_target_refuses_on_record(there, actor):
    restrictions.set_read_only(account_sid=there.target, reason="", actor=actor)

    with pytest.raises(OperationUnavailable):
        change_map(there, {FIRST: SECOND}, actor)

    assert load_map(there) == {}
    event = AuditEvent.objects.get(action="sid_map.change")
    assert (event.result, event.payload.requested) == ("denied", {FIRST: SECOND})


def test_sids_of_a_flow_are_those_that_its_type_uses():
    flow = {
        "chat_service_sid": "IS" + "1" * 32,
        "integration_type": "task",
        "integration_flow_sid": FIRST,
        "integration_workspace_sid": "WS" + "1" * 32,
        "integration_workflow_sid": "not a SID",
        "integration_channel": "TC" + "1" * 32,
    }

    assert account_sids_of(flow) == {
        "chat_service_sid": "IS" + "1" * 32,
        "integration_workspace_sid": "WS" + "1" * 32,
        "integration_channel": "TC" + "1" * 32,
    }
    assert account_sids_of(flow | {"integration_channel": "sms"}).keys() == {
        "chat_service_sid",
        "integration_workspace_sid",
    }
    assert set(PREFIX_BY_FIELD.values()) == {"IS", "FW", "WS", "WW", "TC"}
