"""Finding flows in the mirror by name, identity and SID. What a person asks for is a `Query`, which lives in
the URL; how the database finds it stays in here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final
from urllib.parse import urlencode

from django.db.models import Count, F, Q, QuerySet
from django.db.models.expressions import OrderBy

from flows.flexapi import schema
from flows.folding import fold
from flows.models import Flow

PAGE_SIZE: Final = 50
PART_OF_A_NUMBER: Final = 4  # digits from which a text of digits and signs is looked for as a phone number
WHOLE_NUMBER: Final = 7  # digits from which it can mean one flow
OFFERED: Final = 8  # values of siblings that a field offers
_NUMBER: Final = re.compile(r"(?:[a-z]+:)?(\+?[0-9 ()./\u00a0\u2010-\u2015-]+)", re.IGNORECASE)
SORTS: Final = {
    "name": "name_folded",
    "channel": "channel_type",
    "identity": "identity_folded",
    "integration": "integration_type",
    "enabled": "enabled",
    "updated": "date_updated",
}


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. A value that makes no sense counts as not given."""

    q: str = ""
    channel: str = ""
    integration: str = ""
    enabled: str = ""
    account: str = ""
    sort: str = "name"
    page: int = 1

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> Query:
        page, account = parameters.get("page", ""), parameters.get("account", "")
        return cls(
            q=parameters.get("q", "")[:256],
            channel=_one_of(parameters.get("channel", ""), schema.CHANNEL_TYPES),
            integration=_one_of(parameters.get("integration", ""), (*schema.INTEGRATION_TYPES, "none")),
            enabled=_one_of(parameters.get("enabled", ""), ("true", "false", "gone")),
            account=account if schema.is_sid("AC", account) else "",
            sort=_one_of(parameters.get("sort", ""), (*SORTS, *(f"-{key}" for key in SORTS))) or "name",
            page=max(1, int(page)) if re.fullmatch(r"[0-9]{1,6}", page) else 1,
        )

    def url(self, **changes: str | int) -> str:
        """The query string of this query with some values changed; a new question begins at page one."""
        defaults = asdict(Query())
        values = {**asdict(self), "page": 1, **changes}
        return "?" + urlencode({key: value for key, value in values.items() if value != defaults[key]})


@dataclass(frozen=True, slots=True)
class Found:
    """One page of what was found."""

    rows: list[Flow]
    total: int
    page: int

    @property
    def first(self) -> int:
        return (self.page - 1) * PAGE_SIZE + 1 if self.rows else 0

    @property
    def last(self) -> int:
        return self.first + len(self.rows) - 1 if self.rows else 0

    @property
    def has_next(self) -> bool:
        return self.last < self.total and bool(self.rows)


def the_one(text: str, *, is_number: bool = True) -> str:
    """The SID of the flow that a pasted SID (or, if it may be one, a phone number) can only mean, or nothing."""
    sid = text.strip()
    if schema.is_sid("FO", sid):
        return sid
    if not is_number or len(_digits(text)) < WHOLE_NUMBER:
        return ""
    flows = Flow.objects.filter(_has_number(text), gone_at=None).values_list("sid", flat=True)[:2]
    return flows[0] if len(flows) == 1 else ""


def of_siblings() -> dict[str, list[str]]:
    """For each field that holds a SID, the values that most of the other flows have: what a new one needs too."""
    live = Flow.objects.filter(gone_at=None)
    return {
        name: [
            value
            for value, _ in live.values_list(f"resource__{name}")
            .annotate(flows=Count("sid"))
            .exclude(**{f"resource__{name}": None})
            .order_by("-flows")[:OFFERED]
            if value
        ]
        for name in (entry.name for entry in schema.WRITABLE if entry.kind == "sid")
    }


def find(query: Query) -> Found:
    """The page of flows that the query asks for; past the end, the last one."""
    flows = _matching(query)
    total = flows.count()
    page = max(1, min(query.page, -(-total // PAGE_SIZE)))
    start = (page - 1) * PAGE_SIZE
    return Found(list(flows.order_by(*_order(query.sort))[start : start + PAGE_SIZE]), total, page)


def facets(query: Query) -> dict[str, Counter[str]]:
    """For each filter, how many flows each of its values would give beside the search and the other filters. The
    database counts each kind of flow once; which filters a kind passes is known without it."""
    found: dict[str, Counter[str]] = {name: Counter() for name in ("channel", "integration", "enabled")}
    kinds = _named(query).annotate(is_gone=Q(gone_at__isnull=False))
    for channel, integration, enabled, is_gone, flows in kinds.values_list(
        "channel_type", "integration_type", "enabled", "is_gone"
    ).annotate(flows=Count("sid")):
        kind = {
            "channel": channel,
            "integration": integration or "none",
            "enabled": "gone" if is_gone else "true" if enabled else "false",
        }
        fails = {name for name, value in kind.items() if not _passes(name, value, asked=getattr(query, name))}
        for name, value in kind.items():
            if fails <= {name}:
                found[name][value] += flows
    return found


def _passes(name: str, value: str, *, asked: str) -> bool:
    """What is gone is only found where it is asked for."""
    return value == asked if asked else (name, value) != ("enabled", "gone")


def sids_of(query: Query) -> list[str]:
    """The SIDs of all flows that the query asks for, whatever the page."""
    return list(_matching(query).values_list("sid", flat=True))


def _matching(query: Query) -> QuerySet[Flow]:
    flows = _named(query).filter(gone_at__isnull=query.enabled != "gone")
    if query.channel:
        flows = flows.filter(channel_type=query.channel)
    if query.integration:
        flows = flows.filter(integration_type="" if query.integration == "none" else query.integration)
    if query.enabled == "true":
        flows = flows.filter(enabled=True)
    elif query.enabled == "false":
        flows = flows.exclude(enabled=True)
    return flows


def _named(query: Query) -> QuerySet[Flow]:
    """What the search and the account leave, before the filters."""
    flows = Flow.objects.filter(account_sid=query.account) if query.account else Flow.objects.all()
    if text := fold(query.q):
        sid = query.q.strip()
        named = Q(name_folded__contains=text) | Q(identity_folded__contains=text) | _has_number(query.q)
        # A SID, or the beginning of one.
        flows = flows.filter(
            named | Q(sid__startswith=sid) if re.fullmatch(r"FO[0-9a-fA-F]{1,32}", sid) else named
        )
    return flows


def _digits(text: str) -> str:
    """The digits of a phone number in any of its spellings: (415) 555-1234, +1 415 555 1234, whatsapp:+1…, 0041…"""
    number = _NUMBER.fullmatch(text.strip())
    return re.sub(r"[^0-9]", "", number[1]) if number else ""


def _has_number(text: str) -> Q:
    """The identities that have this number in them. Abroad it is written with 00 for the +, at home with a 0."""
    digits = _digits(text)
    if len(digits) < PART_OF_A_NUMBER:
        return Q(pk__in=[])
    spellings = {digits, digits.removeprefix("00"), digits.removeprefix("0")}
    found = Q(pk__in=[])
    for spelling in sorted(spellings):
        found |= Q(identity_folded__contains=spelling)
    return found


def _order(sort: str) -> list[str | OrderBy]:
    descending, column = sort.startswith("-"), SORTS[sort.lstrip("-")]
    first = F(column).desc(nulls_last=True) if descending else F(column).asc(nulls_last=True)
    return [first, "sid"] if column == "name_folded" else [first, "name_folded", "sid"]


def _one_of(value: str, choices: tuple[str, ...]) -> str:
    return value if value in choices else ""
