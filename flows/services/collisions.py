"""The rule that one channel and contact identity of an account has one enabled flow, judged over a bulk change: each
change as things stand after the ones before it. Twilio judges each once more when its turn comes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flows import terms
from flows.folding import fold
from flows.models import Flow, PlannedChange

TOUCHING: Final = frozenset({"channel_type", "contact_identity", "enabled"})
WHOLE_NUMBER: Final = 7  # digits from which an identity is compared as a phone number

Holder = str | int  # a flow's SID; of one that the plan creates, its place in the plan
Address = tuple[str, str, str]  # account, channel and identity, of which one flow can be enabled


@dataclass(frozen=True, slots=True)
class Line:
    """What of a flow decides whether it is in another's way."""

    account_sid: str
    channel: str
    identity: str
    enabled: bool

    @property
    def address(self) -> Address | None:
        """The address that it takes up; None if it takes up none."""
        identity = normal_identity(self.identity)
        return (self.account_sid, self.channel, identity) if self.enabled and identity else None


def normal_identity(identity: str) -> str:
    """A contact identity in the one spelling that all of its spellings share: of a phone number, the digits."""
    text = fold(identity)
    digits = terms.digits_of(text.replace("(0)", "")).removeprefix("00")
    return digits if len(digits) >= WHOLE_NUMBER else text


def skip_colliding(planned: Sequence[PlannedChange], origins: Sequence[str] = ()) -> None:
    """Skip each change that would enable a second flow of an address. `origins` say where in a file each change
    stands."""
    if any(_may_take_an_address(change) for change in planned):
        _Simulation(planned, origins).run()


class _Simulation:
    """The flows as they would be after each change of a plan."""

    def __init__(self, planned: Sequence[PlannedChange], origins: Sequence[str]) -> None:
        self.planned, self.origins = planned, origins
        self.lines: dict[Holder, Line] = dict(_lines_of(planned))
        self.holders: defaultdict[Address, list[Holder]] = defaultdict(list)
        self.placed_by: dict[Holder, int] = {}  # the change of the plan that gave a flow its address
        for holder, line in self.lines.items():
            if line.address:
                self.holders[line.address].append(holder)

    def run(self) -> None:
        for place, change in enumerate(self.planned):
            if not change.skipped:
                change.skipped = self._apply(place, change)

    def _apply(self, place: int, change: PlannedChange) -> str:
        """Take a change into account, or return why it can't be made."""
        holder: Holder = change.target_sid or place
        before = self.lines.get(holder)
        after = None if change.action == "flow.delete" else _changed(before, change)
        was, will_be = before and before.address, after and after.address
        if was != will_be:
            others = [other for other in self.holders[will_be] if other != holder] if will_be else []
            if others:
                return self._reason(others[0], place)
            if was:
                self.holders[was].remove(holder)
            if will_be:
                self.holders[will_be].append(holder)
                self.placed_by[holder] = place
        if after:
            self.lines[holder] = after
        return ""

    def _reason(self, other: Holder, place: int) -> str:
        only_one = "Only one flow can be enabled per channel and contact identity."
        if isinstance(other, int):
            return f"{self._origin(other)} creates an enabled flow with the same channel and identity. {only_one}"
        if other in self.placed_by:
            earlier = self._origin(self.placed_by[other])
            return f"{earlier} enables {other} with the same channel and identity. {only_one}"
        reason = f"{other} is enabled for the same channel and identity. {only_one}"
        later = self._place_that_frees(other, place)
        if later is None or not self.origins:
            return reason
        where = self._origin(later)
        return f"{reason} {where} frees them, but comes later: move it above this one."

    def _place_that_frees(self, holder: Holder, after: int) -> int | None:
        line = self.lines[holder]
        for place, change in enumerate(self.planned[after + 1 :], after + 1):
            if change.target_sid == holder and not change.skipped:
                left = None if change.action == "flow.delete" else _changed(line, change)
                if (left and left.address) != line.address:
                    return place
        return None

    def _origin(self, place: int) -> str:
        return (self.origins[place] if self.origins else "") or f"Row {place + 1}"


def _may_take_an_address(change: PlannedChange) -> bool:
    """Whether a change could enable a flow, or move an enabled one."""
    if change.skipped or change.action == "flow.delete":
        return False
    return not TOUCHING.isdisjoint(change.asked) and change.asked.get("enabled") is not False


def _changed(before: Line | None, change: PlannedChange) -> Line:
    had = before or Line(change.account_sid, "", "", enabled=False)
    asked: Mapping[str, Any] = change.asked
    return Line(
        had.account_sid,
        str(asked.get("channel_type", had.channel) or ""),
        str(asked.get("contact_identity", had.identity) or ""),
        enabled=asked.get("enabled", had.enabled) in (True, "true"),
    )


def _lines_of(planned: Sequence[PlannedChange]) -> dict[Holder, Line]:
    """The flows of the plan, and those that are enabled in its accounts."""
    account_sids = {change.account_sid for change in planned if not change.skipped}
    columns = ("sid", "account_sid", "channel_type", "contact_identity", "enabled")
    there = Flow.objects.filter(account_sid__in=account_sids, gone_at=None).values_list(*columns)
    sids = {change.target_sid for change in planned}
    return {
        sid: Line(account_sid, channel, identity, enabled=enabled is True)
        for sid, account_sid, channel, identity, enabled in there.iterator()
        if enabled or sid in sids
    }
