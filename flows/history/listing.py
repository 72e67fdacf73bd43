"""The list of flows at a moment: its rows, filtered and sorted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from flows.core.normalization import normalize_text, split_terms
from flows.flex_flows.states import STATE_LABELS
from flows.history.known_states import DELETED, EXISTS, NOT_KNOWN_YET, KnownState
from flows.history.parameters import UNCERTAIN, ListQuery
from flows.twilio.flex.flex_flow import FLEX_FLOW

# By what is known of a flow, where it didn't exist: the CSS class and the label of its state.
_OTHER_LABELS: Final = {
    NOT_KNOWN_YET: ("none", "Recorded later"),
    "unreadable": ("doubt", "State not stored"),
}


@dataclass(frozen=True, slots=True)
class StateCounts:
    """Numbers of flows at a moment."""

    existing: int
    deleted: int
    unreadable: int
    not_known_yet: int
    uncertain: int


def state_of(flow: KnownState) -> str:
    """Return the state of a flow: a key of `STATE_LABELS`, or its kind if that says more."""
    if flow.kind == DELETED:
        return "gone"
    if flow.kind != EXISTS:
        return flow.kind
    enabled = FLEX_FLOW.normalize_value("enabled", flow.values.get("enabled"))
    if enabled is None:
        return "unset"
    if isinstance(enabled, bool):
        return "on" if enabled else "off"
    return "unread"


def status_of(flow: KnownState) -> tuple[str, str]:
    """Return the CSS class and the label of a flow's state."""
    state = state_of(flow)
    return STATE_LABELS.get(state) or _OTHER_LABELS[state]


def count_states(flows: Iterable[KnownState]) -> StateCounts:
    """Count the flows of a moment. A flow that was recorded later is not uncertain."""
    kinds: Counter[str] = Counter()
    uncertain = 0
    for flow in flows:
        kinds[flow.kind] += 1
        uncertain += flow.kind != NOT_KNOWN_YET and flow.is_uncertain
    return StateCounts(
        kinds["exists"], kinds["deleted"], kinds["unreadable"], kinds["not_known_yet"], uncertain
    )


def select_flows(flows: Iterable[KnownState], query: ListQuery) -> list[KnownState]:
    """Return the flows that match a query, by name.

    Deleted flows and those that were recorded later are listed only if the query asks for them.
    """
    terms = split_terms(query.q)
    selected = [flow for flow in flows if _has_state(flow, query.state) and matches(flow, terms)]
    return sorted(selected, key=lambda flow: (normalize_text(flow.label), flow.sid))


def _has_state(flow: KnownState, state: str) -> bool:
    if not state:
        return flow.kind not in (DELETED, NOT_KNOWN_YET)
    if state == UNCERTAIN:
        return flow.kind != NOT_KNOWN_YET and flow.is_uncertain
    return state_of(flow) == state


def matches(flow: KnownState, terms: Sequence[str]) -> bool:
    """Return True if name, identity and SID have all terms in them."""
    if not terms:
        return True
    text = normalize_text(f"{flow.name} {flow.identity} {flow.sid}")
    return all(term in text for term in terms)
