"""The pages of a listing: where the next one is asked for, and when there is no end.

Page links are Twilio's own addresses. Behind a proxy these lead past it, so only their query is used: each
page is asked for at the configured address, and the credentials go nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

from flows.flexapi.errors import FlexError, Refused, Unknown

PAGE_SIZE: Final = 1000
SMALLER: Final = (100, 50)  # asked for instead where a page of that size is refused
MAX_PAGES: Final = 100  # of PAGE_SIZE flows; Twilio's limit is 2,500 flows an account
MOST_REPETITIONS: Final = 2  # one alone can be of flows that moved on while pages were read
PAGE_SIZE_WRONG: Final = 20007
TOO_LARGE: Final = 413


class Trail:
    """The pages of one listing that were asked for. `listing` is the address of the list, without a query."""

    def __init__(self, listing: str) -> None:
        self._listing = listing
        self._most = MAX_PAGES
        self._queries: set[str] = set()
        self._sids: set[str] = set()
        self._repetitions = 0  # pages in a row without a new flow

    def begin(self, query: Mapping[str, str], *, flows_a_page: int) -> str:
        """The address of the first page."""
        text = urlencode(query)
        self._queries = {"", text}  # a link without a query leads to it too
        self._most = max(MAX_PAGES, MAX_PAGES * PAGE_SIZE // flows_a_page)
        return f"{self._listing}?{text}"

    def next_address(self, link: Any) -> str:
        """The address of the page that a link of the list's leads to. `Unknown` if it leads nowhere, or
        round."""
        query = self._query_of(link)
        if query in self._queries or len(self._queries) > self._most:
            raise Unknown("Twilio's list of flows does not end: its page links form a loop")
        if self._repetitions >= MOST_REPETITIONS:
            raise Unknown("Twilio's list of flows does not end: its pages repeat in a loop")
        self._queries.add(query)
        return f"{self._listing}?{query}"

    def note(self, resources: Iterable[Any]) -> None:
        """Remember the flows of a page. Links that are new each time can form a loop too: then the pages
        bring nothing new."""
        sids = {str(one["sid"]) for one in resources if isinstance(one, dict) and one.get("sid")}
        self._repetitions = self._repetitions + 1 if sids <= self._sids else 0
        self._sids |= sids

    def _query_of(self, link: Any) -> str:
        try:
            target = urlsplit(urljoin(self._listing, str(link).strip()))
            is_web = target.scheme in ("http", "https") and bool(target.netloc)
        except ValueError:
            raise _makes_no_sense() from None
        resource = target.path.rstrip("/").rpartition("/")[2]
        if not isinstance(link, str) or not is_web or not link.strip().isprintable():
            raise _makes_no_sense()
        if resource != self._listing.rpartition("/")[2]:
            raise Unknown("Twilio's list of flows continues with another resource, which was not followed")
        return target.query


def is_end(link: Any) -> bool:
    """Tell whether there is no next page. Twilio says so with null, others with an empty text or nothing at
    all."""
    return not link or (isinstance(link, str) and not link.strip())


def sizes(wanted: int) -> list[int]:
    """The page sizes to ask for, the largest first."""
    return [wanted, *(size for size in SMALLER if size < wanted)]


def is_too_large(error: FlexError) -> bool:
    """Tell whether a page was refused for its size."""
    if not isinstance(error, Refused | Unknown):
        return False
    names_it = "pagesize" in error.message.lower().replace(" ", "").replace("_", "")
    return error.code == PAGE_SIZE_WRONG or error.status == TOO_LARGE or (error.status == 400 and names_it)


def _makes_no_sense() -> Unknown:
    return Unknown("Twilio's list of flows continues at an invalid address")
