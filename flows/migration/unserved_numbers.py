"""The migrations that leave customers unserved, or that don't go on without a user."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from flows.migration.step_states import load_states, load_steps
from flows.migration.unserved import Handler, find_handler

MAX_MIGRATIONS: Final = 20
# A switch-over that takes longer waits for an answer, or its worker died.
OVERDUE_AFTER: Final = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class NeedyMigration:
    """A migration that needs a user, or that takes too long, and who answers its customers."""

    migration: FlowMigration
    handler: Handler

    @property
    def is_stuck(self) -> bool:
        return self.migration.status == MigrationStatus.STUCK

    @property
    def is_unserved(self) -> bool:
        return self.handler in (Handler.NONE, Handler.UNKNOWN)


def find_needy(scope: twilio_accounts.Scope) -> list[NeedyMigration]:
    """Return these accounts' migrations of that kind, the latest ones of very many."""
    is_overdue = Q(
        status__in=(MigrationStatus.SWITCHING, MigrationStatus.ROLLING_BACK),
        begun_at__lt=timezone.now() - OVERDUE_AFTER,
    )
    needy = FlowMigration.objects.filter(is_overdue | Q(status=MigrationStatus.STUCK))
    rows = list(twilio_accounts.filter_scope(needy, scope)[:MAX_MIGRATIONS])
    migrations = [NeedyMigration(row, find_handler(load_states(load_steps(row)))) for row in rows]
    return [each for each in migrations if each.is_stuck or each.is_unserved]
