"""Twilio's rates: how many calls of each kind an account may make a second, and the turns to make them.

A kind of call has as many places as it may have calls a second, and each place serves one call in a
`PERIOD`. Whoever calls books the place that is free first, and waits until then; so no second has more
calls than places, and the waiting itself needs no lock. Who keeps the places is an argument of the
client's: this process alone (`OwnRates`), or a database that several processes share.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

CALLS_PER_SECOND: Final[Mapping[str, int]] = {
    "list": 10,
    "fetch": 2,
    "create": 2,
    "update": 1,
    "delete": 2,
}
# Seconds after its turn that a call may still leave. So much longer than a second is a place taken for, or
# a call that leaves late and one that leaves in time would be closer together than Twilio allows.
LATE_TOLERANCE: Final = 0.1
SLOT_SECONDS: Final = 1.0 + LATE_TOLERANCE
# A place that is taken for longer than anybody waits: the clock went back, or the row is an old backup's.
MAX_BOOKING_AHEAD: Final = 60.0


class RateLimiter(Protocol):
    """Whoever keeps the places of each account."""

    def book(self, account_sid: str, operation: str, *, patience: float) -> float | None:
        """Book the next turn, and return the seconds until it; below 0, so long ago was it. None, and nothing
        booked, if it is further off than `patience` seconds."""


@dataclass(frozen=True, slots=True)
class Booking:
    """A turn that is `wait` seconds off, and when each place comes free after it."""

    wait: float
    free_at: list[float]


def next_turn(
    free_at: Sequence[float], places: int, *, now: float, patience: float
) -> Booking | None:
    """The earliest turn, if it is no further off than `patience` seconds. All times are in seconds on one
    clock."""
    known = [0.0 if at > now + MAX_BOOKING_AHEAD else at for at in free_at][:places]
    known += [0.0] * (places - len(known))
    earliest = min(known)
    turn = max(now, earliest)
    if turn - now > patience:
        return None
    known.remove(earliest)
    return Booking(turn - now, sorted([*known, turn + SLOT_SECONDS]))


class LocalRateLimiter:
    """The rates as this process alone keeps to them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at: dict[tuple[str, str], list[float]] = {}

    def book(self, account_sid: str, operation: str, *, patience: float) -> float | None:
        key = (account_sid, operation)
        with self._lock:
            known = self._free_at.get(key, [])
            booking = next_turn(
                known, CALLS_PER_SECOND[operation], now=self._clock(), patience=patience
            )
            if booking is None:
                return None
            self._free_at[key] = booking.free_at
            return booking.wait


PROCESS_RATE_LIMITER: Final = LocalRateLimiter()
