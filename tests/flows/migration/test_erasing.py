"""An erasure of personal data empties migrations, and ends what could no longer be put back."""

import io

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from flows.erasure.compaction import PERSONAL_DATA_TABLES
from flows.migration import services
from flows.migration.erasing import DATA_ERASED
from flows.migration.models import FlowMigration
from flows.migration.services import NotPossible
from flows.migration.status import MigrationStatus
from tests.faults.acting import dump_tables, received_writes
from tests.flows.migration.acting import prepared, reload, run_worker

pytestmark = pytest.mark.django_db(transaction=True)


def erase(identity):
    with pytest.raises(CommandError, match=r"^Twilio still has"):
        call_command(
            "erase_personal_data",
            "--identity",
            identity,
            stdout=io.StringIO(),
            stderr=io.StringIO(),
        )


def test_erasure_leaves_nothing_of_a_migration(sandbox, operator_actor, client_of):
    _world, migration = prepared(sandbox, operator_actor)
    identity = migration.contact_identity
    assert identity in dump_tables()
    erase(identity)

    migration = reload(migration)
    assert (migration.contact_identity, migration.friendly_name, migration.reason) == ("", "", "")
    assert (migration.status, migration.problem) == (MigrationStatus.STUCK, DATA_ERASED)
    assert not any(step.before or step.requested for step in migration.steps.all())
    assert identity not in dump_tables()
    with pytest.raises(NotPossible, match="was erased"):
        services.roll_back(migration=migration, reason="", actor=operator_actor)
    run_worker()
    assert len(received_writes(sandbox)) == 1
    page = client_of("operator").get(f"/migration/{migration.flow_sid}/steps/")
    assert "Try again" not in page.content.decode()


def test_erasure_waits_for_a_migration_in_the_middle_of_its_steps(sandbox, operator_actor):
    _world, migration = prepared(sandbox, operator_actor)
    identity = migration.contact_identity
    begun = FlowMigration.objects.filter(pk=migration.pk)
    begun.update(status=MigrationStatus.SWITCHING, begun_at=timezone.now())

    for option in ((), ("--despite-open-change", "--reason", "x")):
        with pytest.raises(CommandError):
            call_command("erase_personal_data", "--identity", identity, *option)
    assert reload(migration).contact_identity == identity

    begun.update(begun_at=None)
    erase(identity)
    assert reload(migration).contact_identity == ""


def test_tables_of_migrations_are_compacted():
    assert {"flows_flowmigration", "flows_migrationstep"} <= set(PERSONAL_DATA_TABLES)
