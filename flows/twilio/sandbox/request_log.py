"""The record of what reached the sandbox and what came of it, in order of arrival.

Tests and other processes read it to know what really happened; nothing in the sandbox depends on it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MAX_RECORDS = 20_000  # enough for any test; a demo that runs for weeks must not fill the memory


@dataclass(slots=True)
class RequestRecord:
    """One request. `status` is None if no answer was given; `applied` says that it was carried out,
    whatever the answer claimed; `sid` is the flow that it created, changed or deleted."""

    n: int
    method: str
    path: str
    parameters: dict[str, str]
    at: datetime
    status: int | None = None
    applied: bool = False
    sid: str | None = None
    fault: str | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "method": self.method,
            "path": self.path,
            "parameters": self.parameters,
            "at": self.at.isoformat(),
            "status": self.status,
            "applied": self.applied,
            "sid": self.sid,
            "fault": self.fault,
        }


class RequestLog:
    """Numbers requests as they come and keeps the last of them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[RequestRecord] = deque(maxlen=MAX_RECORDS)
        self._count = 0

    def open(
        self, *, method: str, path: str, parameters: Mapping[str, str], at: datetime
    ) -> RequestRecord:
        """Enter a request before anything is done about it; the caller fills in what becomes of it."""
        with self._lock:
            self._count += 1
            received = RequestRecord(self._count, method, path, dict(parameters), at)
            self._kept.append(received)
            return received

    def all(self) -> list[RequestRecord]:
        with self._lock:
            return list(self._kept)
