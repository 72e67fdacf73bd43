"""Two flows with one identity: the address of one is never taken, or deleted, for the other."""

from datetime import timedelta

import pytest

from flows.migration import services
from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from tests import ACCOUNT
from tests.faults.acting import received_writes
from tests.faults.migrations import moving_clock
from tests.flows.migration.acting import prepared, reload, run_worker
from tests.flows.migration.world import SECRET, STUDIO, Kind

pytestmark = pytest.mark.django_db(transaction=True)


def prepare_twin(sandbox, actor, migration):
    """Prepare another flow with the identity of a migration's flow."""
    sid = sandbox.add_flow(
        friendly_name="Twin",
        channel_type="sms",
        contact_identity=migration.contact_identity,
        chat_service_sid="IS" + "1" * 32,
        enabled=True,
        **{**STUDIO, "integration_flow_sid": "FW" + "8" * 32},
    )
    mirror.fetch(sid, account_sid=ACCOUNT)
    twin = services.prepare(
        flow=Flow.objects.get(sid=sid), deployment_key="", reason="", actor=actor
    )
    run_worker()
    return reload(twin)


def test_address_of_another_migration_is_not_taken_over(sandbox, operator_actor):
    world, migration = prepared(sandbox, operator_actor)
    before = world.state(migration.flow_sid)

    twin = prepare_twin(sandbox, operator_actor, migration)

    assert twin.status == MigrationStatus.ROLLED_BACK
    assert "belongs to the migration of the flow “Flow 001”" in twin.problem
    assert world.state(migration.flow_sid) == before
    assert len(received_writes(sandbox)) == 1


def test_address_that_was_created_just_before_a_problem_is_not_taken_over(sandbox, operator_actor):
    _world, migration = prepared(sandbox, operator_actor)
    FlowMigration.objects.update(status=MigrationStatus.STUCK, address_sid="")

    twin = prepare_twin(sandbox, operator_actor, migration)

    assert twin.status == MigrationStatus.ROLLED_BACK
    assert "belongs to the migration" in twin.problem


def test_identity_is_free_after_the_rollback_of_the_other_flow(sandbox, operator_actor):
    _world, migration = prepared(sandbox, operator_actor)
    services.roll_back(migration=migration, reason="", actor=operator_actor)
    run_worker()

    assert prepare_twin(sandbox, operator_actor, migration).status == MigrationStatus.READY


@pytest.mark.parametrize("integration", ["studio", "secret webhook"])
def test_address_that_was_changed_is_not_deleted(sandbox, operator_actor, integration):
    world, migration = prepared(sandbox, operator_actor, Kind(integration=integration))
    store = sandbox.store_of(ADDRESS_CONFIGURATION)
    store.edit(migration.address_sid, {"friendly_name": "Ours now"})
    with moving_clock() as clock:
        clock.move(timedelta(minutes=2))  # Twilio can't show an older state after that
        services.roll_back(migration=migration, reason="", actor=operator_actor)
        run_worker()

    migration = reload(migration)
    assert migration.status == MigrationStatus.STUCK
    assert "Someone else changed Friendly name" in migration.problem
    assert world.state(migration.flow_sid)["address"]["friendly_name"] == "Ours now"
    assert SECRET not in migration.problem
