"""The numbers and the senders of a Messaging Service, as far as this site reads them: their SIDs.

Source: Twilio's OpenAPI document of Messaging v1, read 2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.named_fields import named_resource, sid_field

SERVICE_NUMBER: Final = named_resource(
    name="service_number",
    title="Messaging Service number",
    plural="Messaging Service numbers",
    product="messaging",
    path="PhoneNumbers",
    parent=MESSAGING_SERVICE,
    list_key="phone_numbers",
    sid_prefix="PN",
    name_field="sid",
    fields=(sid_field("PN", "Phone number SID"),),
)
SERVICE_SENDER: Final = named_resource(
    name="service_sender",
    title="Messaging Service sender",
    plural="Messaging Service senders",
    product="messaging",
    path="ChannelSenders",
    parent=MESSAGING_SERVICE,
    list_key="senders",
    sid_prefix="XE",
    name_field="sid",
    fields=(sid_field("XE", "WhatsApp sender SID"),),
)
