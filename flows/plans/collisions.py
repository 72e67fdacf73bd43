"""Collisions within a bulk change: one channel and contact identity can have one enabled flow.

The rule is checked by simulating the changes in their order. Twilio checks each change again when
it is made.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from flows.core.identities import normalize_identity
from flows.mirror.models import Flow
from flows.plans import titles
from flows.plans.models import PlannedChange

ADDRESS_FIELDS: Final = frozenset({"channel_type", "contact_identity", "enabled"})

# A flow's SID, or the position in the plan for a flow that the plan creates.
FlowKey = str | int
# Account, channel and identity.
ChannelAddress = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class SimulatedFlow:
    """The fields of a flow that decide about collisions."""

    account_sid: str
    channel: str = ""
    identity: str = ""
    enabled: bool = False

    @property
    def address(self) -> ChannelAddress | None:
        """The address that the flow occupies, or None if it is disabled or has no identity."""
        if not self.enabled:
            return None
        identity = normalize_identity(self.identity)
        if not identity:
            return None
        return (self.account_sid, self.channel, identity)


def skip_collisions(planned: Sequence[PlannedChange], origins: Sequence[str] = ()) -> None:
    """Skip each change that would enable a second flow for an address.

    `origins` are the places of the changes in an imported file, such as "Line 7".
    """
    if any(map(_may_claim_address, titles.included_changes(planned))):
        _Simulation(planned, origins).run()


class _Simulation:
    """The flows as they would be after each change of a plan."""

    def __init__(self, planned: Sequence[PlannedChange], origins: Sequence[str]) -> None:
        self.planned = planned
        self.origins = origins
        self.flows: dict[FlowKey, SimulatedFlow] = _load_flows(planned)
        self.occupants: defaultdict[ChannelAddress, list[FlowKey]] = defaultdict(list)
        # The position of the change that gave a flow its present address.
        self.claim_positions: dict[FlowKey, int] = {}
        for key, flow in self.flows.items():
            self._claim(key, flow.address)

    def run(self) -> None:
        for position, change in enumerate(self.planned):
            if not change.skip_reason:
                change.skip_reason = self._apply(position, change)

    def _apply(self, position: int, change: PlannedChange) -> str:
        """Apply a change to the simulation. Return the reason if it can't be made, else ""."""
        key: FlowKey = change.target_sid or position
        before = self.flows.get(key, SimulatedFlow(change.account_sid))
        after = _apply_change(before, change)
        if before.address != after.address:
            blocking = self._find_occupant(after.address)
            if blocking is not None:
                return self._explain(blocking, position)
            self._leave(key, before.address)
            self._claim(key, after.address)
            self.claim_positions[key] = position
        self.flows[key] = after
        return ""

    def _find_occupant(self, address: ChannelAddress | None) -> FlowKey | None:
        """Return the flow that has an address already, or the first of several."""
        if address is None:
            return None
        return next(iter(self.occupants[address]), None)

    def _leave(self, key: FlowKey, address: ChannelAddress | None) -> None:
        if address:
            self.occupants[address].remove(key)

    def _claim(self, key: FlowKey, address: ChannelAddress | None) -> None:
        if address:
            self.occupants[address].append(key)

    def _explain(self, blocking: FlowKey, position: int) -> str:
        """Return the reason to skip the change at this position: another flow has the address."""
        rule = "Only one flow can be on per channel and contact identity."
        if isinstance(blocking, int):
            creation = self._origin(blocking)
            return (
                f"{creation} creates a flow that is on with the same channel and identity. {rule}"
            )
        if blocking in self.claim_positions:
            earlier = self._origin(self.claim_positions[blocking])
            return f"{earlier} turns on {blocking} with the same channel and identity. {rule}"
        reason = f"{blocking} is on for the same channel and identity. {rule}"
        later_position = self._find_later_release(blocking, position)
        if later_position is None or not self.origins:
            return reason
        later = self._origin(later_position)
        return f"{reason} {later} frees them, but comes later: move it above this one."

    def _find_later_release(self, key: FlowKey, position: int) -> int | None:
        """Return the position of the next change that frees the flow's address."""
        for later_position, change in enumerate(self.planned[position + 1 :], position + 1):
            if self._releases_address(change, key):
                return later_position
        return None

    def _releases_address(self, change: PlannedChange, key: FlowKey) -> bool:
        """Return True if a change that isn't skipped takes the flow's address away."""
        if change.target_sid != key or change.skip_reason:
            return False
        flow = self.flows[key]
        return _apply_change(flow, change).address != flow.address

    def _origin(self, position: int) -> str:
        """Return the place of a change in the file, or else its row in the plan."""
        origin = self.origins[position] if self.origins else ""
        return origin or f"Row {position + 1}"


def _may_claim_address(change: PlannedChange) -> bool:
    """Return True if a change could enable a flow, or give an enabled one another address."""
    requested = change.requested  # empty for a deletion
    has_address_field = not ADDRESS_FIELDS.isdisjoint(requested)
    is_turned_off = requested.get("enabled") is False
    return has_address_field and not is_turned_off


def _apply_change(before: SimulatedFlow, change: PlannedChange) -> SimulatedFlow:
    """Return the flow after a change. A deleted flow is like a disabled one: it has no address."""
    if change.action == "flow.delete":
        return replace(before, enabled=False)
    requested = change.requested
    channel = requested.get("channel_type", before.channel)
    identity = requested.get("contact_identity", before.identity)
    enabled = requested.get("enabled", before.enabled)
    return SimulatedFlow(
        before.account_sid,
        str(channel or ""),
        str(identity or ""),
        enabled=enabled in (True, "true"),
    )


def _load_flows(planned: Sequence[PlannedChange]) -> dict[FlowKey, SimulatedFlow]:
    """Load the flows in the accounts of the plan from the mirror."""
    account_sids = {change.account_sid for change in titles.included_changes(planned)}
    rows = Flow.objects.filter(account_sid__in=account_sids, gone_at=None).values_list(
        "sid", "account_sid", "channel_type", "contact_identity", "enabled"
    )
    return {
        sid: SimulatedFlow(account_sid, channel, identity, enabled=enabled is True)
        for sid, account_sid, channel, identity, enabled in rows.iterator()
    }
