"""Address configurations beside the seeded flows, as an account has them that is migrating.

Some numbers of flows have a configuration as well: most of them are off, and one is on although its
flow is on. Others have a configuration only. The addresses are fictional.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.sandbox.named_bodies import SECRET, make_sid
from flows.twilio.sandbox.responses import ApiError
from flows.twilio.sandbox.rules import INVALID_PARAMETER, format_timestamp
from flows.twilio.sandbox.seed import DEMO_SIDS
from flows.twilio.sandbox.store import Store

if TYPE_CHECKING:
    from flows.twilio.sandbox.rules import Body, Values
    from flows.twilio.sandbox.store_files import StoreFiles

INVALID_ADDRESS = 51001
MAX_OBJECTS = 5_000
AGE = timedelta(days=30)
WHATSAPP_PREFIX = "whatsapp:"
SHORT_CODE = re.compile("[0-9]{4,8}")
# Assumption: the prefix of the SIDs of deployment keys is not documented.
CHAT_KEY = make_sid("DK", "deployment key of the web chat")
OWN_SMS_NUMBER, OWN_WHATSAPP_NUMBER = "+14155550142", "whatsapp:+14155550143"
WEBHOOK_URL = f"https://hooks.example.com/conversations?token={SECRET}"


def make_store(
    flows: Iterable[Mapping[str, Any]],
    *,
    account_sid: str,
    clock: Callable[[], datetime],
    files: StoreFiles,
    senders: Callable[[], Iterable[str]],
) -> Store:
    """Return the store of address configurations of these flows, which are newest first.

    `senders` returns the registered WhatsApp senders, such as whatsapp:+14155550143.
    """
    created_at = clock() - AGE

    def complete(body: Body, values: Values) -> Body:
        _check_address(values, (*senders(), OWN_WHATSAPP_NUMBER))
        return _as_answered(body)

    def seed() -> Iterator[Body]:
        for position, fields in enumerate(_configurations(list(flows))):
            date = format_timestamp(created_at + timedelta(hours=position))
            snapshot = {
                "sid": make_sid("IG", fields["address"]),
                "account_sid": account_sid,
                "address_country": None,
                **fields,
                "date_created": date,
                "date_updated": date,
            }
            yield _as_answered(ADDRESS_CONFIGURATION.encode(snapshot))

    store = Store(
        ADDRESS_CONFIGURATION,
        account_sid=account_sid,
        clock=clock,
        limit=MAX_OBJECTS,
        file=files.file_of(ADDRESS_CONFIGURATION),
        seed=seed,
        complete=complete,
    )
    store.save()  # another start has other flows
    return store


def _check_address(values: Values, senders: Iterable[str]) -> None:
    """Refuse a WhatsApp number that is no sender, and a short code without its country.

    The values are those of a request. An update has no address.
    """
    address = values.get("address") or ""
    if address.startswith(WHATSAPP_PREFIX) and address not in senders:
        raise ApiError(HTTPStatus.BAD_REQUEST, INVALID_ADDRESS, "Invalid Address")
    if SHORT_CODE.fullmatch(address) and not values.get("address_country"):
        message = "Missing required parameter AddressCountry in the post body"
        raise ApiError(HTTPStatus.BAD_REQUEST, INVALID_PARAMETER, message)


def _as_answered(body: Body) -> Body:
    """Return a configuration as Twilio answers it: with the method in capitals."""
    nested = dict(body["auto_creation"])
    if isinstance(nested.get("webhook_method"), str):
        nested["webhook_method"] = nested["webhook_method"].upper()
    return body | {"auto_creation": nested}


def _configurations(flows: list[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the fields of the configurations, oldest first."""
    service_sid = _first(flows, "chat_service_sid") or DEMO_SIDS["chat_service_sid"]
    studio_sid = _first(flows, "integration_flow_sid") or DEMO_SIDS["integration_flow_sid"]
    studio = _auto_creation("studio", service_sid) | {
        "auto_creation_studio_flow_sid": studio_sid,
        "auto_creation_studio_retry_count": 3,
    }
    webhook = _auto_creation("webhook", service_sid) | {
        "auto_creation_webhook_url": WEBHOOK_URL,
        "auto_creation_webhook_method": "post",
        "auto_creation_webhook_filters": ["onMessageAdded", "onConversationStateUpdated"],
    }
    for channel_type in ("whatsapp", "sms"):
        for position, flow in enumerate(_flows_with_address(flows, channel_type)):
            yield {
                "type": channel_type,
                "address": flow["contact_identity"],
                "friendly_name": flow.get("friendly_name"),
                **studio,
                "auto_creation_enabled": channel_type == "sms" and position == 0,
            }
    yield {
        "type": "sms",
        "address": OWN_SMS_NUMBER,
        "friendly_name": "Delivery notifications",
        **webhook,
    }
    yield {
        "type": "whatsapp",
        "address": OWN_WHATSAPP_NUMBER,
        "friendly_name": "WhatsApp help desk",
        **studio,
    }
    yield {
        "type": "sms",
        "address": "24763",
        "address_country": "US",
        "friendly_name": "",
        **_auto_creation("default", service_sid),
        "auto_creation_enabled": False,
    }
    yield {
        "type": "chat",
        "address": CHAT_KEY,
        "friendly_name": "Web chat of the shop",
        **studio,
    }


def _auto_creation(kind: str, service_sid: str) -> dict[str, Any]:
    """Return the fields that each auto-creation has."""
    return {
        "auto_creation_enabled": True,
        "auto_creation_type": kind,
        "auto_creation_conversation_service_sid": service_sid,
    }


def _flows_with_address(
    flows: list[Mapping[str, Any]], channel_type: str
) -> list[Mapping[str, Any]]:
    """Return the first enabled flows of a channel with a number, each number once."""
    start = WHATSAPP_PREFIX if channel_type == "whatsapp" else "+"
    by_address: dict[str, Mapping[str, Any]] = {}
    for flow in flows:
        address = str(flow.get("contact_identity") or "")
        is_on = flow.get("channel_type") == channel_type and flow.get("enabled")
        if is_on and address.startswith(start):
            by_address.setdefault(address, flow)
    return list(by_address.values())[:2]


def _first(flows: list[Mapping[str, Any]], name: str) -> Any:
    """Return the first value of a field, or None."""
    return next((flow[name] for flow in flows if flow.get(name)), None)
