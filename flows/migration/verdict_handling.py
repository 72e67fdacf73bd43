"""Rules of the verdict about a flow's number or sender: what has to be detached from it, and how."""

from __future__ import annotations

from collections.abc import Iterator

from flows.core.identities import PHONE_MIN_DIGITS
from flows.core.safe_text import short
from flows.migration.verdict_case import Case
from flows.migration.verdict_reasons import Found, Reason
from flows.names.handling import NumberHandling, SenderHandling
from flows.routing.arrival import ONLINE
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.whatsapp_sender import STATUSES, WHATSAPP_SENDER


def check_number(case: Case) -> Iterator[Found]:
    """Yield what the migration does to the number of an SMS flow, and what a user has to do."""
    number = case.state.surroundings.find_number(case.identity)
    if number is None:
        yield _judge_unknown_number(case)
        return
    if number.can_receive_sms is False:
        yield Found(Reason.NO_SMS)
    if number.messaging_service_sid:
        yield _judge_service(case, number)
    elif not case.has_read(MESSAGING_SERVICE.name):
        yield Found(Reason.SERVICES_UNREAD)
    yield from _check_number_webhook(number)


def check_sender(case: Case) -> Iterator[Found]:
    """Yield what a user has to do about the sender of a WhatsApp flow.

    The dashboard doesn't change senders, so all of it is by hand.
    """
    sender = case.state.surroundings.find_sender(case.identity)
    if sender is None:
        is_read = case.has_read_since_change(WHATSAPP_SENDER.name)
        yield Found(Reason.SENDER_MISSING if is_read else Reason.SENDERS_UNREAD)
        return
    if sender.status and not sender.status.startswith(ONLINE):
        status = STATUSES.get(sender.status, sender.status)
        yield Found(Reason.SENDER_OFFLINE, status[:1].lower() + status[1:])
    if sender.messaging_service_sid:
        yield Found(Reason.SENDER_IN_SERVICE, case.name_of(sender.messaging_service_sid))
    elif not case.has_read(MESSAGING_SERVICE.name):
        yield Found(Reason.SERVICES_UNREAD)
    yield _judge_sender_webhook(sender)


def _judge_unknown_number(case: Case) -> Found:
    digits = case.identity.strip()
    if digits.isdecimal() and len(digits) < PHONE_MIN_DIGITS:
        return Found(Reason.SHORT_CODE)
    if not any(each.isdecimal() for each in digits) or any(each.isalpha() for each in digits):
        return Found(Reason.NOT_A_NUMBER)
    is_read = case.has_read_since_change(INCOMING_PHONE_NUMBER.name)
    return Found(Reason.NUMBER_NOT_OWNED if is_read else Reason.NUMBERS_UNREAD)


def _judge_service(case: Case, number: NumberHandling) -> Found:
    """Return what its Messaging Service means for a number, which the migration takes out of it."""
    is_taken = number.service_inbound_host and not number.service_is_proxy
    if is_taken and not number.service_uses_number_webhook:
        return Found(Reason.SERVICE_URL, number.service_inbound_host)
    return Found(Reason.IN_SERVICE, case.name_of(number.messaging_service_sid))


def _check_number_webhook(number: NumberHandling) -> Iterator[Found]:
    if number.read_at is None:
        yield Found(Reason.WEBHOOKS_UNREAD)
        return
    if number.application_sid:
        yield Found(Reason.APPLICATION, short(number.application_sid))
    if number.sms_url_host and not number.is_proxy:
        yield Found(Reason.NUMBER_WEBHOOK, number.sms_url_host)
    elif not number.is_proxy and not number.application_sid and not number.messaging_service_sid:
        yield Found(Reason.NO_WEBHOOK)


def _judge_sender_webhook(sender: SenderHandling) -> Found:
    if sender.read_at is None:
        return Found(Reason.WEBHOOKS_UNREAD)
    if sender.is_proxy:
        return Found(Reason.SENDER_WITH_PROXY)
    if sender.webhook_host:
        return Found(Reason.SENDER_WEBHOOK, sender.webhook_host)
    return Found(Reason.NO_WEBHOOK)
