"""The log of the requests that reached the sandbox, and of their results, in order of arrival.

Tests and other processes read it. Nothing in the sandbox depends on it.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MAX_RECORDS = 20_000  # a bound for the memory of a demo that runs for weeks


@dataclass(slots=True)
class RequestRecord:
    """A request and its result.

    `n` counts from 1. `status` is None if there was no response. `applied` is True if the request
    was carried out, whatever the response said. `sid` is the flow that it created, changed or
    deleted. `fault` is the kind of the fault or lag that applied.
    """

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
    """The latest requests, numbered as they arrive."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._records: deque[RequestRecord] = deque(maxlen=MAX_RECORDS)
        self._count = 0

    def open(
        self, *, method: str, path: str, parameters: Mapping[str, str], at: datetime
    ) -> RequestRecord:
        """Log a request before it is handled. The caller adds the result to the record."""
        with self._lock:
            self._count += 1
            record = RequestRecord(self._count, method, path, dict(parameters), at)
            self._records.append(record)
            return record

    def all(self) -> list[RequestRecord]:
        with self._lock:
            return list(self._records)
