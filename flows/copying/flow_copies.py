"""The chosen flows, each with its counterpart in the target account and the values to copy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone

from flows.copying.query import CopyQuery
from flows.history.known_states import EXISTS, KnownState, states_at
from flows.history.moments import find_position
from flows.history.pairs import SAME, UNCLEAR, Pair, compare_accounts
from flows.redaction.masking import find_masks
from flows.sid_map.fields import account_sids_of
from flows.sid_map.mappings import SidPairs
from flows.twilio.flex.flex_flow import FLEX_FLOW

URL_FIELD: Final = "integration_url"
IDENTITY_FIELD: Final = "contact_identity"


@dataclass(frozen=True, slots=True)
class FlowCopy:
    """A flow to copy. It updates its counterpart in the target account, or is created there.

    `source` is the flow at the chosen moment, `counterpart` is the other one as it is now.
    """

    source: KnownState
    counterpart: KnownState | None = None
    matched_by: str = ""

    @property
    def sid(self) -> str:
        return self.source.sid

    @property
    def is_creation(self) -> bool:
        return self.counterpart is None

    @property
    def values(self) -> dict[str, Any]:
        """The fields with a value that the flow's integration type uses, secrets masked.

        A field without a value is not copied, because Twilio may not allow clearing it.
        """
        flow = self.source.values
        variant = FLEX_FLOW.variant_of(flow)
        values = {
            field.name: flow[field.name]
            for field in FLEX_FLOW.writable_fields
            if flow.get(field.name) not in (None, "") and field.is_applicable(variant)
        }
        if variant and self.is_creation:
            values.setdefault(FLEX_FLOW.variant_field, variant)
        return values

    @property
    def account_sids(self) -> dict[str, str]:
        """The SIDs to translate, by the name of their field."""
        return account_sids_of(self.source.values)

    @property
    def has_hidden_url(self) -> bool:
        """True if the webhook has a secret that the counterpart's webhook doesn't have."""
        theirs = self.counterpart.values if self.counterpart else {}
        return bool(find_masks(self.values.get(URL_FIELD)) - find_masks(theirs.get(URL_FIELD)))

    @property
    def changes_identity(self) -> bool:
        """True if the counterpart has another contact identity."""
        if self.counterpart is None or IDENTITY_FIELD not in self.values:
            return False
        mine, theirs = self.values[IDENTITY_FIELD], self.counterpart.values.get(IDENTITY_FIELD)
        return not FLEX_FLOW.is_same_value(IDENTITY_FIELD, mine, theirs)


@dataclass(frozen=True, slots=True)
class Selection:
    """The flows to copy, and the chosen ones that can't be copied, each with the reason."""

    copies: list[FlowCopy]
    refused: list[tuple[str, str]]

    @property
    def creations(self) -> list[FlowCopy]:
        return [copy for copy in self.copies if copy.is_creation]

    @property
    def updates(self) -> list[FlowCopy]:
        return [copy for copy in self.copies if not copy.is_creation]


def select_flows(query: CopyQuery, same_sids: SidPairs) -> Selection:
    """Return the chosen flows of a query. The target account is taken as it is now."""
    source_states = states_at(find_position(query.at.at), frozenset({query.source}))
    target_states = states_at(find_position(timezone.now()), frozenset({query.target}))
    pairs = compare_accounts(source_states.values(), target_states.values(), same_sids)
    if query.has_all:
        copyable = [pair for pair in pairs if pair.is_copyable]
        refused = [(pair.label, _refusal(pair)) for pair in pairs if pair.differs_in_channel]
        return Selection([_build_copy(pair.left, pair) for pair in copyable if pair.left], refused)
    return _select_chosen(pairs, query.sids, source_states)


def _select_chosen(
    pairs: Iterable[Pair], sids: Iterable[str], source_states: Mapping[str, KnownState]
) -> Selection:
    chosen = dict.fromkeys(sids)
    copies, refused = [], []
    for pair in pairs:
        if pair.left is None or pair.left.sid not in chosen:
            continue
        del chosen[pair.left.sid]
        if pair.is_copyable:
            copies.append(_build_copy(pair.left, pair))
        else:
            refused.append((pair.label, _refusal(pair)))
    for sid in chosen:
        label = source_states[sid].label if sid in source_states else sid
        refused.append((label, "Not in the audit log at that time."))
    return Selection(copies, refused)


def _build_copy(source: KnownState, pair: Pair) -> FlowCopy:
    counterpart = pair.right if pair.right and pair.right.kind == EXISTS else None
    return FlowCopy(source, counterpart, pair.matched_by)


def _refusal(pair: Pair) -> str:
    if pair.result == UNCLEAR:
        return "A state isn't known, so its values can't be copied."
    if pair.result == SAME:
        return "Both accounts have it already, without differences."
    if pair.differs_in_channel:
        return "They use different channels."
    return "Only on/off differs, and a copy doesn't change that."
