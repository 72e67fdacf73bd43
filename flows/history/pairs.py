"""Pairs of flows side by side, each in the state that was known at a moment."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flows.core.normalization import normalize_text
from flows.history.known_states import EXISTS, UNREADABLE, KnownState
from flows.sid_map.fields import PREFIX_BY_FIELD
from flows.sid_map.mappings import NO_PAIRS, SidPairs
from flows.twilio import labels
from flows.twilio.flex.flex_flow import FLEX_FLOW

SAME, DIFFERENT, ONLY_LEFT, ONLY_RIGHT, UNCLEAR = (
    "same",
    "different",
    "only_left",
    "only_right",
    "unclear",
)
RESULTS: Final = (SAME, DIFFERENT, ONLY_LEFT, ONLY_RIGHT, UNCLEAR)


@dataclass(frozen=True, slots=True)
class ComparedField:
    """A field of two flows, with the values as pages show them and as the log has them.

    `is_mapped` is True for two SIDs that stand for each other by the map of their accounts.
    """

    name: str
    label: str
    left: Any
    right: Any
    raw_left: Any
    raw_right: Any
    is_different: bool
    is_mapped: bool = False


@dataclass(frozen=True, slots=True)
class Pair:
    """A flow on the left and its counterpart on the right. One of them may be missing.

    `result` is `UNCLEAR` if one of the states can't be told. `matched_by` says how the flows of two
    accounts were matched. The fields of `mapped_names` are equal by the map of SIDs only.
    """

    left: KnownState | None
    right: KnownState | None
    result: str
    matched_by: str = ""
    different_names: tuple[str, ...] = ()
    mapped_names: tuple[str, ...] = ()

    @property
    def states(self) -> list[KnownState]:
        return [state for state in (self.left, self.right) if state is not None]

    @property
    def label(self) -> str:
        """The name on the left, unless only the right side has the flow."""
        existing = [state for state in self.states if state.kind == EXISTS]
        return (existing or self.states)[0].label

    @property
    def is_uncertain(self) -> bool:
        return any(state.is_uncertain for state in self.states)

    @property
    def is_copyable(self) -> bool:
        """True if the flow on the left can be copied to the account on the right.

        A copy doesn't turn an existing flow on or off, and doesn't change its channel.
        """
        if self.left is None or self.left.kind != EXISTS:
            return False
        if self.result == DIFFERENT:
            return set(self.different_names) != {"enabled"} and not self.differs_in_channel
        return self.result == ONLY_LEFT

    @property
    def differs_in_channel(self) -> bool:
        """True for two flows of different channels, which can have only the name in common.

        The number of one channel must not receive the flow of another one.
        """
        return "channel_type" in self.different_names

    def fields(self, *, with_equal: bool = False) -> list[ComparedField]:
        """Return the fields that differ, or all writable ones that have a value on either side."""
        left, right = (state.values if state else {} for state in (self.left, self.right))
        names: Iterable[str] = self.different_names
        if with_equal or self.result in (ONLY_LEFT, ONLY_RIGHT):
            names = [name for name in FLEX_FLOW.writable_names if _has_value(name, left, right)]
        different = {*self.different_names}
        return [
            ComparedField(
                name,
                FLEX_FLOW.label_of(name),
                labels.display_value(FLEX_FLOW, name, left.get(name)),
                labels.display_value(FLEX_FLOW, name, right.get(name)),
                left.get(name),
                right.get(name),
                is_different=name in different,
                is_mapped=name in self.mapped_names,
            )
            for name in FLEX_FLOW.in_order(names)
        ]


def compare_moments(left: Mapping[str, KnownState], right: Mapping[str, KnownState]) -> list[Pair]:
    """Return a pair for each flow that existed, or may have existed, at one of two moments."""
    pairs = [build_pair(left.get(sid), right.get(sid)) for sid in {**left, **right}]
    return _sort([pair for pair in pairs if pair is not None])


def compare_accounts(
    left: Iterable[KnownState], right: Iterable[KnownState], same_sids: SidPairs = NO_PAIRS
) -> list[Pair]:
    """Match the flows of two accounts, and return a pair for each match and for each flow without.

    Flows match if they have name, channel and identity in common, else channel and identity, else
    the name. A key that several flows of one account have matches none of them. SIDs of
    `same_sids` stand for each other and are no difference.
    """
    rest = [
        [state for state in states if state.kind in (EXISTS, UNREADABLE)]
        for states in (left, right)
    ]
    pairs: list[Pair | None] = []
    for matched_by, key_of in _MATCHES:
        matches = _match(rest[0], rest[1], key_of)
        pairs += [build_pair(one, other, matched_by, same_sids) for one, other in matches]
        matched = {state.sid for match in matches for state in match}
        rest = [[state for state in states if state.sid not in matched] for states in rest]
    pairs += [build_pair(state, None) for state in rest[0]]
    pairs += [build_pair(None, state) for state in rest[1]]
    return _sort([pair for pair in pairs if pair is not None])


def build_pair(
    left: KnownState | None,
    right: KnownState | None,
    matched_by: str = "",
    same_sids: SidPairs = NO_PAIRS,
) -> Pair | None:
    """Compare two states of flows. Return None if neither flow existed."""
    kinds = [_kind_of(state) for state in (left, right)]
    if UNREADABLE in kinds:
        return Pair(left, right, UNCLEAR, matched_by)
    if EXISTS not in kinds:
        return None
    if kinds != [EXISTS, EXISTS]:
        return Pair(left, right, ONLY_LEFT if kinds[0] == EXISTS else ONLY_RIGHT, matched_by)
    left_values, right_values = (state.values if state else {} for state in (left, right))
    changed_names = FLEX_FLOW.changed_writable_fields(left_values, right_values)
    mapped_names = [
        name
        for name in changed_names
        if _stand_for_each_other(name, left_values.get(name), right_values.get(name), same_sids)
    ]
    names = [name for name in changed_names if name not in mapped_names]
    result = DIFFERENT if names else SAME
    return Pair(left, right, result, matched_by, tuple(names), tuple(mapped_names))


def _stand_for_each_other(name: str, left: Any, right: Any, same_sids: SidPairs) -> bool:
    """Return True for two SIDs that the map of their accounts has as counterparts."""
    are_texts = isinstance(left, str) and isinstance(right, str)
    return are_texts and name in PREFIX_BY_FIELD and (left, right) in same_sids


def _kind_of(state: KnownState | None) -> str:
    """Return the kind of a state. One that existed unrecorded can't be told either."""
    if state is None:
        return ""
    return UNREADABLE if state.existed_unrecorded else state.kind


def _match(
    left: Sequence[KnownState],
    right: Sequence[KnownState],
    key_of: Callable[[KnownState], Hashable],
) -> list[tuple[KnownState, KnownState]]:
    """Return the flows that have a key in common which no other flow of their account has."""
    left_by_key, right_by_key = _unique_by(left, key_of), _unique_by(right, key_of)
    return [(left_by_key[key], right_by_key[key]) for key in left_by_key if key in right_by_key]


def _unique_by(
    states: Sequence[KnownState], key_of: Callable[[KnownState], Hashable]
) -> dict[Hashable, KnownState]:
    groups: dict[Hashable, list[KnownState]] = {}
    for state in states:
        key = key_of(state)
        if key is not None:
            groups.setdefault(key, []).append(state)
    return {key: group[0] for key, group in groups.items() if len(group) == 1}


def _name_key(state: KnownState) -> Hashable:
    return normalize_text(state.name) or None


def _identity_key(state: KnownState) -> Hashable:
    identity = normalize_text(state.identity)
    return (state.values.get("channel_type"), identity) if identity else None


def _both_keys(state: KnownState) -> Hashable:
    keys = _name_key(state), _identity_key(state)
    return None if None in keys else keys


_MATCHES: Final = (
    ("name and contact identity", _both_keys),
    ("contact identity", _identity_key),
    ("name", _name_key),
)


def _has_value(name: str, *flows: Mapping[str, Any]) -> bool:
    return any(flow.get(name) not in (None, "") for flow in flows)


def _sort(pairs: Iterable[Pair]) -> list[Pair]:
    """Return the pairs by the name of their flow."""
    return sorted(pairs, key=lambda pair: (normalize_text(pair.label), pair.states[0].sid))
