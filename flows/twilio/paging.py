"""The pages of a listing: the address of the next page, and the detection of endless listings.

A page link is an address at Twilio and would lead past a configured proxy. So only its query is
used: each page is requested at the configured address, and credentials are sent nowhere else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlencode, urljoin, urlsplit

from flows.twilio.errors import FlexError, OutcomeUnknown
from flows.twilio.resource import Resource

PAGE_SIZE: Final = 1000
FALLBACK_PAGE_SIZES: Final = (100, 50)  # tried in turn if Twilio refuses the page size
MAX_PAGES: Final = 100  # of PAGE_SIZE flows; Twilio's limit is 2,500 flows an account
MAX_REPEATED_PAGES: Final = 2  # one can happen if objects are created during the listing
INVALID_PAGE_SIZE_CODE: Final = 20007
PAYLOAD_TOO_LARGE: Final = 413
MAX_TOKEN_LENGTH: Final = 500  # characters of Twilio's page token


@dataclass(frozen=True, slots=True)
class PageCursor:
    """The position of a page in a list, as Twilio's link to it has it: a number and a token.

    Both are Twilio's own. The first page has neither.
    """

    number: str = ""
    token: str = ""

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of a request for the page."""
        pairs = {"Page": self.number, "PageToken": self.token}
        return {name: value for name, value in pairs.items() if value}


FIRST_PAGE: Final = PageCursor()


def parse_cursor(number: str, token: str) -> PageCursor | None:
    """Return the position that an address or a cursor of this site has, or None if malformed."""
    is_valid = re.fullmatch("[0-9]{0,9}", number) and token.isprintable()
    return PageCursor(number, token) if is_valid and len(token) <= MAX_TOKEN_LENGTH else None


class Pagination:
    """The pages of one listing so far. `list_url` is the address of the list without a query."""

    def __init__(self, resource: Resource, list_url: str) -> None:
        self._list_name = f"Twilio's list of {resource.plural}"
        self._list_url = list_url
        self._sid_field = resource.sid_field
        # A proxy can have the collection under another path, so only its own segments count.
        self._path_length = resource.path_length
        self._max_pages = MAX_PAGES
        self._queries: set[str] = set()
        self._sids: set[str] = set()
        self._repeated_pages = 0  # consecutive pages without a new object

    def begin(self, query: Mapping[str, str], *, page_size: int) -> str:
        """Return the address of the first page."""
        first_query = urlencode(query)
        # A link without a query leads to the first page as well.
        self._queries = {"", first_query}
        self._max_pages = max(MAX_PAGES, MAX_PAGES * PAGE_SIZE // page_size)
        return f"{self._list_url}?{first_query}"

    def resolve_link(self, link: Any) -> str:
        """Return the address of the page that a link leads to.

        Raises `OutcomeUnknown` if the link is invalid or the listing has no end.
        """
        query = self._parse_link(link).query
        if query in self._queries or len(self._queries) > self._max_pages:
            raise OutcomeUnknown(f"{self._list_name} does not end: its page links form a loop")
        if self._repeated_pages >= MAX_REPEATED_PAGES:
            raise OutcomeUnknown(f"{self._list_name} does not end: its pages repeat in a loop")
        self._queries.add(query)
        return f"{self._list_url}?{query}"

    def find_cursor(self, link: Any) -> PageCursor | None:
        """Return the position that a link leads to, or None without a link.

        Raises `OutcomeUnknown` if the link is invalid.
        """
        if is_last_page(link):
            return None
        parameters = dict(parse_qsl(self._parse_link(link).query))
        return PageCursor(parameters.get("Page", ""), parameters.get("PageToken", ""))

    def note(self, objects: Iterable[Any]) -> None:
        """Remember the objects of a page.

        A loop can have a new link each time. Its pages then bring no new objects.
        """
        bodies = [body for body in objects if isinstance(body, dict)]
        sids = {str(body[self._sid_field]) for body in bodies if body.get(self._sid_field)}
        if sids <= self._sids:
            self._repeated_pages += 1
        else:
            self._repeated_pages = 0
        self._sids |= sids

    def _parse_link(self, link: Any) -> SplitResult:
        """Return the address that a link leads to, or raise `OutcomeUnknown`."""
        if not isinstance(link, str) or not link.strip().isprintable():
            raise self._invalid_link_error()
        try:
            target = urlsplit(urljoin(self._list_url, link.strip()))
        except ValueError:
            raise self._invalid_link_error() from None
        if target.scheme not in ("http", "https") or not target.netloc:
            raise self._invalid_link_error()
        if self._collection_in(target.path.rstrip("/")) != self._collection_in(self._list_url):
            raise OutcomeUnknown(
                f"{self._list_name} continues with another resource, which was not followed"
            )
        return target

    def _collection_in(self, path: str) -> list[str]:
        """Return the last segments of a path, as many as the path of the collection has."""
        return path.split("/")[-self._path_length :]

    def _invalid_link_error(self) -> OutcomeUnknown:
        return OutcomeUnknown(f"{self._list_name} continues at an invalid address")


def is_last_page(link: Any) -> bool:
    """Return True if a page has no link to a next one: null as Twilio sends it, or blank text."""
    return not str(link or "").strip()


def page_sizes_to_try(page_size: int) -> list[int]:
    """Return the page sizes to request, the largest first."""
    return [page_size, *(size for size in FALLBACK_PAGE_SIZES if size < page_size)]


def is_page_size_refused(error: FlexError) -> bool:
    """Return True if a page was refused because of its size."""
    if error.code == INVALID_PAGE_SIZE_CODE or error.status == PAYLOAD_TOO_LARGE:
        return True
    message = error.message.lower().replace(" ", "").replace("_", "")
    return error.status == 400 and "pagesize" in message
