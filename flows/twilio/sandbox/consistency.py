"""Eventual consistency: reads that lag behind the writes, and incomplete lists.

A lag applies to the next reads that match it, `times` times (`LagQueue.inject`). Alternatively
each read draws one (`LagQueue.draw`). Writes are never affected. The responses look normal: 200, or
404 for a flow that is not visible yet.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from flows.twilio.sandbox.faults import is_list_path, matches_path
from flows.twilio.sandbox.injections import InjectionQueue, injection_from_json

if TYPE_CHECKING:
    from flows.twilio.sandbox.rules import Values
    from flows.twilio.sandbox.store import Cursor, Page, Store

MINUTE: Final = 60.0


class LagKind(StrEnum):
    """The difference between a read and the present flows. All but STALE are for lists only."""

    STALE = "stale"  # the flows as they were `seconds` ago
    EMPTY = "empty"  # a last page without flows
    SHORT = "short"  # a page without every second flow
    # A later page without its first flow, as if a flow on an earlier page was deleted.
    SKIPPED = "skipped"
    # A later page that repeats the last flow of the page before, as if a flow was created.
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class Lag:
    """A lag for the reads that match it.

    `path` is a glob for the request's path, with or without /v1. `times` is the number of reads,
    None for all until it is cleared.
    """

    kind: LagKind
    path: str | None = None
    times: int | None = 1
    seconds: float = MINUTE - 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", LagKind(self.kind))

    @classmethod
    def from_json(cls, payload: Any) -> Lag:
        """Return a lag from the control endpoint's JSON. Raise ValueError if it is invalid."""
        return injection_from_json(cls, payload)

    def matches(self, path: str) -> bool:
        """Return True if this lag applies to a read of this path."""
        if self.kind is not LagKind.STALE and not is_list_path(path):
            return False
        return matches_path(self.path, path)


# A function that returns the lag of a read of this path, or None.
LagSource = Callable[[str], Lag | None]


class LagQueue(InjectionQueue[Lag]):
    """The lags that wait for a read. If none matches, `draw` gives the lag."""

    def __init__(self) -> None:
        super().__init__()
        self.draw: LagSource = no_lag

    def clear(self) -> None:
        super().clear()
        self.draw = no_lag

    def take(self, path: str) -> Lag | None:
        """Return the lag for a read of this path, or None."""
        injected = self.take_matching(lambda lag: lag.matches(path))
        return injected or self.draw(path)


def no_lag(_path: str) -> None:
    """Return no lag, for reads that see the present flows."""


def random_lag_source(seconds: float, *, seed: int = 1) -> LagSource:
    """Return a source of lags in which each read is up to `seconds` behind, at random."""
    generator = random.Random(seed)  # noqa: S311 - for tests, not a secret
    return lambda _path: Lag(LagKind.STALE, seconds=generator.uniform(0, seconds))


def read_page(
    store: Store, lag: Lag | None, *, size: int, cursor: Cursor | None, values: Values
) -> Page:
    """Return a page of the list with a lag."""
    if lag is None:
        return store.page(size=size, cursor=cursor, values=values)
    if lag.kind is LagKind.STALE:
        store = store.past_state(lag.seconds)
    if lag.kind is LagKind.REPEATED and cursor is not None:
        cursor = _one_object_earlier(cursor)
    page = store.page(size=size, cursor=cursor, values=values)
    is_first_page = cursor is None
    if lag.kind is LagKind.SKIPPED and is_first_page:
        return page
    alter = _ALTERATIONS.get(lag.kind)
    return alter(page) if alter else page


def _one_object_earlier(cursor: Cursor) -> Cursor:
    """Return the cursor of a page that begins with the last object of the page before."""
    return cursor if cursor.newer else replace(cursor, number=cursor.number + 1)


_ALTERATIONS: Final[Mapping[LagKind, Callable[[Page], Page]]] = {
    LagKind.EMPTY: lambda page: replace(page, objects=[], following=None),
    LagKind.SHORT: lambda page: replace(page, objects=page.objects[::2]),
    LagKind.SKIPPED: lambda page: replace(page, objects=page.objects[1:]),
}
