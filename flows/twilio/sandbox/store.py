"""The account's objects of one resource: the state behind the API, with order, pages and file.

One lock guards everything and is never held during a wait. A body is replaced, never changed in
place, so it can be read without the lock. The rules for changes are in `rules`.
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
from flows.twilio.sandbox.listed_values import is_match
from flows.twilio.sandbox.responses import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from flows.twilio.resource import Resource
    from flows.twilio.sandbox.rules import Body, Values

NOT_FOUND = 20404
MAX_HISTORY = 5_000  # writes; the longest that a stale read can look back
FLOW_LIMIT_REACHED = 45002  # Assumption: the documentation has the limit, not its error


@dataclass(frozen=True, slots=True)
class Cursor:
    """A position in the list: the objects older than the one with this number, or newer."""

    number: int
    newer: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Objects, newest first, and the cursors of the next and the previous page, if any."""

    objects: list[Body]
    following: Cursor | None
    previous: Cursor | None


class Store:
    """Objects by SID, numbered in order of creation.

    `complete` returns a new or changed object with the fields that only Twilio sets. It also gets
    the values of the request.

    The numbers order the list and never change, so a cursor keeps its position while objects are
    added and deleted.
    """

    def __init__(
        self,
        resource: Resource,
        *,
        account_sid: str,
        parent_sid: str = "",
        clock: Callable[[], datetime],
        limit: int,
        file: Path | None = None,
        seed: Callable[[], Iterable[Body]] = tuple,
        complete: Callable[[Body, Values], Body] | None = None,
    ) -> None:
        self._lock = threading.Lock()
        self.resource = resource
        self.parent_sid = parent_sid
        self.collection_path = resource.collection_path(
            account_sid=account_sid, parent_sid=parent_sid
        )
        self._account_sid = account_sid
        self._clock = clock
        self._limit = limit
        self._file = file
        self._complete = complete or (lambda body, _values: body)
        self._objects: dict[str, Body] = {}
        self._numbers: list[int] = []  # ascending; each belongs to the SID at the same index
        self._sids: list[str] = []
        self._last_number = 0
        # Each write: its time, the object's number, and the object before it, None for a creation.
        self._history: deque[tuple[datetime, int, Body | None]] = deque(maxlen=MAX_HISTORY)
        if file is not None and file.exists():
            self._load(file)
        else:
            for body in seed():
                self._append(body)
            self._history.clear()  # a stale read includes the seeded objects

    def save(self) -> None:
        """Write the state file, if there is one."""
        with self._lock:
            self._save()

    def snapshot(self) -> dict[str, Body]:
        """Return all objects by SID, newest first."""
        with self._lock:
            return {sid: self._objects[sid] for sid in reversed(self._sids)}

    def get(self, sid: str) -> Body:
        """Return an object by its SID, unique name or key, or raise `ApiError` with status 404."""
        with self._lock:
            return self._get(self._sid_of(sid))

    def peek(self, sid: str) -> Body | None:
        """Return an object or None, without the lock: for the rules of another store."""
        return self._objects.get(sid)

    def page(self, *, size: int, cursor: Cursor | None, values: Values) -> Page:
        """Return at most `size` objects from the cursor on, only those with these values."""
        with self._lock:
            rows = self._rows(size, cursor, values)
            if not rows:
                return Page([], None, None)
            (newest, _), (oldest, _) = rows[0], rows[-1]
            has_older = any(self._descending(oldest, values))
            # Without a cursor it is the first page, which has no previous page.
            has_newer = cursor is not None and any(self._ascending(newest, values))
            return Page(
                [self._objects[sid] for _, sid in rows],
                Cursor(oldest) if has_older else None,
                Cursor(newest, newer=True) if has_newer else None,
            )

    def create(self, values: Values) -> Body:
        """Create an object by the rules, or raise `ApiError`."""
        with self._lock:
            body = rules.create(
                self.resource,
                values,
                sid=f"{self.resource.sid_prefix}{uuid.uuid4().hex}",
                account_sid=self._account_sid,
                timestamp=self.timestamp(),
            )
            if len(self._objects) >= self._limit:
                plural = self.resource.plural
                message = f"The account has reached its limit of {self._limit} {plural}"
                raise ApiError(HTTPStatus.BAD_REQUEST, FLOW_LIMIT_REACHED, message)
            rules.check_collision(self.resource, body, self._objects.values())
            rules.check_key(self.resource, body, self._objects.values())
            body = self._complete(body, values)
            self._append(body)
            self._save()
            return body

    def update(self, sid: str, values: Values) -> Body:
        """Update an object by the rules, or raise `ApiError`."""
        with self._lock:
            sid = self._sid_of(sid)
            before = self._get(sid)
            body = rules.update(self.resource, before, values, timestamp=self.timestamp())
            rules.check_collision(self.resource, body, self._objects.values(), before=before)
            body = self._complete(body, values)
            self._replace(sid, body)
            self._save()
            return body

    def archive(self, sid: str) -> Body:
        """Mark an object as archived, or raise `ApiError` with status 404."""
        with self._lock:
            body = self._get(sid) | {"archived": True}
            if "date_updated" in body:
                body["date_updated"] = self.timestamp()
            self._replace(sid, body)
            self._save()
            return body

    def delete(self, sid: str) -> None:
        """Delete an object, or raise `ApiError` with status 404."""
        with self._lock:
            sid = self._sid_of(sid)
            before = self._get(sid)
            index = self._sids.index(sid)
            self._history.append((self._clock(), self._numbers[index], before))
            del self._objects[sid], self._sids[index], self._numbers[index]
            self._save()

    def add(self, body: Body) -> None:
        """Add an object as the newest one, without the rules."""
        with self._lock:
            if body["sid"] in self._objects:
                raise ValueError(f"{body['sid']} is there already")
            self._append(body)
            self._save()

    def edit(self, sid: str, fields: dict[str, Any]) -> None:
        """Change an object without the rules. Raise KeyError if it does not exist."""
        with self._lock:
            fields = {"date_updated": self.timestamp()} | fields
            self._replace(sid, rules.edit(self.resource, self._objects[sid], fields))
            self._save()

    def past_state(self, seconds: float) -> Store:
        """Return the objects as they were so many seconds ago, as a read-only store."""
        with self._lock:
            moment = self._clock() - timedelta(seconds=seconds)
            numbered_sids = zip(self._numbers, self._sids, strict=True)
            objects = {number: self._objects[sid] for number, sid in numbered_sids}
            for written_at, number, before in reversed(self._history):
                if written_at <= moment:
                    break
                if before is None:
                    objects.pop(number, None)
                else:
                    objects[number] = before
        past = Store.__new__(Store)
        past.resource = self.resource
        past.parent_sid, past.collection_path = self.parent_sid, self.collection_path
        past._lock = threading.Lock()
        past._numbers = sorted(objects)
        past._sids = [objects[number]["sid"] for number in past._numbers]
        past._objects = {body["sid"]: body for body in objects.values()}
        return past

    def timestamp(self) -> str:
        """Return the current time in Twilio's format."""
        return rules.format_timestamp(self._clock())

    def _sid_of(self, text: str) -> str:
        """Return the SID of the object with this unique name or key, by default the text itself."""
        if text in self._objects:
            return text
        for sid, body in self._objects.items():
            if text in (body.get("unique_name"), body.get(self.resource.key_field)):
                return sid
        return text

    def _get(self, sid: str) -> Body:
        try:
            return self._objects[sid]
        except KeyError:
            raise ApiError(
                HTTPStatus.NOT_FOUND,
                NOT_FOUND,
                f"The requested resource /{self.collection_path}/{sid} was not found",
            ) from None

    def _rows(self, size: int, cursor: Cursor | None, values: Values) -> list[tuple[int, str]]:
        """Return the numbers and SIDs of a page, newest first."""
        if cursor is None:
            return list(islice(self._descending(None, values), size))
        if not cursor.newer:
            return list(islice(self._descending(cursor.number, values), size))
        rows = list(islice(self._ascending(cursor.number, values), size))
        return rows[::-1]

    def _descending(self, below: int | None, values: Values) -> Iterator[tuple[int, str]]:
        """Yield the numbers and SIDs of the objects older than `below`, newest first.

        None stands for all objects.
        """
        end = len(self._numbers) if below is None else bisect_left(self._numbers, below)
        return self._filter(range(end - 1, -1, -1), values)

    def _ascending(self, above: int, values: Values) -> Iterator[tuple[int, str]]:
        """Yield the numbers and SIDs of the objects newer than `above`, oldest first."""
        start = bisect_right(self._numbers, above)
        return self._filter(range(start, len(self._numbers)), values)

    def _filter(self, indexes: range, values: Values) -> Iterator[tuple[int, str]]:
        for index in indexes:
            sid = self._sids[index]
            body = self._objects[sid]
            if all(is_match(body.get(name), value) for name, value in values.items()):
                yield self._numbers[index], sid

    def _replace(self, sid: str, body: Body) -> None:
        number = self._numbers[self._sids.index(sid)]
        self._history.append((self._clock(), number, self._objects[sid]))
        self._objects[sid] = body

    def _append(self, body: Body) -> None:
        self._last_number += 1
        self._history.append((self._clock(), self._last_number, None))
        self._objects[body["sid"]] = body
        self._numbers.append(self._last_number)
        self._sids.append(body["sid"])

    def _load(self, file: Path) -> None:
        """Read the state file. Raise ValueError if it is not one."""
        try:
            state = json.loads(file.read_text(encoding="utf-8"))
            self._last_number = int(state["last"])
            self._numbers = [int(number) for number, _ in state["flows"]]
            self._sids = [flow["sid"] for _, flow in state["flows"]]
            self._objects = {flow["sid"]: flow for _, flow in state["flows"]}
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"{file} is not a sandbox's state file: {error}") from error

    def _save(self) -> None:
        """Replace the state file in one step, so that it is never incomplete."""
        if self._file is None:
            return
        numbered_sids = zip(self._numbers, self._sids, strict=True)
        rows = [[number, self._objects[sid]] for number, sid in numbered_sids]
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._file.parent, prefix=f".{self._file.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
                json.dump({"last": self._last_number, "flows": rows}, handle)
            Path(name).replace(self._file)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
