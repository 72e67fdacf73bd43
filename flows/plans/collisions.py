"""The rule that one channel and contact identity of an account has one enabled flow, judged over a bulk change: each
change as things stand after the ones before it. Twilio judges each once more when its turn comes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flows.core.identities import normalize_identity
from flows.mirror.models import Flow
from flows.plans.models import PlannedChange

ADDRESS_FIELDS: Final = frozenset({"channel_type", "contact_identity", "enabled"})

FlowKey = str | int  # a flow's SID; of one that the plan creates, its place in the plan
ChannelAddress = tuple[
    str, str, str
]  # account, channel and identity, of which one flow can be enabled


@dataclass(frozen=True, slots=True)
class SimulatedFlow:
    """What of a flow decides whether it is in another's way."""

    account_sid: str
    channel: str
    identity: str
    enabled: bool

    @property
    def address(self) -> ChannelAddress | None:
        """The address that it takes up; None if it takes up none."""
        identity = normalize_identity(self.identity)
        return (self.account_sid, self.channel, identity) if self.enabled and identity else None


def skip_collisions(planned: Sequence[PlannedChange], origins: Sequence[str] = ()) -> None:
    """Skip each change that would enable a second flow of an address. `origins` say where in a file each change
    stands."""
    if any(_may_claim_address(change) for change in planned):
        _Simulation(planned, origins).run()


class _Simulation:
    """The flows as they would be after each change of a plan."""

    def __init__(self, planned: Sequence[PlannedChange], origins: Sequence[str]) -> None:
        self.planned, self.origins = planned, origins
        self.lines: dict[FlowKey, SimulatedFlow] = dict(_load_flows(planned))
        self.holders: defaultdict[ChannelAddress, list[FlowKey]] = defaultdict(list)
        self.claim_position: dict[
            FlowKey, int
        ] = {}  # the change of the plan that gave a flow its address
        for holder, line in self.lines.items():
            if line.address:
                self.holders[line.address].append(holder)

    def run(self) -> None:
        for place, change in enumerate(self.planned):
            if not change.skipped:
                change.skipped = self._apply(place, change)

    def _apply(self, place: int, change: PlannedChange) -> str:
        """Take a change into account, or return why it can't be made."""
        holder: FlowKey = change.target_sid or place
        before = self.lines.get(holder)
        after = None if change.action == "flow.delete" else _apply_change(before, change)
        was, will_be = before and before.address, after and after.address
        if was != will_be:
            others = (
                [other for other in self.holders[will_be] if other != holder] if will_be else []
            )
            if others:
                return self._reason(others[0], place)
            if was:
                self.holders[was].remove(holder)
            if will_be:
                self.holders[will_be].append(holder)
                self.claim_position[holder] = place
        if after:
            self.lines[holder] = after
        return ""

    def _reason(self, other: FlowKey, place: int) -> str:
        only_one = "Only one flow can be enabled per channel and contact identity."
        if isinstance(other, int):
            return f"{self._origin(other)} creates an enabled flow with the same channel and identity. {only_one}"
        if other in self.claim_position:
            earlier = self._origin(self.claim_position[other])
            return f"{earlier} enables {other} with the same channel and identity. {only_one}"
        reason = f"{other} is enabled for the same channel and identity. {only_one}"
        later = self._find_later_release(other, place)
        if later is None or not self.origins:
            return reason
        where = self._origin(later)
        return f"{reason} {where} frees them, but comes later: move it above this one."

    def _find_later_release(self, holder: FlowKey, after: int) -> int | None:
        line = self.lines[holder]
        for place, change in enumerate(self.planned[after + 1 :], after + 1):
            if change.target_sid == holder and not change.skipped:
                left = None if change.action == "flow.delete" else _apply_change(line, change)
                if (left and left.address) != line.address:
                    return place
        return None

    def _origin(self, place: int) -> str:
        return (self.origins[place] if self.origins else "") or f"Row {place + 1}"


def _may_claim_address(change: PlannedChange) -> bool:
    """Whether a change could enable a flow, or move an enabled one."""
    if change.skipped or change.action == "flow.delete":
        return False
    return not ADDRESS_FIELDS.isdisjoint(change.asked) and change.asked.get("enabled") is not False


def _apply_change(before: SimulatedFlow | None, change: PlannedChange) -> SimulatedFlow:
    had = before or SimulatedFlow(change.account_sid, "", "", enabled=False)
    asked: Mapping[str, Any] = change.asked
    return SimulatedFlow(
        had.account_sid,
        str(asked.get("channel_type", had.channel) or ""),
        str(asked.get("contact_identity", had.identity) or ""),
        enabled=asked.get("enabled", had.enabled) in (True, "true"),
    )


def _load_flows(planned: Sequence[PlannedChange]) -> dict[FlowKey, SimulatedFlow]:
    """The flows of the plan, and those that are enabled in its accounts."""
    account_sids = {change.account_sid for change in planned if not change.skipped}
    columns = ("sid", "account_sid", "channel_type", "contact_identity", "enabled")
    there = Flow.objects.filter(account_sid__in=account_sids, gone_at=None).values_list(*columns)
    sids = {change.target_sid for change in planned}
    return {
        sid: SimulatedFlow(account_sid, channel, identity, enabled=enabled is True)
        for sid, account_sid, channel, identity, enabled in there.iterator()
        if enabled or sid in sids
    }
