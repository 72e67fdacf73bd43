"""The thread of a background worker that turns events into messages and sends them.

It is a thread of its own, so that a slow receiver never holds up a bulk change. Several workers
share the work: the position in the log and the leases are in the database.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

from django.utils import timezone

from flows.core.database import close_lost_connection
from flows.core.worker_thread import start_thread
from flows.notifications import outbox
from flows.notifications.delivery import Clock, deliver_due
from flows.notifications.models import Message, MessageStatus, OutboxPosition

log = logging.getLogger(__name__)

INTERVAL: Final = 2.0  # seconds between two looks at the log


def start(interval: float = INTERVAL) -> threading.Event:
    """Start the thread. It ends with the process, or once the returned event is set."""
    return start_thread("notifications", interval, run_once)


def run_once(clock: Clock = timezone.now) -> None:
    """Turn all new events into messages and send what is due. Errors are logged.

    A look without new events takes five small queries.
    """
    try:
        if not OutboxPosition.objects.exists():
            return
        if outbox.has_unread_events() or _is_collecting():
            while outbox.collect(clock()):
                pass
        deliver_due(clock)
    except Exception as error:  # noqa: BLE001 - the next look tries again
        close_lost_connection()
        # Only the type: a database's message can quote the row.
        log.error("Notifications could not be processed: %s", type(error).__name__)


def _is_collecting() -> bool:
    return Message.objects.filter(status=MessageStatus.COLLECTING).exists()
