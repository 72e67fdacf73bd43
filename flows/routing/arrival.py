"""How a message arrives: what its number or sender does with it, before any Flex Flow gets it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from flows.core.identities import PHONE_MIN_DIGITS
from flows.names.handling import Handling, NumberHandling, SenderHandling
from flows.routing.answers import Doubt, Handler, HandlerKind, Reason, Step
from flows.routing.questions import Question
from flows.routing.routing_state import RoutingState
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.whatsapp_sender import STATUSES, WHATSAPP_SENDER

ABOUT_OWNERSHIP: Final[tuple[Doubt, ...]] = (
    Doubt.NUMBERS_UNREAD,
    Doubt.SENDERS_UNREAD,
    Doubt.NOT_A_NUMBER,
    Doubt.PAGE_UNREAD,
)
ONLINE: Final = "ONLINE"  # a sender's status, also with an addition such as "ONLINE:UPDATING"


@dataclass(slots=True)
class Arrival:
    """The way of a message until it gets to Flex.

    `obstacle` is why it doesn't get to Flex Flows, and `detail` what that sentence names. If
    `is_lost`, it doesn't get to Twilio at all, so that no address gets it either. `handlers` take
    it outside Flex.
    """

    steps: list[Step] = field(default_factory=list)
    obstacle: Reason | None = None
    detail: str = ""
    is_lost: bool = False
    is_in_service: bool = False
    handlers: list[Handler] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    def stop(self, obstacle: Reason, detail: str = "", *, is_lost: bool = False) -> None:
        self.obstacle, self.detail, self.is_lost = obstacle, detail, is_lost

    def hand_to(self, kind: HandlerKind, name: str, obstacle: Reason) -> None:
        """Say that something outside Flex takes the message instead."""
        self.handlers.append(Handler(kind, name, name))
        self.stop(obstacle, name)


def follow_to_flex(question: Question, state: RoutingState) -> Arrival:
    """Follow a message from its sender to Flex, as far as it gets."""
    if question.channel == "sms":
        return _follow_sms(question, state)
    if question.channel == "whatsapp":
        return _follow_whatsapp(question, state)
    if question.channel == "facebook":
        return Arrival(doubts=[Doubt.PAGE_UNREAD])
    return Arrival(doubts=[Doubt.WEBSITE_CHOOSES])


def follow_from_flex(question: Question, state: RoutingState) -> Arrival:
    """Tell whether a message can be sent from a number or a sender at all.

    Where its incoming messages go doesn't matter for that.
    """
    arrival = follow_to_flex(question, state)
    doubts: list[Doubt] = [doubt for doubt in arrival.doubts if doubt in ABOUT_OWNERSHIP]
    if not arrival.is_lost:
        return Arrival(arrival.steps[:1], doubts=doubts)
    return Arrival(arrival.steps[:1], arrival.obstacle, arrival.detail, is_lost=True, doubts=doubts)


def _follow_sms(question: Question, state: RoutingState) -> Arrival:
    arrival = Arrival()
    number = state.surroundings.find_number(question.identity)
    if number is None:
        if not _is_phone_number(question.key):
            arrival.doubts.append(Doubt.NOT_A_NUMBER)
        elif state.is_read(INCOMING_PHONE_NUMBER.name):
            arrival.stop(Reason.NOT_OWNED, is_lost=True)
        else:
            arrival.doubts.append(Doubt.NUMBERS_UNREAD)
        return arrival
    arrival.steps.append(Step("Phone number", number.phone_number, sid=number.owned_sid))
    if number.can_receive_sms is False:
        arrival.stop(Reason.NO_SMS, is_lost=True)
    elif not _is_taken_by_service(number, state, arrival):
        _follow_number(number, arrival)
    return arrival


def _follow_number(number: NumberHandling, arrival: Arrival) -> None:
    if number.read_at is None:
        arrival.doubts.append(Doubt.WEBHOOKS_UNREAD)
    elif number.application_sid:
        arrival.doubts.append(Doubt.APPLICATION_UNREAD)
        arrival.hand_to(
            HandlerKind.APPLICATION, number.application_sid, Reason.APPLICATION_TAKES_IT
        )
    else:
        _follow_webhook(number.sms_url_host, arrival, is_proxy=number.is_proxy)


def _follow_whatsapp(question: Question, state: RoutingState) -> Arrival:
    arrival = Arrival()
    sender = state.surroundings.find_sender(question.identity)
    if sender is None:
        if state.is_read(WHATSAPP_SENDER.name):
            arrival.stop(Reason.SENDER_MISSING, is_lost=True)
        else:
            arrival.doubts.append(Doubt.SENDERS_UNREAD)
        return arrival
    arrival.steps.append(Step("WhatsApp sender", sender.sender_id, sid=sender.owned_sid))
    if sender.status and not sender.status.startswith(ONLINE):
        status = STATUSES.get(sender.status, sender.status)
        arrival.stop(Reason.SENDER_OFFLINE, status[:1].lower() + status[1:], is_lost=True)
    elif not _is_taken_by_service(sender, state, arrival):
        _follow_sender(sender, arrival)
    return arrival


def _follow_sender(sender: SenderHandling, arrival: Arrival) -> None:
    if sender.read_at is None:
        arrival.doubts.append(Doubt.WEBHOOKS_UNREAD)
        return
    _follow_webhook(sender.webhook_host, arrival, is_proxy=sender.is_proxy)
    if sender.service_inbound_host and not sender.service_is_proxy:
        host = sender.service_inbound_host
        arrival.handlers.append(Handler(HandlerKind.SERVICE, host, host, is_doubtful=True))
        arrival.doubts.append(Doubt.SENDER_IN_SERVICE)


def _is_taken_by_service(handling: Handling, state: RoutingState, arrival: Arrival) -> bool:
    """Return True if a Messaging Service decides where the message goes. Note where."""
    sid = handling.messaging_service_sid
    if not sid:
        if not state.is_read(MESSAGING_SERVICE.name):
            arrival.doubts.append(Doubt.SERVICES_UNREAD)
        return False
    arrival.is_in_service = True
    service = state.account.names.get(sid)
    arrival.steps.append(Step("Messaging Service", service.name if service else sid, sid=sid))
    if handling.service_uses_number_webhook:
        return False
    if handling.service_uses_number_webhook is None:
        arrival.doubts.append(Doubt.SERVICE_SETTING_UNREAD)
    if handling.service_is_proxy:
        return True
    if handling.service_inbound_host:
        arrival.hand_to(HandlerKind.SERVICE, handling.service_inbound_host, Reason.SERVICE_TAKES_IT)
    else:
        arrival.stop(Reason.SERVICE_KEEPS_IT)
    return True


def _follow_webhook(host: str, arrival: Arrival, *, is_proxy: bool) -> None:
    if is_proxy:
        return
    if host:
        arrival.hand_to(HandlerKind.WEBHOOK, host, Reason.WEBHOOK_TAKES_IT)
    else:
        arrival.stop(Reason.NO_WEBHOOK)


def _is_phone_number(key: str) -> bool:
    return key.isdecimal() and len(key) >= PHONE_MIN_DIGITS
