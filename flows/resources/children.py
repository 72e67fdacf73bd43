"""The objects that belong to one object of the Flex API, such as the versions of a plugin."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from flows.audit.access import Request
from flows.mirror import live
from flows.resources import displayed, links
from flows.resources.views.offered import can
from flows.twilio.errors import FlexError
from flows.twilio.flex_resources import CHILD_RESOURCES
from flows.twilio.paging import FIRST_PAGE
from flows.twilio.resource import Resource

MAX_POLLS: Final = 10  # of a page, in about two minutes
FIRST_DELAY: Final = 2  # seconds
LONGEST_DELAY: Final = 30  # seconds
_POLL_NUMBERS: Final = frozenset(map(str, range(MAX_POLLS)))


def read_children(request: Request, resource: Resource, sid: str) -> dict[str, Any]:
    """Return the context with a list of the first objects of each kind, or the error instead."""
    children = [child for child in CHILD_RESOURCES if child.parent is resource]
    return {"children": [_read_list(request, child, sid) for child in children]}


@dataclass(frozen=True, slots=True)
class Poll:
    """The next time that a page asks for a list again: the address, and the seconds until then."""

    url: str
    delay: int


def _next_poll(request: Request) -> Poll | None:
    """Return the next poll of a page, each later than the one before, or None after the last."""
    number = request.GET.get("polls", "0")
    count = int(number) if number in _POLL_NUMBERS else MAX_POLLS
    if count >= MAX_POLLS:
        return None
    parameters = {**request.GET.dict(), "polls": str(count + 1)}
    delay = min(FIRST_DELAY * 2 ** (count // 2), LONGEST_DELAY)
    return Poll(f"{request.path}?{urlencode(parameters)}", delay)


def _read_list(request: Request, child: Resource, parent_sid: str) -> dict[str, Any]:
    account_sid = request.account_sid
    entry: dict[str, Any] = {
        "resource": child,
        "columns": [child.field(name) for name in child.list_columns if name != child.name_field],
        "new_url": "",
    }
    if can(request, child, "create"):
        entry["new_url"] = links.new_url(child, account_sid, parent_sid=parent_sid)
    try:
        page = live.list_page(child, account_sid, FIRST_PAGE, parent_sid=parent_sid)
    except FlexError as error:
        return {**entry, "error": error}
    is_pending = any(map(child.is_pending, page.objects))
    return {
        **entry,
        "is_pending": is_pending,
        "poll": _next_poll(request) if is_pending else None,
        "rows": displayed.build_rows(child, account_sid, page.objects),
        "has_more": page.next_page is not None,
    }
