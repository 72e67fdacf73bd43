"""Retries of a call: which errors allow one, how long the pause is, and when to give up."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import tenacity

from flows.twilio.errors import (
    FlexError,
    NotSent,
    OutcomeUnknown,
    RateLimitTimeout,
    RequestRefused,
)
from flows.twilio.responses import REQUEST_TIMEOUT

MAX_ATTEMPTS: Final = 4
IDEMPOTENT_OPERATIONS: Final = frozenset({"list", "fetch", "delete"})


def retrying(operation: str, deadline: float, sleep: Callable[[float], None]) -> tenacity.Retrying:
    """Return a callable that calls a function and retries it until `deadline` (monotonic seconds).

    It raises the error of the last try.
    """
    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(lambda error: can_retry(operation, error)),
        wait=retry_delay,
        stop=partial(_is_over, deadline),
        sleep=sleep,
        reraise=True,
    )


def _is_over(deadline: float, state: tenacity.RetryCallState) -> bool:
    """Return True if no further try is allowed, or if it would begin after the deadline."""
    if state.attempt_number >= MAX_ATTEMPTS:
        return True
    return time.monotonic() + retry_delay(state) >= deadline


def can_retry(operation: str, error: BaseException) -> bool:
    """Return True if the same request can be sent again without doing anything twice."""
    if isinstance(error, RequestRefused):
        return error.status == 429  # never processed, so safe for every operation
    if operation not in IDEMPOTENT_OPERATIONS:
        return False
    if isinstance(error, OutcomeUnknown):
        return _is_temporary(error.status)
    return isinstance(error, NotSent) and not isinstance(error, RateLimitTimeout)


def _is_temporary(status: int | None) -> bool:
    """Return True for no response at all, a timeout or a fault of the server."""
    return status is None or status == REQUEST_TIMEOUT or status >= 500


def retry_delay(state: tenacity.RetryCallState) -> float:
    """Return the seconds until the next try: Twilio's Retry-After or a doubling pause.

    Both get some jitter. A connection that the other side closed is replaced at once.
    """
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, OutcomeUnknown) and error.is_stale:
        return 0.0
    retry_after = error.retry_after if isinstance(error, FlexError) else None
    doubling_pause = min(4.0, 0.25 * 2 ** (state.attempt_number - 1))
    base = doubling_pause if retry_after is None else retry_after
    return float(base + random.uniform(0, 0.25))  # noqa: S311 - jitter, not a secret
