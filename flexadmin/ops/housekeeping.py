"""Removal of expired sessions, sign-in attempts, cached values, finished background tasks,
old notifications and the digests of old API requests.

It runs once a day for all processes together, during a sign-in.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Any, Final

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import Error, connection
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from flexadmin.models import SignInTry
from flows.audit import keyed_requests
from flows.notifications.models import Message

CACHE_KEY: Final = "flexadmin.housekeeping"
RUN_INTERVAL: Final = 24 * 60 * 60  # seconds
CONTINUE_INTERVAL: Final = 60  # seconds until the next batch, if one was not enough
BATCH_SIZE: Final = 2_000  # rows of a table per run: a user is waiting to sign in
ATTEMPT_RETENTION: Final = timedelta(days=1)
TASK_RETENTION: Final = timedelta(days=30)
MESSAGE_RETENTION: Final = timedelta(days=30)


def run_if_due() -> None:
    """Remove expired rows if the last run was a day ago. A failure is logged and never raised."""
    try:
        if cache.add(CACHE_KEY, value=True, timeout=RUN_INTERVAL) and not remove_expired():
            cache.set(CACHE_KEY, value=True, timeout=CONTINUE_INTERVAL)
    except Error:
        logging.getLogger("flexadmin").warning("Expired sessions and the like could not be removed")


def remove_expired() -> bool:
    """Remove a batch of expired rows from each table. Return True if no more remain."""
    now = timezone.now()
    counts = [_delete_batch(rows) for rows in _expired_querysets(now)]
    _delete_expired_cache(now)
    return max(counts) < BATCH_SIZE


def _expired_querysets(now: datetime) -> list[QuerySet[Any]]:
    live_sessions = Session.objects.filter(session_key=OuterRef("session_key"))
    return [
        Session.objects.filter(expire_date__lt=now),
        UserSession.objects.filter(~Exists(live_sessions)),
        SignInTry.objects.filter(at__lt=now - ATTEMPT_RETENTION),
        DBTaskResult.objects.finished().filter(finished_at__lt=now - TASK_RETENTION),
        Message.objects.filter(finished_at__lt=now - MESSAGE_RETENTION),
        keyed_requests.expired(),
    ]


def _delete_batch(rows: QuerySet[Any]) -> int:
    model: type[Model] = rows.model
    keys = list(rows.values_list("pk", flat=True)[:BATCH_SIZE])
    if keys:
        model._default_manager.filter(pk__in=keys).delete()
    return len(keys)


def _delete_expired_cache(now: datetime) -> None:
    """Delete expired cache values. Django does that only when the cache is full."""
    table = connection.ops.quote_name(str(settings.CACHES["default"]["LOCATION"]))
    with connection.cursor() as cursor:
        cursor.execute(
            f"DELETE FROM {table} WHERE expires < %s",  # noqa: S608 - the table's name is the site's own
            [connection.ops.adapt_datetimefield_value(now.replace(microsecond=0))],
        )
