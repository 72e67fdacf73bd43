"""Heartbeat of the workers that make bulk changes, so that pages can tell whether one is running.

A thread of each worker's process stores the time in the site's cache, which is in the database.
"""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta
from typing import Final

from django.core.cache import cache
from django.db import Error, close_old_connections
from django.utils import timezone

INTERVAL: Final = 30.0  # seconds between two heartbeats
TIMEOUT: Final = timedelta(minutes=2)  # a worker without a heartbeat for this long is not running
_CACHE_KEY: Final = "flexadmin.worker_heartbeat"


def start() -> threading.Event:
    """Start the thread. It ends with the process, or once the returned event is set."""
    stop = threading.Event()
    threading.Thread(target=_beat, args=[stop], name="worker-heartbeat", daemon=True).start()
    return stop


def record() -> None:
    """Store that a worker is running now. If the database fails, the next heartbeat tries again."""
    try:
        cache.set(_CACHE_KEY, timezone.now(), timeout=None)
    except Error as error:
        logging.getLogger("flexadmin").warning("no heartbeat: %s", type(error).__name__)


def last_heartbeat() -> datetime | None:
    """Return the time of the last heartbeat, or None if no worker has ever run."""
    heartbeat: datetime | None = cache.get(_CACHE_KEY)
    return heartbeat


def is_overdue(heartbeat: datetime) -> bool:
    return heartbeat < timezone.now() - TIMEOUT


def _beat(stop: threading.Event) -> None:
    while True:
        close_old_connections()
        record()
        if stop.wait(INTERVAL):
            return
