"""The Address Configuration that takes a flow's place: the values that a creation would send.

The address is created with its auto-creation off, so creating it changes nothing for customers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flows.routing.questions import ADDRESS_TYPES
from flows.twilio.cleaning import to_text
from flows.twilio.flex.flex_flow import FLEX_FLOW

WHATSAPP_PREFIX: Final = "whatsapp:"
MESSENGER_PREFIX: Final = "messenger:"
MAX_STUDIO_RETRIES: Final = 3
# The event at which Twilio posts a customer's message, in place of a flow's onMessageSent.
MESSAGE_ADDED: Final = "onMessageAdded"


def address_values(flow: Mapping[str, Any], *, deployment_key: str = "") -> dict[str, Any]:
    """Return the values of a new address that does what this flow's snapshot does.

    A value that the flow doesn't have is not among them. A web chat's address is the deployment key
    of its website. Raise ValueError for a channel or an integration type that addresses don't have
    (`flows.migration.verdicts` says so before anyone gets here).
    """
    channel = to_text(FLEX_FLOW.normalize_value("channel_type", flow.get("channel_type")))
    kind = ADDRESS_TYPES.get(channel)
    if kind is None:
        raise ValueError(f"an address can't be of the channel {channel!r}")
    values: dict[str, Any] = {
        "type": kind,
        "address": deployment_key if channel == "web" else _address(channel, flow),
        "friendly_name": FLEX_FLOW.name_of(flow),
        "auto_creation_enabled": False,
        "auto_creation_conversation_service_sid": to_text(flow.get("chat_service_sid")),
        **_integration_values(flow),
    }
    return {name: value for name, value in values.items() if value not in (None, "")}


def _address(channel: str, flow: Mapping[str, Any]) -> str:
    identity = FLEX_FLOW.identity_of(flow).strip()
    prefix = {"whatsapp": WHATSAPP_PREFIX, "facebook": MESSENGER_PREFIX}.get(channel, "")
    return identity if identity.startswith(prefix) else prefix + identity


def _integration_values(flow: Mapping[str, Any]) -> dict[str, Any]:
    variant = FLEX_FLOW.variant_of(flow)
    if variant == "studio":
        retries = FLEX_FLOW.normalize_value(
            "integration_retry_count", flow.get("integration_retry_count")
        )
        return {
            "auto_creation_type": "studio",
            "auto_creation_studio_flow_sid": to_text(flow.get("integration_flow_sid")),
            "auto_creation_studio_retry_count": min(retries, MAX_STUDIO_RETRIES)
            if isinstance(retries, int)
            else None,
        }
    if variant == "external":
        return {
            "auto_creation_type": "webhook",
            "auto_creation_webhook_url": to_text(flow.get("integration_url")),
            "auto_creation_webhook_method": "post",
            "auto_creation_webhook_filters": [MESSAGE_ADDED],
        }
    raise ValueError(f"an address can't do what the integration type {variant!r} does")
