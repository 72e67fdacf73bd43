"""Reading the log in batches.

One long statement would block the database's vacuuming, and PostgreSQL would copy the whole result
first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import QuerySet


def iter_batches(events: QuerySet[Any, Any], *fields: str, size: int) -> Iterator[list[Any]]:
    """Yield these events in order as dicts of these fields, `size` at a time."""
    after = 0
    while True:
        next_events = events.filter(seq__gt=after).order_by("seq")
        batch = list(next_events.values(*fields)[:size])
        yield batch
        if len(batch) < size:
            return
        after = batch[-1]["seq"]
