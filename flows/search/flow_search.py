"""Finding flows in the mirror by name, identity and SID. What a person asks for is a `Query`, which lives in
the URL; how the database finds it stays in here, what its text means in terms.py.

However many flows there are, a page takes much the same time: the narrow table tells which flows are on it, the tally how
many there are. A search counts up to `COUNTED`, and says so where there are more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self
from urllib.parse import urlencode

from django.db.models import Count, F, Q, QuerySet
from django.db.models.expressions import OrderBy
from django.http import QueryDict

from flows.accounts import twilio_accounts
from flows.core import matching
from flows.core.invisible import strip_invisible
from flows.core.normalization import normalize_text
from flows.mirror.models import Flow
from flows.search import filters, trigrams
from flows.search.filters import NOT_SET, InvalidParameter
from flows.search.models import FlowEntry, FlowTally
from flows.twilio.flex import flex_flow

PAGE_SIZE: Final = 50
COUNT_LIMIT: Final = 1000  # flows that a search counts
PHONE_MIN_DIGITS: Final = 7  # digits from which a phone number can mean one flow
MAX_SUGGESTIONS: Final = 8  # values of siblings that a field offers
SORTS: Final = {
    "name": "name_folded",
    "channel": "channel_type",
    "identity": "identity_folded",
    "integration": "integration_type",
    "enabled": "enabled",
    "updated": "date_updated",
    "account": "account_sid",
}
_NULLABLE_COLUMNS: Final = ("enabled", "date_updated")
FILTERS: Final = ("channel", "integration", "enabled", "account")
_FACET_NAMES: Final = ("account", "channel", "integration", "enabled")


@dataclass(frozen=True, slots=True)
class Query:
    """A question to the list of flows, as it stands in an address. With a mistake in it, it finds nothing."""

    q: str = ""
    channel: str = ""
    integration: str = ""
    enabled: str = ""
    account: str = ""
    sort: str = "name"
    page: int = 1
    within: twilio_accounts.Scope = None  # what the person may see; not in the address
    errors: tuple[InvalidParameter, ...] = ()
    leftover: tuple[
        tuple[str, str], ...
    ] = ()  # what the address says beside the above, and that is a mistake

    @classmethod
    def of(cls, parameters: Mapping[str, str], within: twilio_accounts.Scope = None) -> Query:
        reading = filters.parse_parameters(parameters, within, SORTS)
        return cls(
            **reading.values,
            within=within,
            errors=tuple(reading.errors),
            leftover=tuple(reading.leftover),
        )

    @classmethod
    def from_query_string(cls, text: str, within: twilio_accounts.Scope = None) -> Query:
        """The same from a query string, as forms carry it along."""
        return cls.of(QueryDict(text.lstrip("?")), within)

    def url(self, **changes: str | int) -> str:
        """The query string of this query with some values changed; a new question begins at page one."""
        values = {**{name: getattr(self, name) for name in _DEFAULTS}, "page": 1, **changes}
        said = [(name, value) for name, value in values.items() if value != _DEFAULTS[name]]
        return "?" + urlencode([*said, *(one for one in self.leftover if one[0] not in changes)])

    def without(self, name: str) -> Self:
        """The query without that parameter, known or not."""
        usual: dict[str, Any] = {name: _DEFAULTS[name]} if name in _DEFAULTS else {}
        return replace(
            self,
            **usual,
            errors=tuple(one for one in self.errors if one.name != name),
            leftover=tuple(one for one in self.leftover if one[0] != name),
        )


FacetCounts = dict[str, Counter[str]]


_DEFAULTS: Final[dict[str, Any]] = {
    one.name: one.default for one in fields(Query) if one.name in filters.LABELS
}


@dataclass(frozen=True, slots=True)
class Page:
    """One page of what was found."""

    rows: list[Flow]
    total: int
    page: int
    more: bool = False  # there are more than `total`

    @property
    def first(self) -> int:
        return (self.page - 1) * PAGE_SIZE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def has_next(self) -> bool:
        return (self.last < self.total or self.more) and bool(self.rows)


@dataclass(frozen=True, slots=True)
class SearchResult:
    """What was found, and for each filter, how many flows each of its values would give beside the search and the
    other filters: at least so many, if `is_bounded`."""

    found: Page
    facets: FacetCounts
    is_bounded: bool = False
    held: filters.ValueCounts | None = (
        None  # the values that the mirror holds, where answering has read them
    )


def find_exact_match(
    text: str, *, is_number: bool = True, within: twilio_accounts.Scope = None
) -> str:
    """The SID of the flow that a pasted SID (or, if it may be one, a phone number) can only mean, or nothing."""
    text = strip_invisible(text)
    sid = text.strip()
    if flex_flow.is_sid("FO", sid):
        return sid
    if not is_number or len(matching.extract_digits(text)) < PHONE_MIN_DIGITS:
        return ""
    seen = twilio_accounts.filter_scope(FlowEntry.objects.filter(gone_at=None), within)
    sids = seen.filter(
        trigrams.candidate_filter(matching.expand_phone_number(text)), matching.phone_filter(text)
    ).values_list("sid", flat=True)[:2]
    return sids[0] if len(sids) == 1 else ""


def find_only_match(query: Query, *, is_number: bool) -> str:
    """The same of a query; nothing if it has a mistake."""
    return (
        "" if query.errors else find_exact_match(query.q, is_number=is_number, within=query.within)
    )


def suggest_values(account_sid: str) -> dict[str, list[str]]:
    """For each field that holds a SID, the values that most of the account's other flows have: what a new one needs
    too."""
    live = Flow.objects.filter(gone_at=None, account_sid=account_sid)
    return {
        name: [
            value
            for value, _ in live.values_list(f"resource__{name}")
            .annotate(flows=Count("sid"))
            .exclude(**{f"resource__{name}": None})
            .order_by("-flows")[:MAX_SUGGESTIONS]
            if value
        ]
        for name in (entry.name for entry in flex_flow.WRITABLE_FIELDS if entry.kind == "sid")
    }


def find_page(query: Query) -> Page:
    """The page of flows that the query asks for; past the end, the last one."""
    return run_query(query).found


def find_facets(query: Query) -> FacetCounts:
    """The facets of its answer."""
    return run_query(query).facets


def run_query(query: Query) -> SearchResult:
    """Answers it: in three queries, or up to seven for a search. A query with a mistake finds nothing."""
    if query.errors:
        return SearchResult(Page([], 0, 1), _count_facets([], query))
    if not normalize_text(query.q):
        kinds = list(_read_tally(query.within))
        found = _fetch_page(
            query, _apply_filters(_visible_entries(query), query), _count_matching(kinds, query)
        )
        return SearchResult(found, _count_facets(kinds, query), held=_count_values(kinds))
    narrowed = trigrams.candidate_filter(matching.index_terms(query.q))
    by_kind = _group_first_matches(_apply_search(query, narrowed))
    kinds = [(kind, len(pks)) for kind, pks in by_kind]
    counted = _count_matching(kinds, query)
    if sum(flows for _, flows in kinds) > COUNT_LIMIT:
        return SearchResult(
            _fetch_bounded_page(query, narrowed, counted),
            _count_facets(kinds, query),
            is_bounded=True,
        )
    if not counted:
        return SearchResult(Page([], 0, 1), _count_facets(kinds, query))
    entries = FlowEntry.objects.filter(pk__in=[pk for _, pks in by_kind for pk in pks])
    return SearchResult(
        _fetch_page(query, _apply_filters(entries, query), counted, by_index=False),
        _count_facets(kinds, query),
    )


def is_mirror_empty(within: twilio_accounts.Scope) -> bool:
    """Whether the person would see no flow whatever they asked for."""
    return not sum(flows for _, flows in _read_tally(within))


_FACET_COLUMNS: Final = ("account_sid", "channel_type", "integration_type", "enabled", "gone_at")
FacetValues = dict[str, str]  # a filter's name, and its value


def _build_facet_values(
    account: str, channel: str, integration: str, enabled: bool | None, is_gone: bool
) -> FacetValues:
    state = "gone" if is_gone else "true" if enabled else "false"
    return dict(
        zip(_FACET_NAMES, (account, channel or NOT_SET, integration or NOT_SET, state), strict=True)
    )


def _group_first_matches(entries: QuerySet[FlowEntry]) -> list[tuple[FacetValues, list[int]]]:
    """The first that come, of each kind: one more than are counted."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for pk, *values, gone_at in entries.values_list("pk", *_FACET_COLUMNS)[: COUNT_LIMIT + 1]:
        found.setdefault((*values, gone_at is not None), []).append(pk)
    return [(_build_facet_values(*values), pks) for values, pks in found.items()]


def _read_tally(within: twilio_accounts.Scope) -> Iterator[tuple[FacetValues, int]]:
    tally = twilio_accounts.filter_scope(FlowTally.objects.filter(flows__gt=0), within)
    for account, channel, integration, state, flows in tally.values_list(
        "account_sid", "channel_type", "integration_type", "state", "flows"
    ):
        yield (
            _build_facet_values(account, channel, integration, state == "true", state == "gone"),
            flows,
        )


def _count_values(kinds: Iterable[tuple[FacetValues, int]]) -> filters.ValueCounts:
    held: filters.ValueCounts = {name: Counter() for name in _FACET_NAMES}
    for kind, flows in kinds:
        for name, value in kind.items():
            held[name][value] += flows
    return held


def _count_matching(kinds: Iterable[tuple[FacetValues, int]], query: Query) -> int:
    return sum(flows for kind, flows in kinds if not _failed_filters(kind, query))


def _count_facets(kinds: Iterable[tuple[FacetValues, int]], query: Query) -> FacetCounts:
    found: FacetCounts = {name: Counter() for name in _FACET_NAMES}
    for kind, flows in kinds:
        fails = _failed_filters(kind, query)
        for name, value in kind.items():
            if fails <= {name}:
                found[name][value] += flows
    return found


def _failed_filters(kind: FacetValues, query: Query) -> set[str]:
    """The filters that keep it out."""
    return {
        name
        for name, value in kind.items()
        if not _passes_filter(name, value, asked=getattr(query, name))
    }


def _passes_filter(name: str, value: str, *, asked: str) -> bool:
    """What is gone is only found where it is asked for."""
    return value == asked if asked else (name, value) != ("enabled", "gone")


def list_sids(query: Query) -> list[str]:
    """The SIDs of all flows that the query asks for, whatever the page; none if it has a mistake."""
    if query.errors:
        return []
    named = (
        _apply_search(query, trigrams.candidate_filter(matching.index_terms(query.q)))
        if normalize_text(query.q)
        else _visible_entries(query)
    )
    return list(_apply_filters(named, query).values_list("sid", flat=True))


def _fetch_page(
    query: Query, entries: QuerySet[FlowEntry], total: int, *, by_index: bool = True
) -> Page:
    page = max(1, min(query.page, -(-total // PAGE_SIZE)))
    start = (page - 1) * PAGE_SIZE
    in_order = entries.order_by(*_order_by(query.sort, by_index=by_index)).values_list(
        "sid", flat=True
    )
    return Page(_load_flows(list(in_order[start : start + PAGE_SIZE])), total, page)


def _fetch_bounded_page(query: Query, narrowed: Q, counted: int) -> Page:
    """Of a search that finds many, of which so many are counted: more is only known of the last page."""
    if not narrowed:
        narrowed = trigrams.candidate_filter(matching.index_terms(query.q), in_order=True)
    entries = _apply_filters(_apply_search(query, narrowed), query)
    if counted <= COUNT_LIMIT:  # some of the first are kept out by the filters
        counted = entries[: COUNT_LIMIT + 1].count()
    if counted <= COUNT_LIMIT:
        return _fetch_page(query, entries, counted, by_index=False)
    start, by_index = (query.page - 1) * PAGE_SIZE, trigrams.is_common(entries, narrowed)
    in_order = entries.order_by(*_order_by(query.sort, by_index=by_index)).values_list(
        "sid", flat=True
    )
    sids = list(in_order[start : start + PAGE_SIZE + 1])
    if not sids:  # past the end, where no link leads
        return _fetch_page(query, entries, entries.count(), by_index=by_index)
    more, last = len(sids) > PAGE_SIZE, start + min(len(sids), PAGE_SIZE)
    return Page(
        _load_flows(sids[:PAGE_SIZE]), max(COUNT_LIMIT, last) if more else last, query.page, more
    )


def _load_flows(sids: list[str]) -> list[Flow]:
    """In that order; one that went away meanwhile is left out."""
    flows = Flow.objects.in_bulk(sids) if sids else {}
    return [flows[sid] for sid in sids if sid in flows]


def _visible_entries(query: Query) -> QuerySet[FlowEntry]:
    return twilio_accounts.filter_scope(FlowEntry.objects.all(), query.within)


def _apply_filters(entries: QuerySet[FlowEntry], query: Query) -> QuerySet[FlowEntry]:
    entries = entries.filter(gone_at__isnull=query.enabled != "gone")
    if query.account:
        entries = entries.filter(account_sid=query.account)
    if query.channel:
        entries = entries.filter(channel_type__in=_stored_values(query.channel))
    if query.integration:
        entries = entries.filter(integration_type__in=_stored_values(query.integration))
    if query.enabled == "true":
        entries = entries.filter(enabled=True)
    elif query.enabled == "false":
        entries = entries.exclude(enabled=True)
    return entries


def _apply_search(query: Query, narrowed: Q) -> QuerySet[FlowEntry]:
    """What the search leaves of what the person may see, before the filters; `narrowed` holds for all of it."""
    return _visible_entries(query).filter(
        narrowed & matching.text_filter(query.q) | matching.sid_prefix_filter(query.q)
    )


def _order_by(sort: str, *, by_index: bool) -> list[str | OrderBy]:
    """`by_index`: the database may go through an index of this order until it has a page. Few may stand at its end, so they
    are put in order by themselves: no index begins with nothing."""
    descending, column = sort.startswith("-"), SORTS[sort.lstrip("-")]
    nulls_last = True if column in _NULLABLE_COLUMNS else None
    first = (
        F(column).desc(nulls_last=nulls_last)
        if descending
        else F(column).asc(nulls_last=nulls_last)
    )
    nothing = [] if by_index else [(F("pk") * 0).asc()]
    return (
        [*nothing, first, "sid"]
        if column == "name_folded"
        else [*nothing, first, "name_folded", "sid"]
    )


def _stored_values(value: str) -> list[str]:
    return ["", NOT_SET] if value == NOT_SET else [value]
