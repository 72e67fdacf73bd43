"""The SIDs that a copy has to translate, each once, with what is known of its counterpart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from flows.copying.flow_copies import FlowCopy
from flows.copying.target_objects import TargetObjects
from flows.names.lookup import names_for
from flows.names.named_sids import NamedSid
from flows.sid_map.fields import FIELD_BY_PREFIX, PREFIX_BY_FIELD
from flows.sid_map.mappings import Direction, load_map, unique_sources
from flows.twilio.flex.flex_flow import FLEX_FLOW

SAME_NAME: Final = "Suggested: it has the same name."
OTHER_DIRECTION: Final = "Suggested: mapped when copying the other way."


@dataclass(frozen=True, slots=True)
class SidUse:
    """A SID of the source account among the values to copy.

    `stored` is its counterpart in the map. Without one, `proposed` may be a counterpart that a user
    has to confirm, for the reason `proposal`.
    """

    sid: str
    prefix: str
    flows: int
    name: str = ""
    parent_sid: str = ""
    stored: str = ""
    proposed: str = ""
    proposal: str = ""

    @property
    def field_name(self) -> str:
        """The name of the flow's field that has such a SID."""
        return FIELD_BY_PREFIX[self.prefix]

    @property
    def named_sid(self) -> str:
        """The SID with the name of its object, for display."""
        return NamedSid(self.sid, self.name) if self.name else self.sid

    @property
    def kind(self) -> str:
        """The kind of object, such as "Studio Flow"."""
        return FLEX_FLOW.label_of(self.field_name).removesuffix(" SID")


def find_sid_uses(
    copies: Iterable[FlowCopy], direction: Direction, objects: TargetObjects
) -> list[SidUse]:
    """Return the SIDs of these flows by kind and name, those without a counterpart first."""
    counts = _count_flows(copies)
    names = names_for(direction.source, list(counts))
    stored = load_map(direction)
    reverse = unique_sources(load_map(direction.reverse))
    uses: dict[str, SidUse] = {}
    for sid, flows in counts.items():
        name = names.get(sid)
        own_name, parent_sid = (name.name, name.parent_sid) if name else ("", "")
        use = SidUse(sid, sid[:2], flows, own_name, parent_sid, stored.get(sid, ""))
        parent = uses.get(parent_sid)
        uses[sid] = use if use.stored else _with_proposal(use, parent, reverse, objects)
    order = list(PREFIX_BY_FIELD.values())
    return sorted(
        uses.values(),
        key=lambda use: (bool(use.stored), order.index(use.prefix), use.name.casefold(), use.sid),
    )


def _count_flows(copies: Iterable[FlowCopy]) -> dict[str, int]:
    """Return the number of flows that use each SID, workspaces before what belongs to them."""
    counts: defaultdict[str, int] = defaultdict(int)
    for copy in copies:
        for sid in set(copy.account_sids.values()):
            counts[sid] += 1
    order = list(PREFIX_BY_FIELD.values())
    return dict(sorted(counts.items(), key=lambda item: (order.index(item[0][:2]), item[0])))


def _with_proposal(
    use: SidUse, parent: SidUse | None, reverse: Mapping[str, str], objects: TargetObjects
) -> SidUse:
    """Return a SID with a proposal for its counterpart, if there is exactly one."""
    proposed, reason = reverse.get(use.sid, ""), OTHER_DIRECTION
    if not proposed:
        parent_sid = (parent.stored or parent.proposed) if parent else ""
        proposed, reason = objects.find_by_name(use.prefix, use.name, parent_sid), SAME_NAME
    if not proposed:
        return use
    return SidUse(
        use.sid,
        use.prefix,
        use.flows,
        use.name,
        use.parent_sid,
        proposed=proposed,
        proposal=reason,
    )
