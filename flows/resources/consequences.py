"""What a change of an address means for customers, as a user should know before it is sent.

It follows from the cached flows, from unfinished migrations and from the form of the address.
Nothing is read from Twilio.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flows.changes import flow_holds
from flows.checks.account_rules import comparable_identity
from flows.checks.contact_identity import find_identity_warnings
from flows.mirror.models import Flow
from flows.twilio.cleaning import to_text
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.resource import Resource

# The channels of flows whose identities have the form of an address, by the address's type.
_FLOW_CHANNELS: Final = {"sms": "sms", "whatsapp": "whatsapp", "messenger": "facebook"}
_MAX_NAMED: Final = 3


def find_warnings(
    resource: Resource,
    account_sid: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> list[str]:
    """Return sentences about a change, the worst first.

    `before` and `after` are the whole object, empty if it doesn't exist then. Only addresses have
    such sentences.
    """
    if resource is not ADDRESS_CONFIGURATION:
        return []
    object_values = after or before
    channel = _FLOW_CHANNELS.get(
        to_text(resource.normalize_value("type", object_values.get("type")))
    )
    if channel is None:
        return []
    address = to_text(object_values.get("address"))
    names = _find_flows(account_sid, channel, address)
    use = flow_holds.describe_use_of_address(to_text(before.get("sid")))
    return [
        *([use] if use else ()),
        *_warn_of_switch(_is_on(before), _is_on(after), names),
        *(_warn_of_form(channel, address) if not before else ()),
    ]


def _is_on(snapshot: Mapping[str, Any]) -> bool:
    value = snapshot.get("auto_creation_enabled")
    return ADDRESS_CONFIGURATION.normalize_value("auto_creation_enabled", value) is True


def _warn_of_switch(was_on: bool, will_be_on: bool, names: list[str]) -> Iterator[str]:
    """Yield what turning an address on or off does beside flows that are on for it."""
    flows = " and ".join(f"“{name}”" for name in names[:_MAX_NAMED])
    if len(names) > _MAX_NAMED:
        flows += f" and {len(names) - _MAX_NAMED} more"
    verb = "is" if len(names) == 1 else "are"
    if will_be_on and not was_on and names:
        yield (
            f"{flows} {verb} on for this address. Both may answer the same message. Turn off "
            f"{'the flow' if len(names) == 1 else 'the flows'} first, or use Migration, which does "
            "both in a safe order."
        )
    elif was_on and not will_be_on and names:
        yield f"From then on, {flows} may get the messages to this address."
    elif was_on and not will_be_on:
        yield (
            "No Flex Flow is on for this address. Customers get no answer unless something else "
            "takes their messages."
        )


def _warn_of_form(channel: str, address: str) -> Iterator[str]:
    for sentence in find_identity_warnings(channel, address):
        yield sentence.replace("contact identity", "address")


def _find_flows(account_sid: str, channel: str, address: str) -> list[str]:
    """Return the names, or else the SIDs, of the flows that are on for an address."""
    flows = Flow.objects.filter(
        account_sid=account_sid, gone_at=None, enabled=True, channel_type=channel
    )
    comparable_address = comparable_identity(channel, address)
    return [
        name or sid
        for sid, name, identity in flows.order_by("friendly_name", "sid").values_list(
            "sid", "friendly_name", "contact_identity"
        )
        if identity and comparable_identity(channel, identity) == comparable_address
    ]
