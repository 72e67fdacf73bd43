"""The verdict on moving a flow to an address: automatic, by hand or blocked, with its reasons.

It is a pure function of an account's state, as old as the last sync and the last reading of the names.
What wasn't read makes it uncertain, never automatic.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from flows.checks.account_rules import channel_of, comparable_identity
from flows.migration.verdict_case import Case
from flows.migration.verdict_reasons import Effect, Found
from flows.migration.verdict_rules import find_reasons
from flows.routing.questions import CHANNELS_OF_ADDRESSES
from flows.routing.routing_state import Address, RoutingState
from flows.twilio.flex.flex_flow import FLEX_FLOW, is_on


class Verdict(Enum):
    """How a flow can be moved. Its value is the word in URLs, the worst first."""

    BLOCKED = "blocked"
    BY_HAND = "by-hand"
    UNCERTAIN = "uncertain"
    AUTOMATIC = "automatic"


_VERDICTS = {
    Effect.BLOCKS: Verdict.BLOCKED,
    Effect.NEEDS_HAND: Verdict.BY_HAND,
    Effect.UNREAD: Verdict.UNCERTAIN,
    Effect.INFORMATION: Verdict.AUTOMATIC,
}
_EFFECTS = list(Effect)


@dataclass(frozen=True, slots=True)
class Judgement:
    """The verdict on one flow, with its reasons, the worst first."""

    verdict: Verdict
    reasons: tuple[Found, ...] = ()

    @property
    def main_reason(self) -> Found | None:
        return self.reasons[0] if self.reasons else None

    @property
    def open_reasons(self) -> list[Found]:
        """What is left to do by hand, and what isn't known yet."""
        effects = (Effect.NEEDS_HAND, Effect.UNREAD)
        return [each for each in self.reasons if each.effect in effects]


class Judge:
    """Judges the flows of one account. Build it once for many flows."""

    def __init__(self, state: RoutingState) -> None:
        self._state = state
        self._flows_on: dict[tuple[str, str], list[str]] = defaultdict(list)
        for sid, flow in state.account.flows.items():
            identity = FLEX_FLOW.identity_of(flow)
            if identity and is_on(flow):
                channel = channel_of(flow)
                self._flows_on[channel, comparable_identity(channel, identity)].append(sid)
        self._addresses: dict[tuple[str, str], list[Address]] = defaultdict(list)
        for address in state.addresses.values():
            channel = CHANNELS_OF_ADDRESSES.get(address.kind, "")
            self._addresses[channel, comparable_identity(channel, address.address)].append(address)

    def judge(self, sid: str, *, own_address_sid: str = "") -> Judgement:
        """Return the verdict on a flow of the account.

        `own_address_sid` is the address that its own migration has created, which is no reason.
        """
        case = self.build_case(sid, own_address_sid=own_address_sid)
        reasons = sorted(find_reasons(case), key=lambda each: _EFFECTS.index(each.effect))
        return Judgement(_verdict_of(reasons), tuple(reasons))

    def build_case(self, sid: str, *, own_address_sid: str = "") -> Case:
        """Return a flow with what the account has of the same identity. See `judge`."""
        flow = self._state.account.flows[sid]
        channel, identity = channel_of(flow), FLEX_FLOW.identity_of(flow)
        key = channel, comparable_identity(channel, identity)
        return Case(
            sid=sid,
            flow=flow,
            channel=channel,
            identity=identity,
            variant=FLEX_FLOW.variant_of(flow),
            state=self._state,
            others_on=[each for each in self._flows_on.get(key, ()) if each != sid],
            addresses=[
                each for each in self._addresses.get(key, ()) if each.sid != own_address_sid
            ],
        )


def judge(sid: str, state: RoutingState, *, own_address_sid: str = "") -> Judgement:
    """Return the verdict on one flow of an account. See `Judge`."""
    return Judge(state).judge(sid, own_address_sid=own_address_sid)


def _verdict_of(reasons: Sequence[Found]) -> Verdict:
    return _VERDICTS[reasons[0].effect] if reasons else Verdict.AUTOMATIC
