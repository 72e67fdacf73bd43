"""What the site keeps of the webhooks of a number, a sender, a Messaging Service or an address.

Of a webhook's URL, it keeps the host, and whether it is that of Flex Proxy. The rest can hold secrets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final
from urllib.parse import urlsplit

from flows.names.handling import NO_HOST
from flows.redaction.masking import redact_field
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.sids import is_sid

# Assumption: the address of Flex Proxy is /v1/Accounts/AC…/Proxy/KS…/Webhooks/Message. Twilio
# documents that numbers are handled by Proxy, not the address, so only this part is compared.
_PROXY_PATH: Final = re.compile(r"/Proxy/KS[0-9a-fA-F]{32}(?:/|$)")
MAX_HOST_LENGTH: Final = 253
MAX_REASONS: Final = 10

_Fields = Mapping[str, Any]


def read_details(resource: str, snapshot: _Fields) -> dict[str, Any]:
    """Return what the site keeps of an object's handling, {} for a resource that has none."""
    read = _READERS.get(resource)
    return read(snapshot) if read else {}


def read_sms_handler(snapshot: _Fields) -> dict[str, Any]:
    """Return what the site keeps of who answers a number's SMS."""
    application_sid = snapshot.get("sms_application_sid")
    return {
        **_read_url(snapshot.get("sms_url")),
        "application_sid": application_sid if is_sid("AP", application_sid) else "",
    }


def is_proxy_url(url: object) -> bool:
    """Return True for the address of Flex Proxy, which hands messages to Flex Flows."""
    if not isinstance(url, str):
        return False
    try:
        path = urlsplit(url.strip()).path
    except ValueError:
        return False
    return _PROXY_PATH.search(path) is not None


def _read_number(snapshot: _Fields) -> dict[str, Any]:
    capabilities = _mapping(snapshot.get("capabilities"))
    can_receive_sms = capabilities.get("sms", capabilities.get("SMS"))
    return {
        **read_sms_handler(snapshot),
        "can_receive_sms": can_receive_sms if isinstance(can_receive_sms, bool) else None,
    }


def _read_sender(snapshot: _Fields) -> dict[str, Any]:
    reasons = snapshot.get("offline_reasons")
    codes = [_mapping(each).get("code") for each in (reasons if isinstance(reasons, list) else ())]
    return {
        **_read_url(_mapping(snapshot.get("webhook")).get("callback_url")),
        "offline_reasons": [
            str(code) for code in codes if re.fullmatch(r"[0-9]{1,9}", str(code), re.ASCII)
        ][:MAX_REASONS],
    }


def _read_service(snapshot: _Fields) -> dict[str, Any]:
    uses_number_webhook = snapshot.get("use_inbound_webhook_on_number")
    return {
        **_read_url(snapshot.get("inbound_request_url")),
        "uses_number_webhook": uses_number_webhook
        if isinstance(uses_number_webhook, bool)
        else None,
    }


def _read_address(snapshot: _Fields) -> dict[str, Any]:
    studio_flow_sid = snapshot.get("auto_creation_studio_flow_sid")
    return {
        **_read_url(snapshot.get("auto_creation_webhook_url")),
        "kind": _choice(snapshot, "type"),
        "integration": _choice(snapshot, "auto_creation_type"),
        "studio_flow_sid": studio_flow_sid if is_sid("FW", studio_flow_sid) else "",
    }


def _choice(snapshot: _Fields, name: str) -> str:
    """Return the value of a field if it is one of its choices, and "" otherwise."""
    value = ADDRESS_CONFIGURATION.normalize_value(name, snapshot.get(name))
    return value if value in ADDRESS_CONFIGURATION.field(name).choices else ""


_READERS: Final[dict[str, Callable[[_Fields], dict[str, Any]]]] = {
    INCOMING_PHONE_NUMBER.name: _read_number,
    WHATSAPP_SENDER.name: _read_sender,
    MESSAGING_SERVICE.name: _read_service,
    ADDRESS_CONFIGURATION.name: _read_address,
}


def _read_url(url: object) -> dict[str, Any]:
    """Return the host of an address, and whether it is that of Flex Proxy."""
    if not isinstance(url, str) or not url.strip():
        return {"host": "", "is_proxy": False}
    try:
        parts = urlsplit(url.strip())
        host = parts.hostname or ""
    except ValueError:
        return {"host": NO_HOST, "is_proxy": False}
    is_kept = host and _is_harmless(parts.netloc.rpartition("@")[2])
    return {
        "host": host[:MAX_HOST_LENGTH] if is_kept else NO_HOST,
        "is_proxy": is_proxy_url(url),
    }


@lru_cache(maxsize=1_000)  # many numbers have one host, and redaction takes its time
def _is_harmless(host_and_port: str) -> bool:
    """Return True unless redaction masks a host, because it can be a password."""
    url = f"https://{host_and_port}/"
    return bool(redact_field("url", url) == url)


def _mapping(value: Any) -> _Fields:
    return value if isinstance(value, dict) else {}
