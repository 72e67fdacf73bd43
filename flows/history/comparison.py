"""A comparison: of two moments, of two accounts at a moment, or of two flows at a moment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.core import time_text
from flows.core.normalization import split_terms
from flows.history.known_states import states_at
from flows.history.listing import matches
from flows.history.moments import LogPosition, find_position
from flows.history.pairs import SAME, Pair, build_pair, compare_accounts, compare_moments
from flows.history.parameters import ComparisonQuery
from flows.sid_map.mappings import NO_PAIRS, load_pairs


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of a query: the pairs that it lists, and the title of each side.

    `counts` are the numbers of pairs by result that its search finds. `copyable_count` is how many
    can be copied, whatever it lists. `missing_sids` are flows that the log has no state of. `mapped_count` is the number of SIDs of
    the two accounts that stand for each other, and so count as equal.
    """

    pairs: list[Pair]
    counts: Counter[str]
    left: LogPosition
    right: LogPosition
    left_title: str
    right_title: str
    missing_sids: tuple[str, ...] = ()
    preposition: str = "in"  # before a title: in an account, at a moment
    mapped_count: int = 0
    copyable_count: int = 0

    @property
    def starts_before_log(self) -> bool:
        """True if one of the moments is before the log's first event."""
        return not (self.left.seq and self.right.seq)


def compare(
    query: ComparisonQuery, scope: twilio_accounts.Scope, accounts: Mapping[str, Account]
) -> Comparison:
    """Run a complete query. Equal flows are listed only if it asks for them."""
    left, right = find_position(query.left_at.at), find_position(query.right_at.at)
    missing_sids: tuple[str, ...] = ()
    titles = (str(accounts.get(query.left, "")), str(accounts.get(query.right, "")))
    same_sids = NO_PAIRS
    if query.kind == "flows":
        pairs, titles, missing_sids = _compare_flows(query, left, scope)
    elif query.kind == "accounts":
        same_sids = load_pairs(query.left, query.right)
        first, second = (states_at(left, frozenset({sid})) for sid in (query.left, query.right))
        pairs = compare_accounts(first.values(), second.values(), same_sids)
    else:
        chosen = frozenset({query.account}) if query.account else scope
        pairs = compare_moments(states_at(left, chosen), states_at(right, chosen))
        titles = (time_text.timestamp(left.at), time_text.timestamp(right.at))
    found_pairs = _search(pairs, query.q)
    return Comparison(
        [pair for pair in found_pairs if _is_listed(pair, query)],
        Counter(pair.result for pair in found_pairs),
        left,
        right,
        *titles,
        missing_sids,
        preposition="at" if query.kind == "moments" else "in",
        mapped_count=len(same_sids),
        copyable_count=sum(pair.is_copyable for pair in pairs),
    )


def _search(pairs: Iterable[Pair], search: str) -> list[Pair]:
    """Return the pairs of which one side has all words of the search."""
    terms = split_terms(search)
    return [pair for pair in pairs if any(matches(state, terms) for state in pair.states)]


def _is_listed(pair: Pair, query: ComparisonQuery) -> bool:
    if query.result:
        return pair.result == query.result
    return query.shows_all or pair.result != SAME


def _compare_flows(
    query: ComparisonQuery, position: LogPosition, scope: twilio_accounts.Scope
) -> tuple[list[Pair], tuple[str, str], tuple[str, ...]]:
    """Return the pair of the two flows, their names, and those that the log has no state of."""
    states = states_at(position, scope, [query.left, query.right])
    left, right = states.get(query.left), states.get(query.right)
    titles = (left.label if left else query.left, right.label if right else query.right)
    missing_sids = tuple(sid for sid in (query.left, query.right) if sid not in states)
    same_sids = load_pairs(left.account_sid, right.account_sid) if left and right else NO_PAIRS
    pair = build_pair(left, right, same_sids=same_sids)
    return [pair] if pair and not missing_sids else [], titles, missing_sids
