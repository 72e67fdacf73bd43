"""The Messaging Service resource, as far as this site reads it: its name.

Source: Twilio's OpenAPI document of Messaging v1, read 2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import READ_OPERATIONS
from flows.twilio.named_fields import ACCOUNT_SID, DATE_UPDATED, FRIENDLY_NAME, sid_field
from flows.twilio.resource import Resource

MESSAGING_SERVICE: Final = Resource(
    name="messaging_service",
    title="Messaging Service",
    plural="Messaging Services",
    product="messaging",
    path="Services",
    list_key="services",
    sid_prefix="MG",
    operations=READ_OPERATIONS,
    keeps_unknown_fields=False,
    fields=(sid_field("MG", "Messaging Service SID"), ACCOUNT_SID, FRIENDLY_NAME, DATE_UPDATED),
)
