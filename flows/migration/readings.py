"""What Twilio has now around a flow that is migrated: the flow, its address and its number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flows.core.identities import normalize_identity
from flows.core.phone_numbers import to_e164
from flows.migration.address_values import WHATSAPP_PREFIX, address_values
from flows.mirror import flow_reads, live
from flows.names.details import is_proxy_url
from flows.redaction.redacted import Redacted
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.api.phone_number_settings import PHONE_NUMBER_SETTINGS
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.handling_resources import SENDER_HANDLING, SERVICE_HANDLING
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.service_members import SERVICE_NUMBER, SERVICE_SENDER
from flows.twilio.resource import Resource, Snapshot


class CannotMigrate(Exception):
    """The flow can't be migrated as it is. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Readings:
    """A flow with what surrounds it, as Twilio has it now. Snapshots are unmasked."""

    flow: Snapshot
    planned_address: dict[str, Any]  # the values that an address in the flow's place has
    address: Snapshot | None  # the address with that identity, if it exists
    number: Snapshot | None  # of an SMS flow, if the account has it
    service_sids: tuple[str, ...]  # the Messaging Services that have the number


NO_WEBHOOKS: Final[Mapping[str, Any]] = {}


def read_surroundings(account_sid: str, flow_sid: str, deployment_key: str) -> Readings:
    """Read everything that a migration needs to know. Raises `CannotMigrate` or `FlexError`."""
    flow = live.fetch(FLEX_FLOW, flow_sid, account_sid=account_sid)
    planned_address = plan_address(flow, deployment_key)
    identity = planned_address["address"]
    number_sid = ""
    if planned_address["type"] == "whatsapp":
        sender_id = _find_free_sender(account_sid, identity)
        planned_address["address"] = sender_id or WHATSAPP_PREFIX + _to_international(identity)
    if planned_address["type"] == "sms":
        number_sid, phone_number = _find_number(account_sid, identity)
        planned_address["address"] = phone_number or _to_international(identity)
    return Readings(
        flow=flow,
        planned_address=planned_address,
        address=read_address(account_sid, planned_address["address"]),
        number=live.fetch(PHONE_NUMBER_SETTINGS, number_sid, account_sid=account_sid)
        if number_sid
        else None,
        service_sids=_services_with(account_sid, SERVICE_NUMBER, number_sid) if number_sid else (),
    )


def plan_address(flow: Mapping[str, Any], deployment_key: str) -> dict[str, Any]:
    """Return the values of the address in a flow's place. Raises `CannotMigrate`."""
    try:
        values = address_values(flow, deployment_key=deployment_key)
    except ValueError as error:
        sentence = (
            f"This flow has no counterpart in Twilio Conversations: {error}. Handle it by hand."
        )
        raise CannotMigrate(sentence) from error
    if not values.get("address") or values["address"] in (WHATSAPP_PREFIX, "messenger:"):
        missing = (
            "deployment key of its website" if values["type"] == "chat" else "contact identity"
        )
        raise CannotMigrate(f"The flow needs a {missing} before it can be migrated.")
    return values


def read_address(account_sid: str, identity: str) -> Snapshot | None:
    """Return the address with this identity, or None if there is none."""
    try:
        return live.fetch_by_key(ADDRESS_CONFIGURATION, identity, account_sid=account_sid)
    except FlexError as error:
        if flow_reads.is_not_found(error):
            return None
        raise


def _find_number(account_sid: str, identity: str) -> tuple[str, str]:
    """Return the SID of the account's number with this identity and its own spelling, or ""."""
    for number in live.list_masked(INCOMING_PHONE_NUMBER, account_sid):
        phone_number = str(number.get("phone_number") or "")
        if is_same_identity(phone_number, identity):
            return str(number["sid"]), phone_number
    return "", ""


def is_same_identity(one: str, other: str) -> bool:
    return normalize_identity(one) == normalize_identity(other)


def _to_international(identity: str) -> str:
    """Return the number as an address takes it. Raises `CannotMigrate` if its country isn't known."""
    number = to_e164(identity)
    if not number:
        raise CannotMigrate(
            f"The contact identity {identity} is not a number with its country code, such as "
            "+14155551234, and this account has no such number. Change the flow's contact identity, "
            "then prepare again, or create the address by hand."
        )
    return number


def _services_with(account_sid: str, members: Resource, sid: str) -> tuple[str, ...]:
    """Return the SIDs of the Messaging Services that have a number or a sender."""
    services = live.list_masked(MESSAGING_SERVICE, account_sid)
    return tuple(
        service["sid"]
        for service in services
        if any(
            member["sid"] == sid
            for member in live.list_masked(members, account_sid, service["sid"])
        )
    )


def _find_free_sender(account_sid: str, identity: str) -> str:
    """Return the WhatsApp sender with this identity in its own spelling, or "" if there is none.

    Refuse one whose messages a webhook gets, which can't be changed from here.
    """
    for sender in live.list_masked(SENDER_HANDLING, account_sid):
        sender_id = str(sender.get("sender_id") or "")
        if sender_id.startswith(WHATSAPP_PREFIX) and is_same_identity(sender_id, identity):
            _refuse_answered_sender(account_sid, sender, sender_id)
            return sender_id
    return ""


def _refuse_answered_sender(account_sid: str, sender: Redacted, identity: str) -> None:
    webhook = sender.get("webhook") or NO_WEBHOOKS
    url = webhook.get("callback_url") if isinstance(webhook, Mapping) else None
    if url and not is_proxy_url(url):
        raise CannotMigrate(
            f"The WhatsApp sender {identity} has a webhook of its own, which would answer as well. "
            "Remove it in the Twilio Console (Messaging, Senders), then prepare again."
        )
    for service_sid in _services_with(account_sid, SERVICE_SENDER, sender["sid"]):
        service = live.fetch(SERVICE_HANDLING, service_sid, account_sid=account_sid)
        url = service.get("inbound_request_url")
        if url and not is_proxy_url(url):
            raise CannotMigrate(
                f"The WhatsApp sender {identity} is in the Messaging Service {service_sid}, whose "
                "request URL would answer as well. Remove the sender from the service in the Twilio "
                "Console, then prepare again."
            )
