"""The thread of a background worker that reviews change requests, so that none is left as it is.

Syncs and changes of policies and roles review them as well. But an approval ages and a request expires
without any of them, and a process may die before it reviews what it has changed.
"""

from __future__ import annotations

import threading
from typing import Final

from flows.approvals.models import ChangeRequest
from flows.approvals.validity import review_safely
from flows.core.worker_thread import start_thread

INTERVAL: Final = 300.0  # seconds


def start(interval: float = INTERVAL) -> threading.Event:
    """Start the thread. It ends with the process, or once the returned event is set."""
    return start_thread("change requests", interval, run_once)


def run_once() -> None:
    """Review all open requests. Errors are logged: the next sweep reviews again."""
    review_safely(ChangeRequest.objects.all())
