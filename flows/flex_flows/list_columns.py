"""The columns of the list of flows: their order, headings and sorts, and those that a user sees.

The cells are in row_html.py, the sort orders in flows/search/query.py.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, Final

from flows.flex_flows.models import ListPreferences
from flows.search.models import SavedView
from flows.search.query import SORTS, Query

COLUMNS: Final = (
    ("name", "Name"),
    ("channel", "Channel"),
    ("identity", "Contact identity"),
    ("integration", "Handled by"),
    ("enabled", "Status"),
    ("updated", "Changed"),
)
REQUIRED_COLUMN: Final = "name"
_ACCOUNT_COLUMN: Final = ("account", "Account")  # after the name, on a site with several accounts
_OWNER_COLUMN: Final = ("owner", "Owner and tags")  # before the status


class ListLayout:
    """The columns that a page of the list shows, and its density.

    The column of the name is always shown, and so is the one that sorts the list. That of owners
    and tags is offered if a flow of the site has any (`has_owners`), and only shown if a flow of
    the page has (`shows_owner`). Until the user has chosen columns, it needs a wide window.
    """

    def __init__(
        self,
        query: Query,
        preferences: ListPreferences,
        *,
        shows_account: bool,
        has_owners: bool,
        shows_owner: bool,
    ) -> None:
        self._query = query
        self._columns = _site_columns(shows_account=shows_account, has_owners=has_owners)
        self._shows_owner = shows_owner
        self.shows_owner_if_wide = has_owners and not preferences.is_saved
        self._hidden: Collection[Any] = preferences.hidden_columns
        self.density = preferences.density

    @property
    def visible_keys(self) -> list[str]:
        """The keys of the columns that are shown, in their order."""
        return [key for key, _ in self._columns if self._is_visible(key)]

    @property
    def headings(self) -> list[dict[str, str | None]]:
        """The headings of the columns that are shown, each with the address that sorts by it."""
        return [
            _build_heading(self._query, key, label)
            for key, label in self._columns
            if self._is_visible(key)
        ]

    @property
    def table_classes(self) -> list[str]:
        """The CSS classes of the table besides those that every list of flows has."""
        classes = {
            "compact": self.density == ListPreferences.Density.COMPACT,
            "owner-if-wide": self.shows_owner_if_wide,
        }
        return [name for name, is_set in classes.items() if is_set]

    @property
    def choices(self) -> list[tuple[str, str, bool]]:
        """Key, label and state of each column that a user can hide. True means not hidden."""
        return [
            (key, label, key not in self._hidden)
            for key, label in self._columns
            if key != REQUIRED_COLUMN
        ]

    @property
    def densities(self) -> list[tuple[str, str, bool]]:
        """Value, label and state of each density. True means chosen."""
        return [
            (value, label, value == self.density)
            for value, label in ListPreferences.Density.choices
        ]

    def _is_visible(self, key: str) -> bool:
        if key == "owner" and not self._shows_owner:
            return False
        is_required = key in (REQUIRED_COLUMN, self._query.sort.removeprefix("-"))
        return is_required or key not in self._hidden


def plain_columns(*, shows_account: bool) -> list[dict[str, str]]:
    """Return the columns after the name for a page whose list nobody sorts or arranges."""
    columns = _site_columns(shows_account=shows_account, has_owners=False)
    return [{"key": key, "label": label} for key, label in columns if key != REQUIRED_COLUMN]


def load_preferences(user: Any) -> ListPreferences:
    """Return the user's preferences, or the defaults if they have not saved any."""
    preferences: ListPreferences | None = getattr(user, "list_preferences", None)
    return preferences or ListPreferences(person_id=user.pk)


def save_preferences(
    user: Any,
    *,
    shown_columns: Iterable[str],
    density: str,
    shows_account: bool,
    has_owners: bool,
) -> None:
    """Save the columns and the density that a user has chosen.

    Unknown values are ignored. A column that the form did not offer stays as it was.
    """
    shown_keys = set(shown_columns)
    columns = _site_columns(shows_account=shows_account, has_owners=has_owners)
    offered = {key for key, _ in columns} - {REQUIRED_COLUMN}
    hidden_before = set(load_preferences(user).hidden_columns) - offered
    if density not in ListPreferences.Density.values:
        density = ListPreferences.Density.COMFORTABLE
    ListPreferences.objects.update_or_create(
        person_id=user.pk,
        defaults={
            "hidden_columns": sorted(offered - shown_keys | hidden_before),
            "density": density,
        },
    )


def set_default_view(user: Any, view: SavedView | None) -> None:
    """Make a view what the list shows without a query, or None for all flows."""
    ListPreferences.objects.update_or_create(person_id=user.pk, defaults={"default_view": view})


def _site_columns(*, shows_account: bool, has_owners: bool) -> list[tuple[str, str]]:
    """Return all columns of this site."""
    columns = list(COLUMNS)
    if has_owners:
        columns.insert(4, _OWNER_COLUMN)
    if shows_account:
        columns.insert(1, _ACCOUNT_COLUMN)
    return columns


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
