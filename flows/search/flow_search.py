"""Search of the mirror's flows by name, contact identity, SID, owner and tag.

A page takes about the same time however many flows there are. The narrow table (projection.py)
gives its rows, the tally (counters.py) the number of flows. A search counts up to `COUNT_LIMIT`
flows and reports that there are more. The meaning of its text is defined in flows/core/matching.py.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.db.models import F, Q, QuerySet, TextField
from django.db.models.expressions import OrderBy
from django.db.models.functions import Cast

from flows.accounts import twilio_accounts
from flows.core import matching
from flows.core.database import split_batches
from flows.core.invisible import strip_invisible
from flows.core.normalization import normalize_text
from flows.mirror.models import Flow
from flows.search import facets, trigrams
from flows.search.facets import FacetCounts
from flows.search.filters import NOT_SET
from flows.search.listed_flows import ListedFlow, load_by_keys, load_entries
from flows.search.models import FlowEntry
from flows.search.query import FILTERS as FILTERS
from flows.search.query import SORTS as SORTS
from flows.search.query import Query as Query
from flows.search.search_conditions import SearchConditions
from flows.search.target_search import FoundTarget
from flows.twilio.flex.flex_flow import FLEX_FLOW

PAGE_SIZE: Final = 50  # rows of a page, unless the query has another number
COUNT_LIMIT: Final = 1000  # flows that a search counts
PHONE_MIN_DIGITS: Final = 7  # digits of a phone number that can identify one flow
_NULLABLE_COLUMNS: Final = ("enabled", "date_updated")
_STATE_CONDITIONS: Final = {
    "": Q(gone_at=None),
    "true": Q(gone_at=None, enabled=True),
    "false": Q(gone_at=None) & ~Q(enabled=True),
    "gone": Q(gone_at__isnull=False),
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the flows that a query finds."""

    rows: list[ListedFlow]
    total: int
    page: int
    more: bool = False  # there are more flows than `total`
    size: int = field(default=PAGE_SIZE, compare=False)  # rows of a full page

    @property
    def first(self) -> int:
        return (self.page - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def has_next(self) -> bool:
        return (self.last < self.total or self.more) and bool(self.rows)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """A page of flows, and the number of flows that each value of a filter would find.

    The numbers are lower bounds if `is_bounded`. `targets` are those that the search means.
    """

    page: Page
    facets: FacetCounts
    is_bounded: bool = False
    targets: Sequence[FoundTarget] = ()


def find_exact_match(
    text: str, *, is_number: bool = True, scope: twilio_accounts.Scope = None
) -> str:
    """Return the SID of the only flow that a SID or phone number can mean, or an empty string.

    Phone numbers are only searched if `is_number` is True.
    """
    text = strip_invisible(text)
    sid = text.strip()
    if FLEX_FLOW.is_sid(sid):
        return sid
    if not is_number or len(matching.extract_digits(text)) < PHONE_MIN_DIGITS:
        return ""
    entries = twilio_accounts.filter_scope(FlowEntry.objects.filter(gone_at=None), scope)
    candidates = trigrams.candidate_filter(matching.expand_phone_number(text))
    matches = entries.filter(candidates, matching.phone_filter(text))
    sids = matches.values_list("sid", flat=True)[:2]
    return sids[0] if len(sids) == 1 else ""


def find_only_match(query: Query, *, is_number: bool) -> str:
    """Return the only match of a query's search text, or an empty string.

    A query with errors has no match.
    """
    if query.errors:
        return ""
    return find_exact_match(query.q, is_number=is_number, scope=query.scope)


def find_page(query: Query) -> Page:
    """Return the page that the query asks for, or the last one if there are fewer."""
    return run_query(query).page


def find_facets(query: Query) -> FacetCounts:
    """Return the facets of the query's result."""
    return run_query(query).facets


def run_query(query: Query, tally: facets.Tally | None = None) -> SearchResult:
    """Return the result of a query, in two database queries or up to eight for a search.

    `tally` saves one of them, if the caller has read it.
    """
    if query.errors:
        return SearchResult(Page([], 0, 1), facets.count_facets([], query))
    search = SearchConditions.of(query)
    if search is None:
        return _run_filters(query, facets.read_tally() if tally is None else tally)
    is_small = tally is not None and facets.is_small(tally)
    return _run_search(query, search, is_small=is_small)


def _run_filters(query: Query, tally: facets.Tally) -> SearchResult:
    """Return the result of a query that the tally counts."""
    groups = list(facets.group_tally(tally, query.scope))
    entries = _apply_filters(_visible_entries(query), query)
    return SearchResult(
        _fetch_page(query, entries, facets.count_matching(groups, query)),
        facets.count_facets(groups, query),
    )


def _run_search(query: Query, search: SearchConditions, *, is_small: bool) -> SearchResult:
    """Return the result of a query with a search text, or with a filter without a tally.

    `is_small` means that the mirror has so few flows that all can be read one by one.
    """
    candidates = search.candidates(is_small=is_small)
    matches = _visible_entries(query).filter(search.condition(candidates))
    keys_by_group = facets.group_entries(matches, limit=COUNT_LIMIT + 1)
    groups = [(values, len(keys)) for values, keys in keys_by_group]
    facet_counts = facets.count_facets(groups, query)
    targets = search.matches.targets
    passing_keys = facets.select_matching(keys_by_group, query)
    if sum(flows for _, flows in groups) > COUNT_LIMIT:
        if is_small or not candidates:
            # The matches were counted in any order. Now the first ones in the query's order are needed.
            candidates = Q() if is_small else search.candidates(in_order=True)
            matches = _visible_entries(query).filter(search.condition(candidates))
        page = _fetch_bounded_page(query, matches, candidates, len(passing_keys))
        return SearchResult(page, facet_counts, is_bounded=True, targets=targets)
    if not passing_keys:
        return SearchResult(Page([], 0, 1), facet_counts)
    page = _fetch_page_of_keys(query, passing_keys)
    return SearchResult(page, facet_counts, targets=targets)


def find_first(query: Query, limit: int) -> list[Flow]:
    """Return up to `limit` flows that a search finds, first those whose name starts with its text.

    They are not counted, so two or three database queries are enough.
    """
    text = normalize_text(query.q)
    search = SearchConditions.of(query)
    if query.errors or not text or search is None:
        return []
    matches = _visible_entries(query).filter(search.condition(search.candidates()))
    entries = _apply_filters(matches, query)
    flows = _load_first(entries, limit)
    if len(flows) == limit:  # there may be more, so the best ones are asked for
        flows = [*_load_first(entries.filter(name_folded__startswith=text), limit), *flows]
    distinct_flows = list(dict.fromkeys(flows))
    distinct_flows.sort(key=lambda flow: not flow.name_folded.startswith(text))
    return distinct_flows[:limit]


def _load_first(entries: QuerySet[FlowEntry], limit: int) -> list[Flow]:
    """Return the first flows of these entries by name."""
    sids = entries.order_by("name_folded", "sid").values("sid")[:limit]
    return list(Flow.objects.filter(sid__in=sids).order_by("name_folded", "sid"))


def list_sids(query: Query) -> list[str]:
    """Return the SIDs of all flows that the query finds on all pages; none if it has errors."""
    return list(_find_entries(query).values_list("sid", flat=True))


def select_found(query: Query, sids: Collection[str]) -> set[str]:
    """Return those of these SIDs that the query finds; none if it has errors."""
    matching_sids: set[str] = set()
    for batch in split_batches(sorted(sids)):
        matching_sids.update(
            _find_entries(query).filter(sid__in=batch).values_list("sid", flat=True)
        )
    return matching_sids


def _find_entries(query: Query) -> QuerySet[FlowEntry]:
    """Return the entries that the query finds on all pages; none if it has errors."""
    if query.errors:
        return FlowEntry.objects.none()
    entries = _visible_entries(query)
    if search := SearchConditions.of(query):
        entries = entries.filter(search.condition(search.candidates()))
    return _apply_filters(entries, query)


def find_after(query: Query, sid: str, limit: int) -> list[tuple[str, str, datetime | None]]:
    """Return up to `limit` flows that the query finds, in the order of their SIDs, after a SID.

    Each has its SID, its fields as the JSON that is stored, and when it was found deleted. The
    query has no errors.
    """
    entries = _visible_entries(query)
    if search := SearchConditions.of(query):
        entries = entries.filter(search.condition(search.candidates()))
    entries = _apply_filters(entries, query).filter(sid__gt=sid).order_by("sid")
    flows = Flow.objects.filter(sid__in=entries.values("sid")[:limit])
    flows = flows.order_by("sid").annotate(text=Cast("resource", TextField()))
    return list(flows.values_list("sid", "text", "gone_at"))


def _fetch_page_of_keys(query: Query, keys: Sequence[int]) -> Page:
    """Return the query's page of the entries with these primary keys, or the last one."""
    page, start, size = _clamp_page(query, len(keys))
    flows = load_by_keys(keys, _order_sql(query.sort), start=start, count=size)
    return Page(flows, len(keys), page, size=size)


def _clamp_page(query: Query, total: int) -> tuple[int, int, int]:
    """Return the number, the first row and the size of the query's page, or of the last one."""
    size = query.size or PAGE_SIZE
    last_page = -(-total // size)
    page = max(1, min(query.page, last_page))
    return page, (page - 1) * size, size


def _fetch_page(
    query: Query, entries: QuerySet[FlowEntry], total: int, *, by_index: bool = True
) -> Page:
    """Return the query's page of these entries, or the last one. `total` is their number."""
    page, start, size = _clamp_page(query, total)
    flows = _load_flows(query, entries, start=start, count=size, by_index=by_index)
    return Page(flows, total, page, size=size)


def _fetch_bounded_page(
    query: Query, matches: QuerySet[FlowEntry], candidates: Q, counted: int
) -> Page:
    """Return the page of a search that matches more than `COUNT_LIMIT` flows.

    `counted` of the first ones pass the filters. The page's total is the number of flows up to its
    end, or `COUNT_LIMIT` if that is more.
    """
    entries = _apply_filters(matches, query)
    if counted <= COUNT_LIMIT:
        # The filters excluded some of the first flows, but later ones may pass.
        counted = entries[: COUNT_LIMIT + 1].count()
    if counted <= COUNT_LIMIT:
        return _fetch_page(query, entries, counted, by_index=False)
    size = query.size or PAGE_SIZE
    start = (query.page - 1) * size
    by_index = trigrams.is_common(entries, candidates)
    flows = _load_flows(query, entries, start=start, count=size + 1, by_index=by_index)
    if not flows:  # past the end, where no link leads
        return _fetch_page(query, entries, entries.count(), by_index=by_index)
    has_more = len(flows) > size
    last = start + min(len(flows), size)
    total = max(COUNT_LIMIT, last) if has_more else last
    return Page(flows[:size], total, query.page, has_more, size)


def _load_flows(
    query: Query, entries: QuerySet[FlowEntry], *, start: int, count: int, by_index: bool
) -> list[ListedFlow]:
    """Return `count` flows of these entries, from `start` on in the query's order."""
    sorted_entries = entries.order_by(*_order_by(query.sort, by_index=by_index))
    # The narrow table gives the rows of the page, and then only these are sorted again.
    return load_entries(sorted_entries[start : start + count], _order_sql(query.sort))


def _visible_entries(query: Query) -> QuerySet[FlowEntry]:
    return twilio_accounts.filter_scope(FlowEntry.objects.all(), query.scope)


def _apply_filters(entries: QuerySet[FlowEntry], query: Query) -> QuerySet[FlowEntry]:
    entries = entries.filter(_STATE_CONDITIONS[query.enabled])
    if query.account:
        entries = entries.filter(account_sid=query.account)
    if query.channel:
        entries = entries.filter(channel_type__in=_stored_values(query.channel))
    if query.integration:
        entries = entries.filter(integration_type__in=_stored_values(query.integration))
    return entries


def _order_by(sort: str, *, by_index: bool) -> list[str | OrderBy]:
    """Return the sort columns of a query.

    With `by_index`, the database may follow an index of this order until it has a page. That is
    slow for few flows at its end, so otherwise a constant comes first, which no index has.
    """
    column = SORTS[sort.lstrip("-")]
    is_descending = sort.startswith("-")
    nulls_last = column in _NULLABLE_COLUMNS or None
    order: list[str | OrderBy] = [
        OrderBy(F(column), descending=is_descending, nulls_last=nulls_last)
    ]
    if column != "name_folded":
        order.append("name_folded")
    order.append("sid")
    constant = (F("pk") * 0).asc()
    return order if by_index else [constant, *order]


def _order_sql(sort: str) -> str:
    """Return the order of `_order_by` for the rows of a page, as SQL."""
    column = SORTS[sort.lstrip("-")]
    direction = "DESC" if sort.startswith("-") else "ASC"
    nulls = " NULLS LAST" if column in _NULLABLE_COLUMNS else ""
    return f"flow.{column} {direction}{nulls}, flow.name_folded, flow.sid"


def _stored_values(value: str) -> list[str]:
    return ["", NOT_SET] if value == NOT_SET else [value]
