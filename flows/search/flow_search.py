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
from flows.core.invisible import without_hidden
from flows.core.normalization import fold
from flows.mirror.models import Flow
from flows.search import filters, trigrams
from flows.search.filters import NOT_SET, Mistake
from flows.search.models import FlowEntry, FlowTally
from flows.twilio.flex import flex_flow

PAGE_SIZE: Final = 50
COUNTED: Final = 1000  # flows that a search counts
WHOLE_NUMBER: Final = 7  # digits from which a phone number can mean one flow
OFFERED: Final = 8  # values of siblings that a field offers
SORTS: Final = {
    "name": "name_folded",
    "channel": "channel_type",
    "identity": "identity_folded",
    "integration": "integration_type",
    "enabled": "enabled",
    "updated": "date_updated",
    "account": "account_sid",
}
_MAY_BE_NULL: Final = ("enabled", "date_updated")
FILTERS: Final = ("channel", "integration", "enabled", "account")
_KIND: Final = ("account", "channel", "integration", "enabled")


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
    mistakes: tuple[Mistake, ...] = ()
    leftover: tuple[
        tuple[str, str], ...
    ] = ()  # what the address says beside the above, and that is a mistake

    @classmethod
    def of(cls, parameters: Mapping[str, str], within: twilio_accounts.Scope = None) -> Query:
        reading = filters.read(parameters, within, SORTS)
        return cls(
            **reading.values,
            within=within,
            mistakes=tuple(reading.mistakes),
            leftover=tuple(reading.leftover),
        )

    @classmethod
    def of_text(cls, text: str, within: twilio_accounts.Scope = None) -> Query:
        """The same from a query string, as forms carry it along."""
        return cls.of(QueryDict(text.lstrip("?")), within)

    def url(self, **changes: str | int) -> str:
        """The query string of this query with some values changed; a new question begins at page one."""
        values = {**{name: getattr(self, name) for name in _USUAL}, "page": 1, **changes}
        said = [(name, value) for name, value in values.items() if value != _USUAL[name]]
        return "?" + urlencode([*said, *(one for one in self.leftover if one[0] not in changes)])

    def without(self, name: str) -> Self:
        """The query without that parameter, known or not."""
        usual: dict[str, Any] = {name: _USUAL[name]} if name in _USUAL else {}
        return replace(
            self,
            **usual,
            mistakes=tuple(one for one in self.mistakes if one.name != name),
            leftover=tuple(one for one in self.leftover if one[0] != name),
        )


Facets = dict[str, Counter[str]]


_USUAL: Final[dict[str, Any]] = {one.name: one.default for one in fields(Query) if one.name in filters.LABELS}


@dataclass(frozen=True, slots=True)
class Found:
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
class Answer:
    """What was found, and for each filter, how many flows each of its values would give beside the search and the
    other filters: at least so many, if `is_bounded`."""

    found: Found
    facets: Facets
    is_bounded: bool = False
    held: filters.Held | None = None  # the values that the mirror holds, where answering has read them


def the_one(text: str, *, is_number: bool = True, within: twilio_accounts.Scope = None) -> str:
    """The SID of the flow that a pasted SID (or, if it may be one, a phone number) can only mean, or nothing."""
    text = without_hidden(text)
    sid = text.strip()
    if flex_flow.is_sid("FO", sid):
        return sid
    if not is_number or len(matching.digits_of(text)) < WHOLE_NUMBER:
        return ""
    seen = twilio_accounts.within(FlowEntry.objects.filter(gone_at=None), within)
    sids = seen.filter(trigrams.narrowed(matching.spellings(text)), matching.has_number(text)).values_list(
        "sid", flat=True
    )[:2]
    return sids[0] if len(sids) == 1 else ""


def only_flow(query: Query, *, is_number: bool) -> str:
    """The same of a query; nothing if it has a mistake."""
    return "" if query.mistakes else the_one(query.q, is_number=is_number, within=query.within)


def of_siblings(account_sid: str) -> dict[str, list[str]]:
    """For each field that holds a SID, the values that most of the account's other flows have: what a new one needs
    too."""
    live = Flow.objects.filter(gone_at=None, account_sid=account_sid)
    return {
        name: [
            value
            for value, _ in live.values_list(f"resource__{name}")
            .annotate(flows=Count("sid"))
            .exclude(**{f"resource__{name}": None})
            .order_by("-flows")[:OFFERED]
            if value
        ]
        for name in (entry.name for entry in flex_flow.WRITABLE if entry.kind == "sid")
    }


def find(query: Query) -> Found:
    """The page of flows that the query asks for; past the end, the last one."""
    return answer(query).found


def facets(query: Query) -> Facets:
    """The facets of its answer."""
    return answer(query).facets


def answer(query: Query) -> Answer:
    """Answers it: in three queries, or up to seven for a search. A query with a mistake finds nothing."""
    if query.mistakes:
        return Answer(Found([], 0, 1), _facets([], query))
    if not fold(query.q):
        kinds = list(_tallied(query.within))
        found = _page(query, _filtered(_seen(query), query), _sum(kinds, query))
        return Answer(found, _facets(kinds, query), held=_held(kinds))
    narrowed = trigrams.narrowed(matching.texts_of(query.q))
    by_kind = _first_some(_named(query, narrowed))
    kinds = [(kind, len(pks)) for kind, pks in by_kind]
    counted = _sum(kinds, query)
    if sum(flows for _, flows in kinds) > COUNTED:
        return Answer(_bounded_page(query, narrowed, counted), _facets(kinds, query), is_bounded=True)
    if not counted:
        return Answer(Found([], 0, 1), _facets(kinds, query))
    entries = FlowEntry.objects.filter(pk__in=[pk for _, pks in by_kind for pk in pks])
    return Answer(_page(query, _filtered(entries, query), counted, by_index=False), _facets(kinds, query))


def mirror_is_empty(within: twilio_accounts.Scope) -> bool:
    """Whether the person would see no flow whatever they asked for."""
    return not sum(flows for _, flows in _tallied(within))


_COLUMNS: Final = ("account_sid", "channel_type", "integration_type", "enabled", "gone_at")
Kind = dict[str, str]  # a filter's name, and its value


def _kind(account: str, channel: str, integration: str, enabled: bool | None, is_gone: bool) -> Kind:
    state = "gone" if is_gone else "true" if enabled else "false"
    return dict(zip(_KIND, (account, channel or NOT_SET, integration or NOT_SET, state), strict=True))


def _first_some(entries: QuerySet[FlowEntry]) -> list[tuple[Kind, list[int]]]:
    """The first that come, of each kind: one more than are counted."""
    found: dict[tuple[Any, ...], list[int]] = {}
    for pk, *values, gone_at in entries.values_list("pk", *_COLUMNS)[: COUNTED + 1]:
        found.setdefault((*values, gone_at is not None), []).append(pk)
    return [(_kind(*values), pks) for values, pks in found.items()]


def _tallied(within: twilio_accounts.Scope) -> Iterator[tuple[Kind, int]]:
    tally = twilio_accounts.within(FlowTally.objects.filter(flows__gt=0), within)
    for account, channel, integration, state, flows in tally.values_list(
        "account_sid", "channel_type", "integration_type", "state", "flows"
    ):
        yield _kind(account, channel, integration, state == "true", state == "gone"), flows


def _held(kinds: Iterable[tuple[Kind, int]]) -> filters.Held:
    held: filters.Held = {name: Counter() for name in _KIND}
    for kind, flows in kinds:
        for name, value in kind.items():
            held[name][value] += flows
    return held


def _sum(kinds: Iterable[tuple[Kind, int]], query: Query) -> int:
    return sum(flows for kind, flows in kinds if not _fails(kind, query))


def _facets(kinds: Iterable[tuple[Kind, int]], query: Query) -> Facets:
    found: Facets = {name: Counter() for name in _KIND}
    for kind, flows in kinds:
        fails = _fails(kind, query)
        for name, value in kind.items():
            if fails <= {name}:
                found[name][value] += flows
    return found


def _fails(kind: Kind, query: Query) -> set[str]:
    """The filters that keep it out."""
    return {name for name, value in kind.items() if not _passes(name, value, asked=getattr(query, name))}


def _passes(name: str, value: str, *, asked: str) -> bool:
    """What is gone is only found where it is asked for."""
    return value == asked if asked else (name, value) != ("enabled", "gone")


def sids_of(query: Query) -> list[str]:
    """The SIDs of all flows that the query asks for, whatever the page; none if it has a mistake."""
    if query.mistakes:
        return []
    named = _named(query, trigrams.narrowed(matching.texts_of(query.q))) if fold(query.q) else _seen(query)
    return list(_filtered(named, query).values_list("sid", flat=True))


def _page(query: Query, entries: QuerySet[FlowEntry], total: int, *, by_index: bool = True) -> Found:
    page = max(1, min(query.page, -(-total // PAGE_SIZE)))
    start = (page - 1) * PAGE_SIZE
    in_order = entries.order_by(*_order(query.sort, by_index=by_index)).values_list("sid", flat=True)
    return Found(_flows(list(in_order[start : start + PAGE_SIZE])), total, page)


def _bounded_page(query: Query, narrowed: Q, counted: int) -> Found:
    """Of a search that finds many, of which so many are counted: more is only known of the last page."""
    if not narrowed:
        narrowed = trigrams.narrowed(matching.texts_of(query.q), in_order=True)
    entries = _filtered(_named(query, narrowed), query)
    if counted <= COUNTED:  # some of the first are kept out by the filters
        counted = entries[: COUNTED + 1].count()
    if counted <= COUNTED:
        return _page(query, entries, counted, by_index=False)
    start, by_index = (query.page - 1) * PAGE_SIZE, trigrams.come_soon(entries, narrowed)
    in_order = entries.order_by(*_order(query.sort, by_index=by_index)).values_list("sid", flat=True)
    sids = list(in_order[start : start + PAGE_SIZE + 1])
    if not sids:  # past the end, where no link leads
        return _page(query, entries, entries.count(), by_index=by_index)
    more, last = len(sids) > PAGE_SIZE, start + min(len(sids), PAGE_SIZE)
    return Found(_flows(sids[:PAGE_SIZE]), max(COUNTED, last) if more else last, query.page, more)


def _flows(sids: list[str]) -> list[Flow]:
    """In that order; one that went away meanwhile is left out."""
    flows = Flow.objects.in_bulk(sids) if sids else {}
    return [flows[sid] for sid in sids if sid in flows]


def _seen(query: Query) -> QuerySet[FlowEntry]:
    return twilio_accounts.within(FlowEntry.objects.all(), query.within)


def _filtered(entries: QuerySet[FlowEntry], query: Query) -> QuerySet[FlowEntry]:
    entries = entries.filter(gone_at__isnull=query.enabled != "gone")
    if query.account:
        entries = entries.filter(account_sid=query.account)
    if query.channel:
        entries = entries.filter(channel_type__in=_meant(query.channel))
    if query.integration:
        entries = entries.filter(integration_type__in=_meant(query.integration))
    if query.enabled == "true":
        entries = entries.filter(enabled=True)
    elif query.enabled == "false":
        entries = entries.exclude(enabled=True)
    return entries


def _named(query: Query, narrowed: Q) -> QuerySet[FlowEntry]:
    """What the search leaves of what the person may see, before the filters; `narrowed` holds for all of it."""
    return _seen(query).filter(narrowed & matching.stands_in(query.q) | matching.begins_sid(query.q))


def _order(sort: str, *, by_index: bool) -> list[str | OrderBy]:
    """`by_index`: the database may go through an index of this order until it has a page. Few may stand at its end, so they
    are put in order by themselves: no index begins with nothing."""
    descending, column = sort.startswith("-"), SORTS[sort.lstrip("-")]
    nulls_last = True if column in _MAY_BE_NULL else None
    first = F(column).desc(nulls_last=nulls_last) if descending else F(column).asc(nulls_last=nulls_last)
    nothing = [] if by_index else [(F("pk") * 0).asc()]
    return [*nothing, first, "sid"] if column == "name_folded" else [*nothing, first, "name_folded", "sid"]


def _meant(value: str) -> list[str]:
    return ["", NOT_SET] if value == NOT_SET else [value]
