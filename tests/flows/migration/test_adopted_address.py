"""An address that exists before a migration: changed for it, and restored by its rollback."""

import pytest

from flows.migration import execution, services
from flows.mirror.models import Flow
from tests import ACCOUNT
from tests.flows.migration.world import Kind, World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("integration", ["studio", "webhook"])
@pytest.mark.parametrize("address", ["studio", "webhook", "default"])
def test_rollback_restores_an_adopted_address(sandbox, operator_actor, integration, address):
    world = World(sandbox)
    sid = world.add(Kind(integration=integration, address=address))
    before = world.state(sid)
    migration = services.prepare(
        flow=Flow.objects.get(sid=sid), deployment_key="", reason="", actor=operator_actor
    )
    execution.run_migrations.func(ACCOUNT)
    migration.refresh_from_db()
    assert (migration.status, migration.problem) == ("ready", "")
    assert world.state(sid)["address"]["friendly_name"] == "Flow 001"

    services.roll_back(migration=migration, reason="", actor=operator_actor)
    execution.run_migrations.func(ACCOUNT)

    migration.refresh_from_db()
    assert (migration.status, migration.problem) == ("rolled_back", "")
    assert world.state(sid) == before
