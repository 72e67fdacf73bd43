"""Counts of flows by the values of the list's filters.

Flows are counted in groups that have the same value for each filter: the account, the channel, the
integration and the state. A group is known as a `FacetValues`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from flows.accounts import twilio_accounts
from flows.core.database import aggregate_as_json
from flows.search import filters, trigrams
from flows.search.filters import filter_value
from flows.search.models import FlowEntry, FlowTally
from flows.search.query import Query

FACET_NAMES: Final = ("account", "channel", "integration", "enabled")
_FACET_COLUMNS: Final = ("account_sid", "channel_type", "integration_type", "enabled", "gone_at")

# The database groups a thousand entries faster than Python reads them.
_GROUPS_QUERY: Final = """
    SELECT account_sid, channel_type, integration_type, enabled, gone_at IS NOT NULL, {keys}
    FROM ({entries}) AS entry
    GROUP BY account_sid, channel_type, integration_type, enabled, gone_at IS NOT NULL
"""
TALLY_COLUMNS: Final = ("account_sid", "channel_type", "integration_type", "state", "flows")

Tally = Sequence[Sequence[Any]]  # the values of `TALLY_COLUMNS` of each kind that has flows
FacetValues = dict[str, str]  # a filter's name, and its value
Group = tuple[FacetValues, list[int]]  # primary keys of entries with the same values
FacetCounts = dict[str, Counter[str]]  # a filter's name, and the number of flows by value


def read_tally() -> Tally:
    """Return the tally of all accounts."""
    return list(FlowTally.objects.filter(flows__gt=0).values_list(*TALLY_COLUMNS))


def is_small(tally: Tally) -> bool:
    """Return True if reading every flow takes little time."""
    total: int = sum(flows for *_, flows in tally)
    return total <= trigrams.COMMON_THRESHOLD


def group_tally(tally: Tally, scope: twilio_accounts.Scope) -> Iterator[tuple[FacetValues, int]]:
    """Yield every group of flows in these accounts with its number of flows."""
    for account, channel, integration, state, flows in tally:
        if scope is None or account in scope:
            values = _build_facet_values(
                account, channel, integration, state == "true", state == "gone"
            )
            yield values, flows


def group_entries(entries: QuerySet[FlowEntry], *, limit: int) -> list[Group]:
    """Return the primary keys of up to `limit` entries by group."""
    columns = entries.values_list("pk", *_FACET_COLUMNS)[:limit]
    try:
        statement, parameters = columns.query.sql_with_params()
    except EmptyResultSet:  # Django knows that there are none, as in a scope without accounts
        return []
    with connection.cursor() as cursor:
        keys = aggregate_as_json("pk")
        cursor.execute(_GROUPS_QUERY.format(keys=keys, entries=statement), parameters)
        return [
            (_build_facet_values(*values), [key for [key] in json.loads(keys_json)])
            for *values, keys_json in cursor.fetchall()
        ]


def select_matching(groups: Iterable[Group], query: Query) -> list[int]:
    """Return the primary keys of the entries that pass all filters of the query."""
    return [key for values, keys in groups if not _failed_filters(values, query) for key in keys]


def count_values(groups: Iterable[tuple[FacetValues, int]]) -> filters.ValueCounts:
    """Return the number of flows by filter and value, whatever the query."""
    counts: filters.ValueCounts = {name: Counter() for name in FACET_NAMES}
    for values, flows in groups:
        for name, value in values.items():
            counts[name][value] += flows
    return counts


def count_matching(groups: Iterable[tuple[FacetValues, int]], query: Query) -> int:
    """Return the number of flows that pass all filters of the query."""
    return sum(flows for values, flows in groups if not _failed_filters(values, query))


def count_facets(groups: Iterable[tuple[FacetValues, int]], query: Query) -> FacetCounts:
    """Return the number of flows that each value of a filter would find with the other filters."""
    counts: FacetCounts = {name: Counter() for name in FACET_NAMES}
    for values, flows in groups:
        failed = _failed_filters(values, query)
        for name, value in values.items():
            if failed <= {name}:
                counts[name][value] += flows
    return counts


def _build_facet_values(
    account: str, channel: str, integration: str, enabled: bool | None, is_deleted: bool
) -> FacetValues:
    state = "true" if enabled else "false"
    if is_deleted:
        state = "gone"
    values = (account, filter_value(channel), filter_value(integration), state)
    return dict(zip(FACET_NAMES, values, strict=True))


def _failed_filters(values: FacetValues, query: Query) -> set[str]:
    """Return the names of the query's filters that exclude a group."""
    return {
        name
        for name, value in values.items()
        if not _passes_filter(name, value, wanted_value=getattr(query, name))
    }


def _passes_filter(name: str, value: str, *, wanted_value: str) -> bool:
    """Return True if a value passes a filter. Without one, only deleted flows are excluded."""
    if wanted_value:
        return value == wanted_value
    return (name, value) != ("enabled", "gone")
