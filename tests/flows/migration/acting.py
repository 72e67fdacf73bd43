"""Migrations for tests: prepared, switched over and taken on by a worker."""

from django.core.management import call_command
from django_tasks_db.models import DBTaskResult

from flows.migration import services
from flows.migration.models import FlowMigration
from flows.mirror.models import Flow
from tests.flows.migration.world import Kind, World

PLAIN = Kind(number="in a service")


def run_worker():
    """Run the worker until no task is ready."""
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    failed = DBTaskResult.objects.filter(status="FAILED").first()
    assert failed is None, failed.traceback


def start(sandbox, actor, kind=PLAIN, *, world=None):
    """Start the preparation of a new flow's migration. Return the world and the migration."""
    world = world or World(sandbox)
    sid = world.add(kind)
    migration = services.prepare(
        flow=Flow.objects.get(sid=sid),
        deployment_key=world.deployment_key(kind),
        reason="end of Flex Flows",
        actor=actor,
    )
    return world, migration


def prepared(sandbox, actor, kind=PLAIN, *, world=None):
    world, migration = start(sandbox, actor, kind, world=world)
    run_worker()
    return world, reload(migration)


def switched(sandbox, actor, kind=PLAIN, *, world=None):
    world, migration = prepared(sandbox, actor, kind, world=world)
    services.switch(migration=migration, reason="tonight", actor=actor)
    run_worker()
    return world, reload(migration)


def reload(migration):
    return FlowMigration.objects.get(pk=migration.pk)
