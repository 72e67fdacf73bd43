"""The WhatsApp sender resource, as far as this site reads it: its number and its status.

Its configuration, which has a verification code, is not read. Who answers its messages is read as
well (`flows.twilio.handling_resources`). Source: Twilio's OpenAPI document of Messaging v2, read
2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.fields import Field
from flows.twilio.named_fields import named_resource, sid_field

STATUSES: Final = {
    "CREATING": "Being created",
    "ONLINE": "Online",
    "OFFLINE": "Offline",
    "PENDING_VERIFICATION": "Waiting for verification",
    "VERIFYING": "Being verified",
    "ONLINE:UPDATING": "Online, being updated",
    "TWILIO_REVIEW": "In review by Twilio",
    "DRAFT": "Draft",
    "STUBBED": "Stubbed",
}

WHATSAPP_SENDER: Final = named_resource(
    name="whatsapp_sender",
    title="WhatsApp sender",
    plural="WhatsApp senders",
    product="messaging",
    version="v2",
    path="Channels/Senders",
    list_key="senders",
    list_parameters={"Channel": "whatsapp"},
    sid_prefix="XE",
    name_field="sender_id",
    identity_field="sender_id",
    fields=(
        sid_field("XE", "WhatsApp sender SID"),
        Field(
            name="sender_id",
            label="Sender",
            kind="text",
            pii=True,
            help="The sender's address, such as whatsapp:+14155551234.",
        ),
        Field(
            name="status",
            label="Status",
            kind="enum",
            choices=STATUSES,
            help="Only an online sender receives messages.",
        ),
    ),
)
