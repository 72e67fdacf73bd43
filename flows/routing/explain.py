"""Who gets a message: the flows and addresses that were considered, and the reason for each.

A `Router` is a pure function of an account's state, so it can also be asked about a state that is
planned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property

from flows.checks.account_rules import NUMBER_CHANNELS, channel_of
from flows.checks.findings import Finding
from flows.routing.answers import Answer, Candidate, Doubt, Handler, HandlerKind, Reason
from flows.routing.arrival import Arrival, follow_from_flex, follow_to_flex
from flows.routing.questions import (
    ADDRESS_TYPES,
    CHANNELS_OF_ADDRESSES,
    Direction,
    Question,
    path_key,
)
from flows.routing.routing_state import Address, RoutingState
from flows.routing.targets import (
    address_handler,
    find_handover_errors,
    flow_handler,
    is_target_known,
)
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.flex.flex_flow import CHANNEL_TYPES, FLEX_FLOW, is_on


class Router:
    """Explains where the messages of one account go. Build it once for many questions."""

    def __init__(self, state: RoutingState) -> None:
        self._state = state
        self._channels = {sid: channel_of(flow) for sid, flow in state.account.flows.items()}
        self._flows: dict[tuple[bool, str], list[str]] = defaultdict(list)
        for sid, flow in state.account.flows.items():
            channel, identity = self._channels[sid], FLEX_FLOW.identity_of(flow)
            if identity or channel == "web":
                self._flows[path_key(channel, identity)].append(sid)
        self._addresses: dict[tuple[bool, str], list[Address]] = defaultdict(list)
        for address in state.addresses.values():
            channel = CHANNELS_OF_ADDRESSES.get(address.kind, "")
            self._addresses[path_key(channel, address.address)].append(address)

    @cached_property
    def _errors(self) -> dict[str, list[Finding]]:
        return find_handover_errors(self._state)

    def explain(self, question: Question) -> Answer:
        """Return who gets a message, or whom an outbound message can start from."""
        is_inbound = question.direction == Direction.INBOUND
        follow = follow_to_flex if is_inbound else follow_from_flex
        arrival = follow(question, self._state)
        key = path_key(question.channel, question.identity)
        flows = [
            self._judge_flow(sid, question, arrival)
            for sid in self._flows.get(key, ())
            if self._is_comparable(question, self._channels[sid])
        ]
        addresses = [
            _judge_address(address, question, arrival)
            for address in self._addresses.get(key, ())
            if self._is_comparable(question, CHANNELS_OF_ADDRESSES.get(address.kind, ""))
        ]
        handlers = self._handlers([*flows, *addresses], arrival)
        considered = [each.sid for each in flows if each.reason != Reason.OTHER_CHANNEL]
        doubts = [*arrival.doubts, *self._doubts(question, arrival, handlers, considered)]
        return Answer(arrival.steps, handlers, [*flows, *addresses], tuple(dict.fromkeys(doubts)))

    def _is_comparable(self, question: Question, channel: str) -> bool:
        """Return True for the same channel, or if both are for phone numbers."""
        if question.channel in NUMBER_CHANNELS:
            return channel in NUMBER_CHANNELS
        return channel == question.channel

    def _judge_flow(self, sid: str, question: Question, arrival: Arrival) -> Candidate:
        flow = self._state.account.flows[sid]
        name = FLEX_FLOW.name_of(flow)

        def judge(reason: Reason, detail: str = "", *, gets_it: bool = False) -> Candidate:
            return Candidate(HandlerKind.FLOW, sid, name, reason, detail, gets_it)

        channel = self._channels[sid]
        if channel != question.channel:
            return judge(Reason.OTHER_CHANNEL, CHANNEL_TYPES.get(channel, channel))
        is_outbound = question.direction == Direction.OUTBOUND
        if not is_outbound and not is_on(flow):
            return judge(Reason.OFF)
        if arrival.obstacle:
            return judge(arrival.obstacle, arrival.detail)
        if is_outbound:
            return judge(Reason.SENDER_NAMES_IT, gets_it=True)
        is_web = question.channel == "web"
        return judge(Reason.WEBSITE_NAMES_IT if is_web else Reason.ON, gets_it=True)

    def _handlers(self, candidates: Sequence[Candidate], arrival: Arrival) -> list[Handler]:
        """Return who gets the message: flows, then what takes it outside Flex, then addresses."""
        getting = [each for each in candidates if each.gets_it]
        flows = (each.sid for each in getting if each.kind == HandlerKind.FLOW)
        addresses = (each.sid for each in getting if each.kind == HandlerKind.ADDRESS)
        return [
            *(flow_handler(sid, self._state, self._errors.get(sid, ())) for sid in flows),
            *arrival.handlers,
            *(
                address_handler(sid, self._state, is_doubtful=arrival.is_in_service)
                for sid in addresses
            ),
        ]

    def _doubts(
        self,
        question: Question,
        arrival: Arrival,
        handlers: Sequence[Handler],
        considered: Sequence[str],
    ) -> Iterator[Doubt]:
        if question.direction == Direction.OUTBOUND:
            if len(handlers) > 1:
                yield Doubt.SENDER_CHOOSES
        else:
            yield from self._inbound_doubts(question, arrival, [each.kind for each in handlers])
        if any(not is_target_known(handler, self._state) for handler in handlers):
            yield Doubt.TARGET_UNREAD
        if not self._state.is_mirror_complete:
            yield Doubt.MIRROR_INCOMPLETE
        if any(sid in self._state.open_changes for sid in considered):
            yield Doubt.OPEN_CHANGE

    def _inbound_doubts(
        self, question: Question, arrival: Arrival, kinds: Sequence[HandlerKind]
    ) -> Iterator[Doubt]:
        is_chosen_by_twilio = question.channel != "web"
        if is_chosen_by_twilio and kinds.count(HandlerKind.FLOW) > 1:
            yield Doubt.TWO_FLOWS_ON
        if HandlerKind.ADDRESS in kinds:
            if is_chosen_by_twilio and len(kinds) > 1:
                yield Doubt.ADDRESS_AND_OTHERS
            if arrival.is_in_service:
                yield Doubt.ADDRESS_IN_SERVICE
        if not arrival.is_lost and not self._state.is_read(ADDRESS_CONFIGURATION.name):
            yield Doubt.ADDRESSES_UNREAD


def _judge_address(address: Address, question: Question, arrival: Arrival) -> Candidate:
    def judge(reason: Reason, detail: str = "", *, gets_it: bool = False) -> Candidate:
        name = address.name or address.address
        return Candidate(HandlerKind.ADDRESS, address.sid, name, reason, detail, gets_it)

    if address.kind != ADDRESS_TYPES[question.channel]:
        channel = CHANNELS_OF_ADDRESSES.get(address.kind, address.kind)
        return judge(Reason.OTHER_CHANNEL, CHANNEL_TYPES.get(channel, channel))
    if question.direction == Direction.OUTBOUND:
        return judge(Reason.INBOUND_ONLY)
    if not address.is_on:
        return judge(Reason.ADDRESS_OFF)
    if arrival.is_lost and arrival.obstacle:
        return judge(arrival.obstacle, arrival.detail)
    return judge(Reason.ADDRESS_ON, gets_it=True)
