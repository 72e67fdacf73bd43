"""When an account is checked: after a sync, a refresh of names or a change, by a background task.

What changes an account only notes that and queues a task, so that no sync and no change waits for
the rules. One task waits for each account at most, and one check of an account runs at a time. If
no worker takes the task, the next sync makes the check itself.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django_tasks import task

from flows.checks import stored_findings
from flows.checks.models import CheckedAccount
from flows.core.database import close_lost_connection, short_lock_timeout

log = logging.getLogger(__name__)

EVALUATION_LEASE: Final = timedelta(minutes=2)  # a check that has run for longer is taken for dead
WORKER_PATIENCE: Final = timedelta(minutes=1)  # a task that has waited for longer has no worker
TASK_PATIENCE: Final = timedelta(minutes=10)
_IS_STALE: Final = Q(checked_changes__lt=F("changes"))


def request_evaluation(account_sid: str) -> None:
    """Note that an account has changed, and queue its check unless one waits."""
    CheckedAccount.objects.get_or_create(account_sid=account_sid)
    account = CheckedAccount.objects.filter(account_sid=account_sid)
    with transaction.atomic():
        account.update(changes=F("changes") + 1)
        at = timezone.now()
        # A task that waits for so long is lost, such as with a queue that was emptied.
        is_waiting = Q(queued_at__gte=at - TASK_PATIENCE)
        if account.filter(~is_waiting | Q(queued_at=None)).update(queued_at=at):
            run_evaluation.enqueue(account_sid)


@task()
def run_evaluation(account_sid: str) -> None:
    """Check an account, unless it hasn't changed since its last check or one is running."""
    CheckedAccount.objects.filter(account_sid=account_sid).update(queued_at=None)
    evaluate(account_sid)


def evaluate(account_sid: str) -> bool:
    """Check an account that has changed since its last check. Return False if that failed.

    Failures are logged, and stored for the pages.
    """
    account = _claim(account_sid)
    if account is None:
        return True
    own = CheckedAccount.objects.filter(pk=account.pk, started_at=account.started_at)
    try:
        stored_findings.update(account)
    except stored_findings.EvaluationOutdated:
        own.update(started_at=None)
    except Exception as error:  # noqa: BLE001 - the next sync tries again
        close_lost_connection()
        # Only the type: a database's message can quote the row.
        log.error("The checks of %s could not be stored: %s", account_sid, type(error).__name__)
        own.update(started_at=None, failed_at=timezone.now())
        return False
    if _changed_meanwhile(account_sid):
        request_evaluation(account_sid)
    return True


def on_account_updated(*, account_sid: str, **_signal: Any) -> None:
    """Receiver: request a check. Errors are logged, because the next sync requests it again."""
    try:
        with short_lock_timeout():
            request_evaluation(account_sid)
    except Exception as error:  # noqa: BLE001 - what was changed is changed all the same
        close_lost_connection()
        log.error("No check of %s could be requested: %s", account_sid, type(error).__name__)


def on_sync_ended(*, account_sid: str, **_signal: Any) -> None:
    """Receiver: check an account whose task no worker takes, and request the first check."""
    try:
        account = CheckedAccount.objects.filter(account_sid=account_sid).first()
        if account is None:
            on_account_updated(account_sid=account_sid)
        elif _needs_worker(account, timezone.now()):
            evaluate(account_sid)
    except Exception as error:  # noqa: BLE001 - the sync has ended all the same
        close_lost_connection()
        log.error("%s could not be checked: %s", account_sid, type(error).__name__)


def _needs_worker(account: CheckedAccount, at: datetime) -> bool:
    """Return True for an account that waits for its check although a worker could have made it."""
    if account.checked_changes >= account.changes:
        return False
    if account.failed_at is not None and account.failed_at > at - WORKER_PATIENCE:
        return False
    return account.queued_at is None or account.queued_at < at - WORKER_PATIENCE


def _claim(account_sid: str) -> CheckedAccount | None:
    """Start a check and return its row, or None if none is needed or one is running."""
    at = timezone.now()
    is_free = Q(started_at=None) | Q(started_at__lt=at - EVALUATION_LEASE)
    own = CheckedAccount.objects.filter(account_sid=account_sid)
    if not own.filter(_IS_STALE).filter(is_free).update(started_at=at):
        return None
    return own.get()


def _changed_meanwhile(account_sid: str) -> bool:
    """Return True if an account changed while it was checked, and no task waits."""
    waiting = CheckedAccount.objects.filter(account_sid=account_sid, queued_at=None)
    return waiting.filter(_IS_STALE).exists()
