"""Rules about what else could answer a flow's messages, and about hosts and services around it.

They follow from readings of numbers, senders and Messaging Services (`flows.names.handling`). What
was read before the flow last changed is not judged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final

from django.utils.text import get_text_list

from flows.checks.account_state import AccountState, FlowRuleMatch, identities_on, is_read_since
from flows.checks.findings import Rule, Severity
from flows.core.safe_text import short
from flows.mirror.targets import TargetKind, find_target_values
from flows.names.handling import Handling, NumberHandling, SenderHandling
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.conversations.conversation_configuration import CONVERSATION_CONFIGURATION
from flows.twilio.flex.configuration import CONFIGURATION
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.service_members import SERVICE_NUMBER, SERVICE_SENDER
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER

_NUMBERS: Final = (INCOMING_PHONE_NUMBER.name, MESSAGING_SERVICE.name, SERVICE_NUMBER.name)
_SENDERS: Final = (WHATSAPP_SENDER.name, MESSAGING_SERVICE.name, SERVICE_SENDER.name)
_SETTINGS: Final = (CONFIGURATION.name, CONVERSATION_CONFIGURATION.name)

NOT_WITH_PROXY: Final = Rule(
    "number-not-with-flex-proxy",
    Severity.WARNING,
    "Nothing hands the number's messages to the flow",
    "A Flex Flow gets an SMS only if its number is handled by Flex Proxy. The Console sets that up "
    "when it creates a flow, and the API doesn't.",
    "In the Console, let Flex Proxy Service handle incoming messages of the number. If a "
    "Conversations address answers the number, turn the flow off.",
    needs=_NUMBERS,
)
HANDLED_TWICE: Final = Rule(
    "number-handled-twice",
    Severity.WARNING,
    "Something else is set up to answer the same messages",
    "Customers may get two answers, or only the other one. Twilio's documentation isn't clear "
    "about which.",
    "Remove the other handler in the Console, or turn the flow off if the other one is meant.",
    needs=tuple(dict.fromkeys((*_NUMBERS, *_SENDERS))),
    judged_with=(INCOMING_PHONE_NUMBER.name, WHATSAPP_SENDER.name),
)
OTHER_CHAT_SERVICE: Final = Rule(
    "chat-service-not-of-flex",
    Severity.WARNING,
    "The flow uses another chat service than Flex does",
    "Twilio recommends the chat service of Flex for all flows. Agents may not see conversations of "
    "another one.",
    "Choose the chat service of Flex in the flow, unless another one is meant.",
    needs=_SETTINGS,
)
LEFT_HOST: Final = Rule(
    "webhook-host-left",
    Severity.WARNING,
    "The webhook is at a host that other flows have left",
    "At least two flows moved from this host to another one, and no more flows than that still use "
    "it. Such a host is often about to be turned off. The last 1,000 changes are searched.",
    "Ask who runs the host, and move this flow as well if it was forgotten.",
)
RULES: Final = (NOT_WITH_PROXY, HANDLED_TWICE, OTHER_CHAT_SERVICE, LEFT_HOST)


def check_numbers(state: AccountState) -> Iterator[FlowRuleMatch]:
    """Yield the flows whose number is handled by something else, or by nothing."""
    if not state.has_all(INCOMING_PHONE_NUMBER.name):
        return
    for sid, identity in identities_on(state, "sms"):
        number = state.surroundings.find_number(identity)
        if number is None or number.can_receive_sms is False:
            continue
        if not is_read_since(state.flows[sid], number.read_at):
            continue
        has_service = _is_service_known(state, sid, SERVICE_NUMBER.name, number.service_read_at)
        other_handlers = list(_other_handlers_of_number(number, has_service=has_service))
        if other_handlers:
            yield (
                sid,
                HANDLED_TWICE,
                _describe_others(identity, other_handlers, _is_proxied(number)),
            )
        elif not _is_proxied(number) and has_service and not number.service_is_proxy:
            yield (
                sid,
                NOT_WITH_PROXY,
                f"Nothing hands messages to {identity} to this flow: the number has no webhook.",
            )


def check_senders(state: AccountState) -> Iterator[FlowRuleMatch]:
    """Yield the flows whose WhatsApp sender is handled by something else as well."""
    if not state.has_all(WHATSAPP_SENDER.name):
        return
    for sid, identity in identities_on(state, "whatsapp"):
        sender = state.surroundings.find_sender(identity)
        if sender is None or not is_read_since(state.flows[sid], sender.read_at):
            continue
        has_service = _is_service_known(state, sid, SERVICE_SENDER.name, sender.service_read_at)
        other_handlers = list(_other_handlers_of_sender(sender, has_service=has_service))
        if other_handlers:
            yield sid, HANDLED_TWICE, _describe_others(identity, other_handlers, is_proxied=True)


def find_unjudged(state: AccountState) -> Iterator[tuple[str, Rule]]:
    """Yield the SIDs of flows that the checks of numbers and senders skip, with each rule."""
    has_numbers = state.has_all(INCOMING_PHONE_NUMBER.name)
    for sid, identity in identities_on(state, "sms"):
        number = state.surroundings.find_number(identity)
        if not has_numbers or (number and not _is_judged(state, sid, number, SERVICE_NUMBER.name)):
            yield sid, HANDLED_TWICE
            yield sid, NOT_WITH_PROXY
    has_senders = state.has_all(WHATSAPP_SENDER.name)
    for sid, identity in identities_on(state, "whatsapp"):
        sender = state.surroundings.find_sender(identity)
        if not has_senders or (sender and not _is_judged(state, sid, sender, SERVICE_SENDER.name)):
            yield sid, HANDLED_TWICE


def _is_judged(state: AccountState, sid: str, handling: Handling, members: str) -> bool:
    """Return True if what answers a number or a sender was read since its flow last changed."""
    is_read = is_read_since(state.flows[sid], handling.read_at)
    return is_read and _is_service_known(state, sid, members, handling.service_read_at)


def check_chat_services(state: AccountState) -> Iterator[FlowRuleMatch]:
    """Yield the flows with a chat service that is neither that of Flex nor the default one."""
    own_sids = state.surroundings.chat_services.own_sids
    if not own_sids or not state.has_all(*_SETTINGS):
        return
    for sid, flow in state.flows.items():
        service_sid = flow.get("chat_service_sid")
        if not isinstance(service_sid, str) or not service_sid or service_sid in own_sids:
            continue
        service_name = state.names.get(service_sid)
        named = (
            f"“{service_name.name}”" if service_name and service_name.name else short(service_sid)
        )
        yield (
            sid,
            OTHER_CHAT_SERVICE,
            f"The flow uses the chat service {named}, which is not that of Flex.",
        )


def check_left_hosts(state: AccountState) -> Iterator[FlowRuleMatch]:
    """Yield the flows whose webhook is at a host that others have left."""
    if not state.left_hosts:
        return
    for sid, flow in state.flows.items():
        for kind, host in find_target_values(flow):
            if kind == TargetKind.WEBHOOK and host in state.left_hosts:
                yield sid, LEFT_HOST, f"Other flows that used {host} have moved to another host."


CHECKS: Final[tuple[Callable[[AccountState], Iterator[FlowRuleMatch]], ...]] = (
    check_numbers,
    check_senders,
    check_chat_services,
    check_left_hosts,
)


def _is_proxied(number: NumberHandling) -> bool:
    return number.is_proxy and not number.application_sid


def _is_service_known(
    state: AccountState, sid: str, members: str, read_at: datetime | None
) -> bool:
    """Return True if it is known which Messaging Service a number is in, if any."""
    if not state.has_all(MESSAGING_SERVICE.name, members):
        return False
    return read_at is None or is_read_since(state.flows[sid], read_at)


def _other_handlers_of_number(number: NumberHandling, *, has_service: bool) -> Iterator[str]:
    """Yield what else answers an SMS. Twilio ignores a number's URL if it has an application."""
    if number.application_sid:
        yield f"the messaging application {short(number.application_sid)}"
    elif number.sms_url_host and not number.is_proxy:
        yield f"the number's own webhook at {number.sms_url_host}"
    is_service_asked = not number.service_uses_number_webhook and not number.service_is_proxy
    if has_service and number.service_inbound_host and is_service_asked:
        yield f"the Messaging Service's webhook at {number.service_inbound_host}"


def _other_handlers_of_sender(sender: SenderHandling, *, has_service: bool) -> Iterator[str]:
    """Yield what else answers a WhatsApp message.

    Twilio customers report that the webhook of its Messaging Service is called even if the service
    defers to the sender's.
    """
    if sender.webhook_host and not sender.is_proxy:
        yield f"the sender's own webhook at {sender.webhook_host}"
    if has_service and sender.service_inbound_host and not sender.service_is_proxy:
        yield f"the Messaging Service's webhook at {sender.service_inbound_host}"


def _describe_others(identity: str, other_handlers: list[str], is_proxied: bool) -> str:
    handlers = get_text_list(other_handlers, "and")
    if is_proxied:
        return f"Messages to {identity} can also be answered by {handlers}."
    return f"Messages to {identity} go to {handlers}, and not to Flex Proxy."
