"""Who answers, for how long no one does at most, and how the overview says so."""

from datetime import timedelta

import pytest
from django.utils import timezone

from flows.migration import services
from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.step_kinds import SWITCHING_KINDS, StepKind
from flows.migration.step_states import StepState
from flows.migration.unserved import (
    Handler,
    describe_seconds,
    find_handler,
    longest_unserved_seconds,
)
from flows.migration.unserved_numbers import find_needy
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.flows.migration.acting import prepared, reload, run_worker


def step(kind, **values):
    return MigrationStep(kind=kind, pk=list(StepKind).index(kind) + 1, **values)


@pytest.mark.parametrize(
    ("states", "handler"),
    [
        ({}, Handler.FLOW),
        ({StepKind.DETACH_NUMBER: StepState.DONE}, Handler.NONE),
        ({StepKind.LEAVE_SERVICE: StepState.DONE}, Handler.NONE),
        ({StepKind.TURN_OFF_FLOW: StepState.DONE}, Handler.NONE),
        ({StepKind.TURN_OFF_FLOW: StepState.UNKNOWN}, Handler.UNKNOWN),
        ({StepKind.TURN_OFF_FLOW: StepState.REVERSED}, Handler.FLOW),
        (dict.fromkeys(SWITCHING_KINDS, StepState.DONE), Handler.ADDRESS),
        ({StepKind.CREATE_ADDRESS: StepState.UNKNOWN}, Handler.FLOW),
    ],
)
def test_handler_follows_from_the_steps(states, handler):
    assert find_handler({step(kind): state for kind, state in states.items()}) == handler


@pytest.mark.parametrize(("calls", "seconds"), [(0, 0), (2, 45), (3, 75), (4, 105)])
def test_each_call_but_the_first_follows_a_read(calls, seconds):
    assert longest_unserved_seconds(map(step, SWITCHING_KINDS[:calls])) == seconds


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(1, "1 second"), (45, "45 seconds"), (60, "1 minute"), (105, "1 minute 45 seconds")],
)
def test_seconds_are_told_in_words(seconds, text):
    assert describe_seconds(seconds) == text


@pytest.mark.django_db(transaction=True)
def test_stuck_number_is_on_the_overview(sandbox, operator_actor, client_of):
    _world, migration = prepared(sandbox, operator_actor)
    services.switch(migration=migration, reason="", actor=operator_actor)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", path="/FlexFlows/*"))
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", path="*/PhoneNumbers"))
    run_worker()

    assert reload(migration).status == "stuck"
    page = client_of("viewer").get("/").content.decode()
    assert f"Customers are unserved: {migration.contact_identity}" in page
    assert f"/migration/{migration.flow_sid}/steps/" in page
    assert find_needy(frozenset()) == []


@pytest.mark.django_db(transaction=True)
def test_switch_over_that_takes_too_long_is_on_the_overview(sandbox, operator_actor):
    _world, migration = prepared(sandbox, operator_actor)
    services.switch(migration=migration, reason="", actor=operator_actor)
    sandbox.inject(Fault(FaultKind.DROP, method="POST", path="/FlexFlows/*"))
    run_worker()

    assert reload(migration).status == "switching"
    assert find_needy(None) == []
    FlowMigration.objects.update(begun_at=timezone.now() - timedelta(minutes=3))
    (needy,) = find_needy(None)
    assert (needy.handler, needy.is_stuck) == (Handler.UNKNOWN, False)
    assert "nothing else is sent" in needy.migration.problem
