"""A thread of a background worker that does something again and again."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import close_old_connections, connection


def start_thread(name: str, interval: float, run_once: Callable[[], None]) -> threading.Event:
    """Call `run_once` now and after every `interval` seconds, in a thread of its own.

    `run_once` must not raise. The thread ends with the process, or once the returned event is set.
    """
    stop = threading.Event()
    arguments = (stop, interval, run_once)
    threading.Thread(target=_run, args=arguments, name=name, daemon=True).start()
    return stop


def _run(stop: threading.Event, interval: float, run_once: Callable[[], None]) -> None:
    try:
        while not stop.is_set():
            close_old_connections()
            run_once()
            stop.wait(interval)
    finally:
        connection.close()
