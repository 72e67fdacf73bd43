"""An API that is eventually consistent: reads that lag behind the writes, and lists that are not whole.

Each lag is taken by the first read that it fits, as often as it was asked for (`Lags.inject`); or every read draws one
(`Lags.draw`). Writes are never affected. The answers look like any other: 200, or 404 for a flow that is not visible yet.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from flows.twilio.sandbox.faults import API_ROOT, LIST_PATH

if TYPE_CHECKING:
    from flows.twilio.sandbox.store import Cursor, Page, Store

MINUTE: Final = 60.0


class LagKind(StrEnum):
    """What a read shows instead of the flows as they are."""

    STALE = "stale"  # the flows as they were `seconds` ago: old values, created ones not yet, deleted ones still
    EMPTY = "empty"  # lists only; a last page without a flow
    SHORT = "short"  # lists only; a page that lacks every second flow
    SKIPPED = "skipped"  # lists only; a later page lacks its first flow, as if one was deleted on an earlier page
    REPEATED = "repeated"  # lists only; a later page begins with a flow of the page before, as if one was created


@dataclass(frozen=True, slots=True)
class Lag:
    """One lag. `path` is a glob on the request's path, with or without /v1; `times` None is until cleared."""

    kind: LagKind
    path: str | None = None
    times: int | None = 1
    seconds: float = MINUTE - 1

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", LagKind(self.kind))

    @classmethod
    def from_json(cls, payload: Any) -> Lag:
        if not isinstance(payload, dict) or not payload.keys() <= {
            field.name for field in fields(cls)
        }:
            raise ValueError("A lag is an object with no other fields than Lag's own")
        if "kind" not in payload:
            raise ValueError("A lag needs a kind")
        return cls(**payload)

    def fits(self, path: str) -> bool:
        """Return True for a read that this lag befalls."""
        if self.kind is not LagKind.STALE and path != LIST_PATH:
            return False
        below = path.removeprefix(API_ROOT)
        return self.path is None or fnmatchcase(path, self.path) or fnmatchcase(below, self.path)


# Return the lag of a read of this path, or None.
LagSource = Callable[[str], Lag | None]


class LagQueue:
    """Those that wait for a read, first come first served."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Lag] = []
        self.draw: LagSource | None = None

    def inject(self, lag: Lag) -> None:
        with self._lock:
            self._waiting.append(lag)

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()
            self.draw = None

    def take(self, path: str) -> Lag | None:
        """Return the lag of a read of this path, used up by one."""
        with self._lock:
            for at, lag in enumerate(self._waiting):
                if not lag.fits(path):
                    continue
                if lag.times is not None and lag.times <= 1:
                    del self._waiting[at]
                elif lag.times is not None:
                    self._waiting[at] = replace(lag, times=lag.times - 1)
                return lag
            return self.draw(path) if self.draw else None


def random_lag_source(seconds: float, *, seed: int = 1) -> LagSource:
    """Return a draw in which each read is up to so many seconds behind, at random."""
    chance = random.Random(seed)  # noqa: S311 - a test's chance, no secret
    return lambda _path: Lag(LagKind.STALE, seconds=chance.uniform(0, seconds))


def read_page(
    store: Store, lag: Lag | None, *, size: int, cursor: Cursor | None, friendly_name: str | None
) -> Page:
    """Return a page of the list as a read with this lag has it."""
    if lag is not None and lag.kind is LagKind.STALE:
        store = store.ago(lag.seconds)
    if lag is not None and lag.kind is LagKind.REPEATED and cursor is not None and not cursor.newer:
        cursor = replace(cursor, number=cursor.number + 1)
    page = store.page(size=size, cursor=cursor, friendly_name=friendly_name)
    if lag is None:
        return page
    if lag.kind is LagKind.EMPTY:
        return replace(page, flows=[], following=None)
    if lag.kind is LagKind.SHORT:
        return replace(page, flows=page.flows[::2])
    if lag.kind is LagKind.SKIPPED and cursor is not None:
        return replace(page, flows=page.flows[1:])
    return page
