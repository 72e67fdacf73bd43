"""The columns of the list of flows: their order, headings and sorts.

The cells are in flows/templatetags/flow_list_rows.py, the sort orders in flows/search/query.py.
"""

from __future__ import annotations

from typing import Final

from flows.search.query import SORTS, Query

COLUMNS: Final = (
    ("name", "Name"),
    ("channel", "Channel"),
    ("identity", "Contact identity"),
    ("integration", "Handled by"),
    ("enabled", "Status"),
    ("updated", "Changed"),
)
_ACCOUNT_COLUMN: Final = ("account", "Account")  # after the name, on a site with several accounts
_OWNER_COLUMN: Final = (
    "owner",
    "Owner and tags",
)  # before the status, if a flow of the page has any


def build_headings(
    query: Query, *, shows_account: bool, shows_owner: bool = False
) -> list[dict[str, str | None]]:
    """Return the headings of the columns, each with the address that sorts by it."""
    columns = list(COLUMNS)
    if shows_owner:
        columns.insert(4, _OWNER_COLUMN)
    if shows_account:
        columns.insert(1, _ACCOUNT_COLUMN)
    return [_build_heading(query, key, label) for key, label in columns]


def _build_heading(query: Query, key: str, label: str) -> dict[str, str | None]:
    """Return a heading. The address of the column that sorts the list reverses the order.

    A column that the list can't be sorted by has no address.
    """
    if key not in SORTS:
        return {"key": key, "label": label, "url": None, "direction": None}
    directions = {key: "ascending", f"-{key}": "descending"}
    direction = directions.get(query.sort)
    next_sort = f"-{key}" if direction == "ascending" else key
    return {"key": key, "label": label, "url": query.url(sort=next_sort), "direction": direction}
