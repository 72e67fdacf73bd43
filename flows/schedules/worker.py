"""The thread of a background worker that looks at the schedules every few seconds.

It is a thread of its own, so that a long bulk change doesn't delay it. Nothing wakes it for one
schedule: it looks at the table, so no lost task and no clock that is set back can hide one.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from django.utils import timezone

from flows.core.database import close_lost_connection
from flows.core.worker_thread import start_thread
from flows.schedules.running import Clock, run_due

logger = logging.getLogger(__name__)

INTERVAL: Final = 5.0  # seconds between two looks


def start(interval: float = INTERVAL) -> threading.Event:
    """Start the thread. It ends with the process, or once the returned event is set."""
    return start_thread("schedules", interval, run_once)


def run_once(clock: Clock = timezone.now) -> None:
    """Make the changes that are due. Errors are logged, and the next look tries again."""
    try:
        run_due(clock)
    except Exception as error:  # noqa: BLE001 - the next look tries again
        close_lost_connection()
        # Only the type: a database's message can quote the row.
        logger.error("Schedules could not be looked at: %s", type(error).__name__)
