"""The background task that makes the steps of migrations, one number of an account at a time.

The audit log has the outcome of each step. A run makes the steps of one migration back to back and
enqueues the next run, so that a worker can shut down soon. Each run also enqueues a later one, which
takes over if the first dies. A lost answer is resolved by reading before anything else is sent.
"""

from __future__ import annotations

import contextlib
import logging
import uuid
from datetime import timedelta
from typing import Any, Final

from django.db.models import Case, F, QuerySet, Value, When
from django.utils import timezone
from django_tasks import task

from flows.audit.audit_log import NotRecorded
from flows.changes.reconcile import CONFIRMATION_DELAY
from flows.core import task_queue
from flows.core.database import close_lost_connection
from flows.migration import leases
from flows.migration.models import FlowMigration
from flows.migration.phases import LeaseLost, MigrationRun, WaitForOutcome
from flows.migration.progress import get_stuck
from flows.migration.status import RUNNING_STATUSES, MigrationStatus, TransitionNotAllowed

log = logging.getLogger(__name__)

# "Not applied" takes two reads of Twilio, this far apart.
WAIT_FOR_OUTCOME: Final = CONFIRMATION_DELAY + timedelta(seconds=1)
INTERNAL_ERROR: Final = "Internal error. The error has been logged. Contact your administrator."


@task()
def run_migrations(account_sid: str) -> None:
    """Make the steps of an account's next migration, unless another run holds the account's lease."""
    lease_id = uuid.uuid4()
    if next_migration(account_sid) is None:
        return
    # This later run takes over if this one dies, or the one that holds the lease.
    if not task_queue.is_waiting(run_migrations, account_sid):
        enqueue(account_sid, leases.LEASE_TIMEOUT + timedelta(seconds=5))
    if not leases.acquire_lease(account_sid, lease_id):
        return
    delay = _run_next(account_sid, lease_id)
    leases.release_lease(account_sid, lease_id)
    if next_migration(account_sid) is not None:
        enqueue(account_sid, delay)


def enqueue(account_sid: str, delay: timedelta | None = None) -> None:
    """Enqueue a run of the account's migrations, at once or later."""
    if delay:
        run_migrations.using(run_after=timezone.now() + delay).enqueue(account_sid)
    else:
        run_migrations.enqueue(account_sid)


def on_sync_ended(*, account_sid: str, **_signal: Any) -> None:
    """Receiver: enqueue an account with a running migration that no task would take up.

    A task can fail before its first line, such as when the database is locked.
    """
    try:
        is_stranded = (
            next_migration(account_sid) is not None
            and not leases.is_held(account_sid)
            and not task_queue.is_waiting(run_migrations, account_sid)
        )
        if is_stranded:
            enqueue(account_sid)
    except Exception as error:  # noqa: BLE001 - the sync has ended all the same
        close_lost_connection()
        log.error("migrations of %s were not enqueued: %s", account_sid, type(error).__name__)


def requeue_all() -> int:
    """Enqueue every account with a running migration at once and return their number.

    Only safe where no other process can be running one.
    """
    running = FlowMigration.objects.filter(status__in=RUNNING_STATUSES)
    account_sids = set(running.values_list("account_sid", flat=True))
    for account_sid in account_sids:
        leases.expire(account_sid)
        enqueue(account_sid)
    return len(account_sids)


def next_migration(account_sid: str) -> FlowMigration | None:
    """Return the migration whose steps come next.

    That is the one that a worker has begun. Otherwise rollbacks come before all that is new.
    """
    return waiting_migrations(account_sid).first()


def waiting_migrations(account_sid: str) -> QuerySet[FlowMigration]:
    """Return the running migrations of an account in the order in which they are made."""
    is_rollback = Case(When(status=MigrationStatus.ROLLING_BACK, then=Value(0)), default=Value(1))
    running = FlowMigration.objects.filter(account_sid=account_sid, status__in=RUNNING_STATUSES)
    return running.order_by(
        F("begun_at").asc(nulls_last=True), is_rollback, "requested_at", "created_at"
    )


def _run_next(account_sid: str, lease_id: uuid.UUID) -> timedelta | None:
    """Make the steps of the next migration. Return how long the next run has to wait, or None."""
    migration = next_migration(account_sid)
    if migration is None:
        return None
    failure = ""
    try:
        MigrationRun(migration, lease_id).run()
    except WaitForOutcome:
        return WAIT_FOR_OUTCOME
    except (LeaseLost, TransitionNotAllowed):  # another run or a user was faster
        return None
    except NotRecorded:  # nothing was sent, and nothing can be until the log can be written
        return WAIT_FOR_OUTCOME
    except Exception as error:  # noqa: BLE001 - else it would be tried forever
        failure = type(error).__name__
    if failure:
        # Only the error's type: its message can quote values of the flow.
        log.error("migration %s failed with an internal error: %s", migration.pk, failure)
        with contextlib.suppress(TransitionNotAllowed, NotRecorded):
            get_stuck(migration, INTERNAL_ERROR)
    return None
