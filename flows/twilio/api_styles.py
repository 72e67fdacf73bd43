"""The styles of Twilio's APIs: how a page of a list links to the next one, and what addresses have.

An API of today links its pages in `meta`, by whole addresses. The API of 2010 links them in the
page itself, by relative addresses, and each address ends in `.json`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiStyle:
    """The style of an API.

    `meta_key` is the key of the object in a page that has its links, "" if the page itself has
    them. `next_key` and `previous_key` are the keys of the links to other pages, `address_key` that of an object's own
    address, and `suffix` the end of each address.
    """

    meta_key: str
    next_key: str
    previous_key: str
    address_key: str
    suffix: str = ""

    def links_of(self, page: dict[str, Any]) -> dict[str, Any] | None:
        """Return the object that has a page's links, or None if it is not a page."""
        links = page.get(self.meta_key) if self.meta_key else page
        return links if isinstance(links, dict) else None


CURRENT_API: Final = ApiStyle(
    meta_key="meta",
    next_key="next_page_url",
    previous_key="previous_page_url",
    address_key="url",
)
API_OF_2010: Final = ApiStyle(
    meta_key="",
    next_key="next_page_uri",
    previous_key="previous_page_uri",
    address_key="uri",
    suffix=".json",
)
