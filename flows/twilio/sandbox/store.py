"""The account's flows: the state behind the API, its order, its pages and its file.

One lock guards all of it and is never held while waiting. A resource is replaced, never changed in
place, so that whoever holds one may read it without the lock. What a change may do is contract's.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import uuid
from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flows.twilio.sandbox import rules
from flows.twilio.sandbox.responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from flows.twilio.sandbox.rules import Resource, Values

NOT_FOUND = 20404
MAX_HISTORY = 5_000  # writes, for reads that lag behind them
FLOW_LIMIT_REACHED = 45002  # assumption: the documents name the limit, not its error


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place between two flows, by a flow's number: the flows older than it, or newer."""

    number: int
    newer: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Flows, newest first, and the places from which its neighbours go on, if there are any."""

    flows: list[Resource]
    following: Cursor | None
    previous: Cursor | None


class Store:
    """Flows by SID, numbered as they come. The numbers order the list and never change, so that a
    cursor stays where it is while others add and delete."""

    def __init__(
        self,
        *,
        account_sid: str,
        clock: Callable[[], datetime],
        limit: int,
        file: Path | None,
        seed: Callable[[], Iterable[Resource]],
    ) -> None:
        self._lock = threading.Lock()
        self._account_sid = account_sid
        self._clock = clock
        self._limit = limit
        self._file = file
        self._flows: dict[str, Resource] = {}
        self._numbers: list[int] = []  # ascending, beside _sids
        self._sids: list[str] = []
        self._last = 0
        # Each write: when, the flow's number, and what it was before (None: not there).
        self._history: deque[tuple[datetime, int, Resource | None]] = deque(maxlen=MAX_HISTORY)
        if file is not None and file.exists():
            self._load(file)
        else:
            for resource in seed():
                self._append(resource)
            self._history.clear()  # these were always there

    def snapshot(self) -> dict[str, Resource]:
        """All flows, newest first."""
        with self._lock:
            return {sid: self._flows[sid] for sid in reversed(self._sids)}

    def get(self, sid: str) -> Resource:
        with self._lock:
            return self._found(sid)

    def page(self, *, size: int, cursor: Cursor | None, friendly_name: str | None) -> Page:
        """At most `size` flows from the cursor on, only those of exactly this name if one is given."""
        with self._lock:
            if cursor is not None and cursor.newer:
                taken = list(islice(self._ascending(cursor.number, friendly_name), size))[::-1]
            else:
                below = None if cursor is None else cursor.number
                taken = list(islice(self._descending(below, friendly_name), size))
            if not taken:
                return Page([], None, None)
            oldest, newest = taken[-1][0], taken[0][0]
            older = any(self._descending(oldest, friendly_name))
            newer = cursor is not None and any(self._ascending(newest, friendly_name))
            return Page(
                [self._flows[sid] for _, sid in taken],
                Cursor(oldest) if older else None,
                Cursor(newest, newer=True) if newer else None,
            )

    def create(self, values: Values) -> Resource:
        with self._lock:
            sid = f"FO{uuid.uuid4().hex}"
            resource = rules.create(values, sid=sid, account_sid=self._account_sid, now=self.now())
            if len(self._flows) >= self._limit:
                message = f"The account has reached its limit of {self._limit} Flex Flows"
                raise ApiError(HTTPStatus.BAD_REQUEST, FLOW_LIMIT_REACHED, message)
            rules.check_collision(resource, self._flows.values())
            self._append(resource)
            self._save()
            return resource

    def update(self, sid: str, values: Values) -> Resource:
        with self._lock:
            before = self._found(sid)
            resource = rules.update(before, values, now=self.now())
            rules.check_collision(resource, self._flows.values(), before=before)
            self._replace(sid, resource)
            self._save()
            return resource

    def delete(self, sid: str) -> None:
        with self._lock:
            self._found(sid)
            at = self._sids.index(sid)
            self._history.append((self._clock(), self._numbers[at], self._flows[sid]))
            del self._flows[sid], self._sids[at], self._numbers[at]
            self._save()

    def add(self, resource: Resource) -> None:
        """Put a flow there as the newest, whatever the contract says of it."""
        with self._lock:
            if resource["sid"] in self._flows:
                raise ValueError(f"{resource['sid']} is there already")
            self._append(resource)
            self._save()

    def edit(self, sid: str, fields: dict[str, Any]) -> None:
        """Change a flow, whatever the contract says of it. An unknown SID is a KeyError."""
        with self._lock:
            self._replace(sid, rules.edit(self._flows[sid], {"date_updated": self.now()} | fields))
            self._save()

    def ago(self, seconds: float) -> Store:
        """The flows as they were so many seconds ago. To read only."""
        with self._lock:
            moment = self._clock() - timedelta(seconds=seconds)
            flows = {
                number: self._flows[sid]
                for number, sid in zip(self._numbers, self._sids, strict=True)
            }
            for at, number, before in reversed(self._history):
                if at <= moment:
                    break
                if before is None:
                    flows.pop(number, None)
                else:
                    flows[number] = before
        past = Store.__new__(Store)
        past._lock = threading.Lock()
        past._numbers = sorted(flows)
        past._sids = [flows[number]["sid"] for number in past._numbers]
        past._flows = {flow["sid"]: flow for flow in flows.values()}
        return past

    def now(self) -> str:
        """The clock in Twilio's form."""
        return rules.format_timestamp(self._clock())

    def _found(self, sid: str) -> Resource:
        try:
            return self._flows[sid]
        except KeyError:
            raise ApiError(
                HTTPStatus.NOT_FOUND,
                NOT_FOUND,
                f"The requested resource /FlexFlows/{sid} was not found",
            ) from None

    def _descending(self, below: int | None, name: str | None) -> Iterator[tuple[int, str]]:
        start = len(self._numbers) if below is None else bisect_left(self._numbers, below)
        return self._named(range(start - 1, -1, -1), name)

    def _ascending(self, above: int, name: str | None) -> Iterator[tuple[int, str]]:
        return self._named(range(bisect_right(self._numbers, above), len(self._numbers)), name)

    def _named(self, places: range, name: str | None) -> Iterator[tuple[int, str]]:
        for at in places:
            if name is None or self._flows[self._sids[at]]["friendly_name"] == name:
                yield self._numbers[at], self._sids[at]

    def _replace(self, sid: str, resource: Resource) -> None:
        number = self._numbers[self._sids.index(sid)]
        self._history.append((self._clock(), number, self._flows[sid]))
        self._flows[sid] = resource

    def _append(self, resource: Resource) -> None:
        self._last += 1
        self._history.append((self._clock(), self._last, None))
        self._flows[resource["sid"]] = resource
        self._numbers.append(self._last)
        self._sids.append(resource["sid"])

    def _load(self, file: Path) -> None:
        try:
            state = json.loads(file.read_text(encoding="utf-8"))
            self._last = int(state["last"])
            self._numbers = [int(number) for number, _ in state["flows"]]
            self._sids = [flow["sid"] for _, flow in state["flows"]]
            self._flows = {flow["sid"]: flow for _, flow in state["flows"]}
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{file} is not a sandbox's state file: {error}") from error

    def _save(self) -> None:
        if self._file is None:
            return
        rows = [
            [number, self._flows[sid]]
            for number, sid in zip(self._numbers, self._sids, strict=True)
        ]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._file.parent, prefix=f".{self._file.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                json.dump({"last": self._last, "flows": rows}, handle)
            Path(name).replace(self._file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
