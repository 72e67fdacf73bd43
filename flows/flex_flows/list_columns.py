"""The columns of the list of flows: their order, headings and sorts.

The cells are in flows/templatetags/flow_list_rows.py, the sort orders in flows/search/query.py.
"""

from __future__ import annotations

from typing import Final

from flows.search.query import Query

COLUMNS: Final = (
    ("name", "Name"),
    ("channel", "Channel"),
    ("identity", "Contact identity"),
    ("integration", "Handled by"),
    ("enabled", "Status"),
    ("updated", "Changed"),
)
_ACCOUNT_COLUMN: Final = ("account", "Account")  # after the name, on a site with several accounts


def build_headings(query: Query, *, shows_account: bool) -> list[dict[str, str | None]]:
    """Return the headings of the columns, each with the address that sorts by it."""
    columns = list(COLUMNS)
    if shows_account:
        columns.insert(1, _ACCOUNT_COLUMN)
    return [_build_heading(query, key, label) for key, label in columns]


def _build_heading(query: Query, key: str, label: str) -> dict[str, str | None]:
    """Return a heading. The address of the column that sorts the list reverses the order."""
    directions = {key: "ascending", f"-{key}": "descending"}
    direction = directions.get(query.sort)
    next_sort = f"-{key}" if direction == "ascending" else key
    return {"key": key, "label": label, "url": query.url(sort=next_sort), "direction": direction}
