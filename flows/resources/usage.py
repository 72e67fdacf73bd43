"""The conversations that run through a flow: how many, the newest, and the first of them.

Twilio lists channels without a filter by flow, so all of them are read, within limits. The counts of
an account are kept for a minute in each process, because each page of a flow asks for them.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils import timezone

from flows.mirror import live
from flows.resources import refusals
from flows.twilio.errors import FlexError
from flows.twilio.flex.channel import CHANNEL
from flows.twilio.flex.web_channel import WEB_CHANNEL
from flows.twilio.paging import FIRST_PAGE
from flows.twilio.resource import Resource, Snapshot
from flows.twilio.responses import ObjectPage
from flows.twilio.values import parse_datetime

RESOURCES: Final = (CHANNEL, WEB_CHANNEL)
MAX_PAGES: Final = 20
PAGE_SIZE: Final = 1000  # objects of a page
MAX_SECONDS: Final = 8.0  # for all pages of a list, because a user waits
MAX_LISTED: Final = 50  # conversations of a flow that are listed
CACHE_SECONDS: Final = 60.0


@dataclass(slots=True)
class Usage:
    """The conversations of one flow in one list, and the newest of them.

    If a limit was reached before the end of Twilio's list, or if something in it could not be read,
    `is_complete` is False: there may be more.
    """

    resource: Resource
    count: int = 0
    newest_at: datetime | None = None
    is_complete: bool = True
    counted_at: datetime = field(default_factory=timezone.now)
    listed: list[Snapshot] = field(default_factory=list)

    @property
    def label(self) -> str:
        """The number with its noun, such as "3 web channels"."""
        noun = self.resource.noun if self.count == 1 else self.resource.noun_plural
        return f"{self.count:,} {noun}"

    def add(self, snapshot: Snapshot, *, is_listed: bool) -> None:
        """Count a conversation. If listed, keep the first ones, which are the newest."""
        self.count += 1
        created_at = parse_datetime(snapshot.get("date_created"))
        if created_at and (self.newest_at is None or created_at > self.newest_at):
            self.newest_at = created_at
        if is_listed and len(self.listed) < MAX_LISTED:
            self.listed.append(snapshot)


@dataclass(slots=True)
class _Count:
    """The counts of one list of an account by flow, or the error of an attempt to count."""

    by_flow: dict[str, Usage]
    none: Usage  # of a flow without conversations
    error: FlexError | None = None
    expires_at: float = 0.0  # seconds of the process's clock

    def usage_of(self, flow_sid: str) -> Usage:
        """Return the usage of a flow, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.by_flow.get(flow_sid, self.none)


class _Counts:
    """The counts of each list. Only one thread counts a list, and the others wait for it."""

    def __init__(self) -> None:
        self._by_list: dict[tuple[str, str], _Count] = {}
        self._locks: dict[tuple[str, str], threading.Lock] = defaultdict(threading.Lock)

    def of_list(self, resource: Resource, account_sid: str) -> _Count:
        """Return the counts of a list, which are at most a minute old."""
        key = (resource.name, account_sid)
        with self._locks[key]:
            counted = self._by_list.get(key)
            if counted is None or counted.expires_at < time.monotonic():
                counted = self._by_list[key] = _count_or_fail(resource, account_sid)
                counted.expires_at = time.monotonic() + CACHE_SECONDS
            return counted

    def clear(self) -> None:
        """Forget all counts, so that the next ones are read."""
        self._by_list.clear()


COUNTS: Final = _Counts()


def count_conversations(account_sid: str, flow_sid: str) -> list[Usage]:
    """Return the usage of a flow in each list that Twilio doesn't refuse, at most a minute old.

    Raise `FlexError` if Twilio can't be read.
    """
    usages = []
    for resource in RESOURCES:
        try:
            usages.append(COUNTS.of_list(resource, account_sid).usage_of(flow_sid))
        except FlexError as error:
            if not refusals.is_refusal(error):
                raise
    return usages


def list_conversations(resource: Resource, account_sid: str, flow_sid: str) -> Usage:
    """Return the usage of a flow in one list as it is now, with its newest conversations.

    Raise `FlexError` if Twilio can't be read.
    """
    return _count_all(resource, account_sid, listed_flow_sid=flow_sid).usage_of(flow_sid)


def _count_or_fail(resource: Resource, account_sid: str) -> _Count:
    try:
        return _count_all(resource, account_sid)
    except FlexError as error:
        return _Count({}, Usage(resource), error)


def _count_all(resource: Resource, account_sid: str, *, listed_flow_sid: str = "") -> _Count:
    """Return the counts of a list. Only of one flow are the conversations kept."""
    none, by_flow = Usage(resource), dict[str, Usage]()
    sids: set[str] = set()
    has_unreadable = False
    for page in _read_pages(resource, account_sid):
        for snapshot in page.objects:
            if snapshot["sid"] not in sids:
                sids.add(snapshot["sid"])
                flow_sid = str(snapshot.get("flex_flow_sid"))
                usage = by_flow.setdefault(flow_sid, Usage(resource))
                usage.add(snapshot, is_listed=flow_sid == listed_flow_sid)
        has_unreadable = has_unreadable or bool(page.unreadable)
        none.is_complete = page.next_page is None and not has_unreadable
    for usage in by_flow.values():
        usage.is_complete, usage.counted_at = none.is_complete, none.counted_at
    return _Count(by_flow, none)


def _read_pages(resource: Resource, account_sid: str) -> Iterator[ObjectPage]:
    """Yield Twilio's pages until one of the limits is reached, or its links form a loop."""
    ends_at = time.monotonic() + MAX_SECONDS
    cursor, read_cursors = FIRST_PAGE, {FIRST_PAGE}
    for _ in range(MAX_PAGES):
        page = live.list_page(resource, account_sid, cursor, page_size=PAGE_SIZE)
        yield page
        if page.next_page is None or page.next_page in read_cursors or time.monotonic() > ends_at:
            return
        cursor = page.next_page
        read_cursors.add(cursor)
