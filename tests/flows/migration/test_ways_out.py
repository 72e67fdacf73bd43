"""Ways out for a stuck migration: objects that are gone at Twilio, and an end by hand."""

from datetime import timedelta

import pytest

from flows.audit.models import AuditEvent
from flows.migration import erasing, services
from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from flows.migration.unserved_numbers import find_needy
from flows.mirror.models import Flow
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import received_writes
from tests.faults.migrations import moving_clock
from tests.flows.migration.acting import prepared, reload, run_worker, switched
from tests.flows.migration.world import Kind

pytestmark = pytest.mark.django_db(transaction=True)


def roll_back(migration, actor):
    services.roll_back(migration=migration, reason="", actor=actor)
    run_worker()
    return reload(migration)


@pytest.mark.parametrize("address", ["none", "studio"])
@pytest.mark.parametrize("begin", [prepared, switched])
def test_rollback_goes_on_without_an_address_that_is_gone(sandbox, operator_actor, begin, address):
    kind = Kind(number="in a service", address=address)
    world, migration = begin(sandbox, operator_actor, kind)
    sandbox.store_of(ADDRESS_CONFIGURATION).delete(migration.address_sid)

    with moving_clock() as clock:
        clock.move(timedelta(minutes=2))  # Twilio can't show an older state after that
        migration = roll_back(migration, operator_actor)

    assert (migration.status, migration.problem) == (MigrationStatus.ROLLED_BACK, "")
    state = world.state(migration.flow_sid)
    assert state["flow"]["enabled"] is True
    assert len(state["services"]) == 1
    notes = set(migration.steps.exclude(skip_reason="").values_list("skip_reason", flat=True))
    assert notes == {"It was deleted already."}


def test_address_that_twilio_does_not_show_yet_is_not_taken_for_gone(sandbox, operator_actor):
    """A 404 less than a minute after a confirmed change can be an older state."""
    _world, migration = switched(sandbox, operator_actor)
    sandbox.store_of(ADDRESS_CONFIGURATION).delete(migration.address_sid)

    services.roll_back(migration=migration, reason="", actor=operator_actor)
    run_worker()

    assert reload(migration).status == MigrationStatus.ROLLING_BACK  # it reads again in a minute
    assert not migration.steps.filter(skip_reason="It was deleted already.")


def test_address_of_a_preparation_that_got_stuck_is_deleted(sandbox, operator_actor):
    world, migration = prepared(sandbox, operator_actor)
    FlowMigration.objects.update(
        status=MigrationStatus.STUCK, interrupted_status="preparing", address_sid=""
    )

    migration = roll_back(migration, operator_actor)

    assert (migration.status, migration.problem) == (MigrationStatus.ROLLED_BACK, "")
    assert world.state(migration.flow_sid)["address"] is None
    assert len(received_writes(sandbox)) == 2


def close(client, migration, reason="Set the number up in the Console"):
    return client.post(f"/migration/{migration.flow_sid}/close/", {"reason": reason})


@pytest.fixture
def stuck(sandbox, operator_actor):
    """A migration whose number was released in the middle of its rollback."""
    _world, migration = switched(sandbox, operator_actor)
    FlowMigration.objects.filter(pk=migration.pk).update(
        status=MigrationStatus.STUCK,
        interrupted_status=MigrationStatus.ROLLING_BACK,
        problem="The number was released.",
    )
    return reload(migration)


def test_migration_of_a_released_number_is_closed_by_hand(sandbox, stuck, client_of):
    client = client_of("operator")
    sent = len(received_writes(sandbox))
    page = client.get(f"/migration/{stuck.flow_sid}/steps/").content.decode()
    assert "Close: done by hand" in page
    assert "Nothing is sent to Twilio" in page

    assert close(client, stuck).status_code == 302
    run_worker()

    closed = reload(stuck)
    assert closed.status == MigrationStatus.ROLLED_BACK
    assert closed.problem.startswith("A user finished this migration by hand")
    assert len(received_writes(sandbox)) == sent
    event = AuditEvent.objects.get(action="migration.close")
    assert event.reason == "Set the number up in the Console"
    page = client.get(f"/migration/{stuck.flow_sid}/steps/").content.decode()
    assert "known here who answers" in page
    assert "Finished by hand" in page
    assert "Customers are unserved" not in page
    assert find_needy(None) == []


def test_closing_takes_a_reason(stuck, client_of):
    response = close(client_of("operator"), stuck, reason="")

    assert response.status_code == 422
    assert "Say what you did by hand." in response.content.decode()
    assert reload(stuck).status == MigrationStatus.STUCK


def test_only_a_stuck_migration_is_closed(sandbox, operator_actor, client_of):
    _world, migration = prepared(sandbox, operator_actor)

    assert close(client_of("operator"), migration).status_code == 409

    assert reload(migration).status == MigrationStatus.READY


def test_erased_migration_is_closed_and_the_flow_prepared_again(sandbox, operator_actor, client_of):
    _world, migration = prepared(sandbox, operator_actor)
    erasing.erase([migration.pk])
    page = client_of("operator").get(f"/migration/{migration.flow_sid}/steps/").content.decode()
    assert "Close: done by hand" in page

    assert close(client_of("operator"), migration).status_code == 302

    assert reload(migration).status == MigrationStatus.ROLLED_BACK
    flow = Flow.objects.get(sid=migration.flow_sid)
    services.prepare(flow=flow, deployment_key="", reason="", actor=operator_actor)
    run_worker()
    assert services.latest_migration(flow.sid).status == MigrationStatus.READY


def test_step_with_an_unknown_outcome_does_not_keep_a_migration_open(
    sandbox, operator_actor, client_of
):
    _world, migration = prepared(sandbox, operator_actor)
    services.switch(migration=migration, reason="", actor=operator_actor)
    sandbox.inject(Fault(FaultKind.DROP, method="POST", path="/FlexFlows/*"))
    run_worker()
    FlowMigration.objects.update(status=MigrationStatus.STUCK, interrupted_status="switching")

    assert close(client_of("operator"), migration).status_code == 302

    assert reload(migration).status == MigrationStatus.ROLLED_BACK
