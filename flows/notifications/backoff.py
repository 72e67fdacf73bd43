"""How long a message waits after a failed attempt, as Standard Webhooks proposes.

https://github.com/standard-webhooks/standard-webhooks
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

# The pause before each attempt. After the last one, a message is given up.
RETRY_DELAYS: Final = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
MAX_ATTEMPTS: Final = len(RETRY_DELAYS)
# A receiver that failed gets no other message for this long at most, so that it is found up soon.
MAX_PAUSE: Final = timedelta(minutes=15)
MAX_RETRY_AFTER: Final = timedelta(hours=24)
# Many messages share the attempts at a receiver that is down, so their age counts as well.
MAX_AGE: Final = timedelta(days=4)
JITTER: Final = 0.1  # of the delay, at most

Random = Callable[[], float]  # from 0 to 1


def retry_delay(attempt_count: int, rng: Random = random.random) -> timedelta:
    """Return the pause after this many failed attempts, with jitter."""
    delay = RETRY_DELAYS[min(attempt_count, MAX_ATTEMPTS - 1)]
    return delay * (1 + JITTER * rng())


def receiver_pause(failure_count: int, rng: Random = random.random) -> timedelta:
    """Return how long a receiver is left alone after this many failures in a row."""
    return min(retry_delay(failure_count, rng), MAX_PAUSE)


def parse_retry_after(header: str, at: datetime) -> timedelta:
    """Return the pause that a Retry-After header asks for, a day at most; zero without one."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), MAX_RETRY_AFTER.total_seconds()))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return timedelta(0)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(moment - at, timedelta(0)), MAX_RETRY_AFTER)
