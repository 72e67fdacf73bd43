"""The comparison of two moments, two accounts or two flows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission
from flows.audit.access import Request, require_permission
from flows.availability.restrictions import Restriction, find_restriction
from flows.history.comparison import Comparison, compare
from flows.history.known_states import KnownState
from flows.history.moments import LogPosition
from flows.history.pairs import DIFFERENT, ONLY_LEFT, ONLY_RIGHT, SAME, UNCLEAR, ComparedField, Pair
from flows.history.parameters import COMPARISONS, ComparisonQuery
from flows.history.views import context
from flows.history.views.context import FlowRow
from flows.names.lookup import load_names
from flows.names.named_sids import with_name
from flows.sid_map.mappings import OPERATION as COPY_OPERATION

PAGE_SIZE: Final = 50


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def history_compare(request: Request) -> HttpResponse:
    """Show how flows differ between two moments, two accounts, or from each other."""
    accounts = context.readable_accounts(request)
    query = ComparisonQuery.from_parameters(request.GET, accounts)
    result = compare(query, request.scope, accounts) if query.is_complete else None
    pairs = result.pairs if result else []
    page = Paginator(pairs, PAGE_SIZE).get_page(query.page)
    early = result and (result.left if not result.left.seq else result.right)
    page_context = {
        **(context.moment_context(early) if early else {}),
        **context.page_urls(request, page),
        "query": query,
        "faults": query.faults,
        "kinds": [one for one in COMPARISONS.items() if one[0] != "accounts" or len(accounts) > 1],
        "accounts": list(accounts.values()) if len(accounts) > 1 else [],
        "account_choices": [(sid, str(account)) for sid, account in accounts.items()],
        "result": result,
        "totals": _count_results(result, query) if result else [],
        "page": page,
        "rows": _build_rows(list(page), query, result, request.scope) if result else [],
        "zone": timezone.get_current_timezone(),
        "copy_offer": _offer_copy(request, query, result),
    }
    return render(request, "history/compare.html", page_context)


def _count_results(result: Comparison, query: ComparisonQuery) -> list[dict[str, Any]]:
    """Return the results that flows have and the chosen one, each with its number and a label."""
    labels = {
        DIFFERENT: "different",
        ONLY_LEFT: f"only {result.preposition} {result.left_title}",
        ONLY_RIGHT: f"only {result.preposition} {result.right_title}",
        UNCLEAR: "unclear",
        SAME: "equal",
    }
    return [
        {"result": key, "count": result.counts[key], "label": label}
        for key, label in labels.items()
        if result.counts[key] or key in (DIFFERENT, query.result)
    ]


@dataclass(frozen=True, slots=True)
class CopyOffer:
    """The copy to the account on the right that the page offers, with its number of flows.

    `swapped_result` is the chosen result, as it is called with the accounts swapped.

    `restriction` is the reason why nobody can copy there at present.
    """

    is_permitted: bool
    restriction: Restriction | None
    count: int
    is_any_listed: bool
    map_url: str
    swapped_result: str

    @property
    def is_possible(self) -> bool:
        return self.is_permitted and self.restriction is None


def _offer_copy(
    request: Request, query: ComparisonQuery, result: Comparison | None
) -> CopyOffer | None:
    """Return what can be copied, or None without a comparison of two accounts."""
    if query.kind != "accounts" or result is None:
        return None
    permissions = ("flows.add_flow", "flows.change_flow")
    return CopyOffer(
        all(has_permission(request.user, name, query.right) for name in permissions),
        find_restriction(query.right, COPY_OPERATION),
        result.copyable_count,
        any(pair.is_copyable for pair in result.pairs),
        f"{reverse('flows:history-copy')}?{urlencode({'left': query.left, 'right': query.right})}",
        {ONLY_LEFT: ONLY_RIGHT, ONLY_RIGHT: ONLY_LEFT}.get(query.result, query.result),
    )


@dataclass(frozen=True, slots=True)
class PairRow:
    """A pair on the page, with its fields."""

    pair: Pair
    left: FlowRow | None
    right: FlowRow | None
    fields: list[dict[str, Any]]

    @property
    def sides(self) -> list[FlowRow]:
        return [row for row in (self.left, self.right) if row]

    @property
    def uncertain(self) -> list[FlowRow]:
        """The sides that may have been different."""
        return [row for row in self.sides if row.flow.is_uncertain]


def _build_rows(
    pairs: Sequence[Pair],
    query: ComparisonQuery,
    result: Comparison,
    scope: twilio_accounts.Scope,
) -> list[PairRow]:
    left_rows = _rows_by_id([pair.left for pair in pairs], result.left, scope)
    right_rows = _rows_by_id([pair.right for pair in pairs], result.right, scope)
    fields = [pair.fields(with_equal=query.shows_all) for pair in pairs]
    names = load_names(
        (state.account_sid, value)
        for pair, rows in zip(pairs, fields, strict=True)
        for state, value in _values_with_states(pair, rows)
    )
    return [
        PairRow(
            pair,
            left_rows.get(pair.left.sid) if pair.left else None,
            right_rows.get(pair.right.sid) if pair.right else None,
            [_name_values(pair, row, names) for row in rows],
        )
        for pair, rows in zip(pairs, fields, strict=True)
    ]


def _rows_by_id(
    flows: Iterable[KnownState | None], position: LogPosition, scope: twilio_accounts.Scope
) -> dict[str, FlowRow]:
    rows = context.build_rows([flow for flow in flows if flow], position, scope)
    return {row.flow.sid: row for row in rows}


def _values_with_states(
    pair: Pair, fields: Iterable[ComparedField]
) -> Iterable[tuple[KnownState, str]]:
    """Return the texts among the values, which may be SIDs, with the state they are from."""
    for field in fields:
        for state, value in ((pair.left, field.left), (pair.right, field.right)):
            if state and type(value) is str:
                yield state, value


def _name_values(pair: Pair, field: ComparedField, names: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a field for the page. SIDs have the names of their objects."""
    values = []
    for state, value in ((pair.left, field.left), (pair.right, field.right)):
        own = {
            sid: name
            for (owner, sid), name in names.items()
            if state and owner == state.account_sid
        }
        values.append(with_name(value, own))
    return {
        "label": field.label,
        "left": values[0],
        "right": values[1],
        "is_different": field.is_different,
        "is_mapped": field.is_mapped,
    }
