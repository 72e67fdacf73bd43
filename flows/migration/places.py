"""The four places that could answer a flow's messages, and what is known of each now.

They are the flow, an address, the number or sender itself, and its Messaging Service. Who gets a
message is the answer of routing; the age is that of the reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from flows.core.safe_text import short
from flows.migration.verdict_case import Case
from flows.names.handling import NumberHandling, SenderHandling
from flows.routing.answers import Answer, HandlerKind
from flows.routing.explain import Router
from flows.routing.questions import ADDRESS_TYPES, Question
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER


class Answers(Enum):
    """Whether a place gets the messages now. The name is the shape of its mark."""

    YES = "Gets messages"
    PERHAPS = "May get messages"
    NO = "Gets none"
    UNKNOWN = "Not known"


@dataclass(frozen=True, slots=True)
class Place:
    """A place that could answer. `sid` is that of a flow or an address, for a link to its page."""

    kind: str
    name: str
    sentence: str
    answers: Answers
    read_at: datetime | None = None
    sid: str = ""


def find_places(case: Case, *, synced_at: datetime | None) -> list[Place]:
    """Return the four places. `synced_at` is the age of the flows."""
    if case.channel not in ADDRESS_TYPES:
        answer = Answer()
    else:
        answer = Router(case.state).explain(Question(case.channel, case.identity))
    return [
        _flow_place(case, answer, synced_at),
        *_address_places(case, answer),
        _own_place(case, answer),
        _service_place(case, answer),
    ]


def _flow_place(case: Case, answer: Answer, synced_at: datetime | None) -> Place:
    name = case.state.account.flows[case.sid].get("friendly_name")
    candidate = next((each for each in answer.candidates if each.sid == case.sid), None)
    is_off = case.value("enabled") is False
    if candidate is None:
        sentence = (
            "It is off." if is_off else "Routing can't tell who gets messages of its channel."
        )
        answers = Answers.NO if is_off else Answers.UNKNOWN
    else:
        sentence = candidate.sentence
        answers = _answers(answer, gets_it=candidate.gets_it)
    text = name if isinstance(name, str) and name else short(case.sid)
    return Place("This flow", text, sentence, answers, synced_at, case.sid)


def _address_places(case: Case, answer: Answer) -> list[Place]:
    """Return the addresses of the flow's channel and identity, or that there is none."""
    read_at = case.state.account.read_at.get(ADDRESS_CONFIGURATION.name)
    kind = "Address"
    if case.channel not in ADDRESS_TYPES:
        return [Place(kind, "None", "Addresses don't have this channel.", Answers.NO)]
    places = []
    for candidate in answer.candidates:
        address = case.state.addresses.get(candidate.sid)
        if address is not None and address.kind == ADDRESS_TYPES[case.channel]:
            answers = _answers(answer, gets_it=candidate.gets_it)
            name = candidate.name or short(candidate.sid)
            places.append(Place(kind, name, candidate.sentence, answers, read_at, candidate.sid))
    if places:
        return places
    if not case.has_read(ADDRESS_CONFIGURATION.name):
        sentence = "The account's Address Configurations were not read yet."
        return [Place(kind, "", sentence, Answers.UNKNOWN, read_at)]
    return [Place(kind, "None", "No address has this identity.", Answers.NO, read_at)]


def _own_place(case: Case, answer: Answer) -> Place:
    """Return the number, the sender, the page or the website itself."""
    if case.channel == "web":
        sentence = "A website names its flow by SID. The dashboard can't see which one."
        return Place("Website", "", sentence, Answers.UNKNOWN)
    if case.channel == "sms":
        number = case.state.surroundings.find_number(case.identity)
        return _handling_place(case, answer, "Phone number", INCOMING_PHONE_NUMBER.name, number)
    if case.channel == "whatsapp":
        sender = case.state.surroundings.find_sender(case.identity)
        return _handling_place(case, answer, "WhatsApp sender", WHATSAPP_SENDER.name, sender)
    kind = "Messenger page" if case.channel == "facebook" else "Its own connection"
    return Place(kind, case.identity, "No API shows how it is connected.", Answers.UNKNOWN)


def _handling_place(
    case: Case,
    answer: Answer,
    kind: str,
    resource: str,
    handling: NumberHandling | SenderHandling | None,
) -> Place:
    read_at = case.state.account.read_at.get(resource)
    if handling is None:
        if case.has_read(resource):
            sentence = "The account doesn't have it, as far as its lists show."
            return Place(kind, case.identity, sentence, Answers.NO, read_at)
        return Place(kind, case.identity, "It was not read yet.", Answers.UNKNOWN, read_at)
    if handling.read_at is None:
        sentence = "Where its messages go was not read yet."
        return Place(kind, case.identity, sentence, Answers.UNKNOWN)
    own = (HandlerKind.WEBHOOK, HandlerKind.APPLICATION)
    answers = _answers(answer, gets_it=_has_handler(answer, own))
    return Place(kind, case.identity, _describe_handling(handling), answers, handling.read_at)


def _describe_handling(handling: NumberHandling | SenderHandling) -> str:
    if isinstance(handling, NumberHandling) and handling.application_sid:
        return f"Its TwiML application is {short(handling.application_sid)}."
    host = handling.webhook_host if isinstance(handling, SenderHandling) else handling.sms_url_host
    if handling.is_proxy:
        return "Its webhook is that of Flex Proxy, which hands messages to Flex Flows."
    return f"Its webhook is at {host}." if host else "It has no webhook."


def _service_place(case: Case, answer: Answer) -> Place:
    kind = "Messaging Service"
    if case.channel not in ("sms", "whatsapp"):
        sentence = "Messaging Services don't take part in this channel."
        return Place(kind, "None", sentence, Answers.NO)
    find = (
        case.state.surroundings.find_number
        if case.channel == "sms"
        else case.state.surroundings.find_sender
    )
    handling = find(case.identity)
    read_at = case.state.account.read_at.get(MESSAGING_SERVICE.name)
    if handling is None or not handling.messaging_service_sid:
        if not case.has_read(MESSAGING_SERVICE.name):
            sentence = "The account's Messaging Services were not read yet."
            return Place(kind, "", sentence, Answers.UNKNOWN, read_at)
        return Place(kind, "None", "It is in none.", Answers.NO, read_at)
    service = case.state.account.names.get(handling.messaging_service_sid)
    name = service.name if service and service.name else short(handling.messaging_service_sid)
    answers = _answers(answer, gets_it=_has_handler(answer, (HandlerKind.SERVICE,)))
    return Place(kind, name, _describe_service(handling), answers, handling.service_read_at)


def _describe_service(handling: NumberHandling | SenderHandling) -> str:
    if handling.service_is_proxy:
        where = "Its webhook is that of Flex Proxy, which hands messages to Flex Flows."
    elif handling.service_inbound_host:
        where = f"Its webhook is at {handling.service_inbound_host}."
    else:
        where = "It has no webhook."
    if handling.service_uses_number_webhook:
        return f"{where} It is set to leave messages to the number's own."
    if handling.service_uses_number_webhook is None:
        return f"{where} Whether it leaves messages to the number's own was not read."
    return where


def _has_handler(answer: Answer, kinds: Sequence[HandlerKind]) -> bool:
    return any(handler.kind in kinds for handler in answer.handlers)


def _answers(answer: Answer, *, gets_it: bool) -> Answers:
    """Return whether a place gets the messages. A doubt about the whole answer makes it perhaps."""
    if not gets_it:
        return Answers.NO
    return Answers.PERHAPS if answer.doubts else Answers.YES
