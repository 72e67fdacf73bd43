"""Twilio's rates: the number of calls per second for each operation of a product and account.

An operation has as many slots as it may have calls a second. A slot serves one call in
`SLOT_SECONDS`. A caller books the slot that is free first and waits until then. So no second has
more calls than slots, and waiting needs no lock. The client gets its rate limiter as an argument:
this process alone (`LocalRateLimiter`), or a database that several processes share.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from flows.twilio.description import FLEX_PRODUCT

CALLS_PER_SECOND: Final[Mapping[str, int]] = {
    "list": 10,
    "fetch": 2,
    "create": 2,
    "update": 1,
    "delete": 2,
}
# Assumption: Twilio counts an archival as an update.
RATES_SHARED_WITH: Final[Mapping[str, str]] = {"archive": "update"}
# Characters of a product's name in an operation. The table of shared bookings has room for 16 in
# all.
MAX_PRODUCT_LENGTH: Final = 9
# Seconds after its turn that a call may still leave. A slot is booked for that much longer than a
# second. Otherwise a late call and a punctual one would be closer together than Twilio allows.
LATE_TOLERANCE: Final = 0.1
SLOT_SECONDS: Final = 1.0 + LATE_TOLERANCE
# Seconds. A slot that is booked further ahead counts as free: the clock was set back, or the
# database was restored from an old backup.
MAX_BOOKING_AHEAD: Final = 60.0


def operation_of_product(product: str, operation: str) -> str:
    """Return the name under which an operation of a product has its own slots.

    It is the bare operation for Flex, and such as `studio.list` for another product.
    """
    operation = RATES_SHARED_WITH.get(operation, operation)
    if product == FLEX_PRODUCT:
        return operation
    return f"{product[:MAX_PRODUCT_LENGTH]}.{operation}"


def calls_per_second(operation: str) -> int:
    """Return the rate of an operation, of Flex or of another product.

    Assumption: other products allow as many calls as Flex. Their documentation has no numbers.
    """
    return CALLS_PER_SECOND[operation.rpartition(".")[2]]


class RateLimiter(Protocol):
    """A keeper of the slots of each account and operation."""

    def book(self, account_sid: str, operation: str, *, patience: float) -> float | None:
        """Book the next turn and return the seconds until it, negative if it has passed.

        Return None and book nothing if it is more than `patience` seconds away. `operation` is a
        name that `operation_of_product` returns.
        """


@dataclass(frozen=True, slots=True)
class Booking:
    """A turn in `wait` seconds, and the time at which each slot is free after it."""

    wait: float
    free_at: list[float]


def next_turn(
    free_at: Sequence[float], slots: int, *, current_time: float, patience: float
) -> Booking | None:
    """Return the earliest turn, or None if it is more than `patience` seconds away.

    All times are in seconds on one clock. `free_at` is the time at which each slot is free.
    """
    latest_plausible = current_time + MAX_BOOKING_AHEAD
    slot_times = [0.0 if free > latest_plausible else free for free in free_at][:slots]
    slot_times += [0.0] * (slots - len(slot_times))
    earliest = min(slot_times)
    turn = max(current_time, earliest)
    wait = turn - current_time
    if wait > patience:
        return None
    slot_times.remove(earliest)
    slot_times.append(turn + SLOT_SECONDS)
    return Booking(wait, sorted(slot_times))


class LocalRateLimiter:
    """A rate limiter for this process alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._free_at: dict[tuple[str, str], list[float]] = {}

    def book(self, account_sid: str, operation: str, *, patience: float) -> float | None:
        key = (account_sid, operation)
        with self._lock:
            booking = next_turn(
                self._free_at.get(key, []),
                calls_per_second(operation),
                current_time=self._clock(),
                patience=patience,
            )
            if booking is None:
                return None
            self._free_at[key] = booking.free_at
            return booking.wait


PROCESS_RATE_LIMITER: Final = LocalRateLimiter()
