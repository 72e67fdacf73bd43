"""Steps that can't wait, because customers may be unserved until they are made."""

from __future__ import annotations

import uuid
from typing import Final

from django.db.models import QuerySet

from flows.changes.change_guard import ProposedChange
from flows.migration.models import MigrationStep
from flows.migration.status import MigrationStatus
from flows.migration.step_kinds import StepKind

# After the first of them, something else than before answers, or nothing does.
_SWITCH_KINDS: Final = (
    StepKind.DETACH_NUMBER,
    StepKind.LEAVE_SERVICE,
    StepKind.TURN_OFF_FLOW,
    StepKind.TURN_ON_ADDRESS,
)


def step_owner(change_id: uuid.UUID) -> QuerySet[MigrationStep, uuid.UUID]:
    """Find the migration of a step (`flows.audit.reserved_ids`)."""
    steps = MigrationStep.objects.filter(change_id=change_id).order_by()
    return steps.values_list("migration", flat=True)


def must_go_on(change: ProposedChange) -> bool:
    """Return True for a step of a rollback, or of a switch-over of which a step was made already.

    Only the migration itself makes its steps: it is the `request_id` of the change.
    """
    steps = MigrationStep.objects.select_related("migration").filter(change_id=change.change_id)
    step = steps.first()
    if step is None or str(step.migration.pk) != change.actor.request_id:
        return False
    migration = step.migration
    if step.reverses_id is not None or migration.status == MigrationStatus.ROLLING_BACK:
        return True
    if migration.status != MigrationStatus.SWITCHING:
        return False
    return migration.steps.filter(kind__in=_SWITCH_KINDS, done_at__isnull=False).exists()
