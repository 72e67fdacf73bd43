"""Numbers, senders and Messaging Services with the webhooks that answer messages to them.

These are the named resources with more of their fields. They aren't registered, and no snapshot of
them is stored, because the address of a webhook can hold secrets: names keep its host alone
(`flows.names.details`). Sources: those of the named resources.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.fields import Field
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.named_fields import sid_field
from flows.twilio.resource import Resource


def _with_fields(resource: Resource, *fields: Field) -> Resource:
    return replace(resource, name=f"{resource.name}_handling", fields=(*resource.fields, *fields))


NUMBER_HANDLING: Final = _with_fields(
    INCOMING_PHONE_NUMBER,
    Field(
        name="sms_url",
        label="A message comes in",
        kind="url",
        help="Twilio sends it each incoming SMS, unless an application is set.",
    ),
    sid_field("AP", "Messaging application SID", name="sms_application_sid"),
    Field(
        name="capabilities",
        label="Capabilities",
        kind="json",
        help="Whether the number takes calls, SMS and MMS.",
    ),
)
SENDER_HANDLING: Final = _with_fields(
    WHATSAPP_SENDER,
    Field(
        name="webhook",
        label="Webhook",
        kind="json",
        help="The addresses that Twilio sends messages and their status to.",
    ),
    Field(
        name="offline_reasons",
        label="Offline reasons",
        kind="json_list",
        help="Why it is offline, with Twilio's codes.",
    ),
)
SERVICE_HANDLING: Final = _with_fields(
    MESSAGING_SERVICE,
    Field(
        name="inbound_request_url",
        label="Request URL for incoming messages",
        kind="url",
        help="Twilio sends it the incoming messages of the service's numbers and senders.",
    ),
    Field(
        name="use_inbound_webhook_on_number",
        label="Defer to the number's webhook",
        kind="boolean",
        help="Yes: the webhook of the number or sender gets the message instead.",
    ),
)
# By the name of the named resource in whose place they are read.
HANDLING_RESOURCES: Final = {
    INCOMING_PHONE_NUMBER.name: NUMBER_HANDLING,
    WHATSAPP_SENDER.name: SENDER_HANDLING,
    MESSAGING_SERVICE.name: SERVICE_HANDLING,
}
