"""Erasure of the personal data that migrations hold: names, identities, reasons and old values."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, Final

from django.utils import timezone

from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.status import ENDED_STATUSES, RUNNING_STATUSES, MigrationStatus

DATA_ERASED: Final = (
    "The personal data of this migration was erased, so no earlier value can be put back from here. "
    "Do what is left in the Twilio Console."
)


def contents_of(migration: FlowMigration) -> list[Any]:
    """Return the values that can hold personal data. One erased before has none."""
    return [
        migration.friendly_name,
        migration.contact_identity,
        migration.reason,
        *([] if migration.erased_at else [migration.problem]),
        *_step_values(migration.steps.iterator()),
    ]


def find_begun(migrations: Collection[Any]) -> list[Any]:
    """Return the keys of those migrations whose steps a worker is making."""
    begun_migrations = FlowMigration.objects.filter(status__in=RUNNING_STATUSES).exclude(
        begun_at=None
    )
    return list(begun_migrations.filter(pk__in=migrations).values_list("pk", flat=True))


def erase(migrations: Collection[Any]) -> None:
    """Empty the migrations with these keys. One that hasn't ended can't go on after that."""
    rows = FlowMigration.objects.filter(pk__in=migrations)
    steps = MigrationStep.objects.filter(migration__in=migrations)
    steps.filter(done_at=None).update(done_at=timezone.now())
    steps.update(before={}, requested={})
    rows.exclude(status__in=ENDED_STATUSES).update(
        status=MigrationStatus.STUCK, problem=DATA_ERASED, begun_at=None
    )
    rows.filter(status__in=ENDED_STATUSES).update(problem="")
    rows.update(
        friendly_name="",
        contact_identity="",
        deployment_key="",
        reason="",
        erased_at=timezone.now(),
    )


def _step_values(steps: Iterator[MigrationStep]) -> Iterator[Any]:
    for step in steps:
        yield step.before
        yield step.requested
