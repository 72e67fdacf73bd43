"""The number of requests that a token may send per minute, and the headers that say so.

Each process counts by itself, in memory. A count that all share would have to be written with each
request, and reads must work while the database can't be written.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from flows.twilio.pickling import PicklableError

WINDOW: Final = 60  # seconds
MAX_TOKENS: Final = 10_000  # that are counted at a time
REQUEST_ATTRIBUTE: Final = "rate_limit"


class RateLimited(PicklableError):
    """The token has sent `limit` requests in this window, which ends in `seconds`."""

    def __init__(self, limit: int, seconds: int) -> None:
        super().__init__(f"more than {limit} requests per minute")
        self.limit, self.seconds = limit, seconds


@dataclass(frozen=True, slots=True)
class Allowance:
    """The requests that a token may send in the window that ends in `seconds`."""

    limit: int
    remaining: int
    seconds: int


class RateCounter:
    """Counts the requests of each key in windows of a minute. `clock` returns seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._window = 0
        self._counts: dict[str, int] = {}

    def count(self, key: str, limit: int) -> Allowance:
        """Count a request. `remaining` is negative if it is one too many."""
        now = self._clock()
        with self._lock:
            window = int(now // WINDOW)
            if window != self._window or len(self._counts) >= MAX_TOKENS:
                self._window, self._counts = window, {}
            count = self._counts[key] = self._counts.get(key, 0) + 1
        seconds = max(1, math.ceil((window + 1) * WINDOW - now))
        return Allowance(limit, limit - count, seconds)


_counter: Final = RateCounter()


def count_request(request: HttpRequest, token_key: str) -> None:
    """Count a request of a token. Raise `RateLimited` if it is one too many."""
    allowance = _counter.count(token_key, settings.API_RATE_LIMIT)
    setattr(request, REQUEST_ATTRIBUTE, allowance)
    if allowance.remaining < 0:
        raise RateLimited(allowance.limit, allowance.seconds)


def add_headers(request: HttpRequest, response: HttpResponseBase) -> None:
    """Add what the token may still send to the response of an authenticated request."""
    allowance: Allowance | None = getattr(request, REQUEST_ATTRIBUTE, None)
    if allowance is None:
        return
    response["RateLimit-Limit"] = str(allowance.limit)
    response["RateLimit-Remaining"] = str(max(0, allowance.remaining))
    response["RateLimit-Reset"] = str(allowance.seconds)
