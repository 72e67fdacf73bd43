"""The Messaging Service resource, as far as this site reads it: its name.

Source: Twilio's OpenAPI document of Messaging v1, read 2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.named_fields import (
    ACCOUNT_SID,
    DATE_UPDATED,
    FRIENDLY_NAME,
    named_resource,
    sid_field,
)

MESSAGING_SERVICE: Final = named_resource(
    name="messaging_service",
    title="Messaging Service",
    plural="Messaging Services",
    product="messaging",
    path="Services",
    list_key="services",
    sid_prefix="MG",
    fields=(sid_field("MG", "Messaging Service SID"), ACCOUNT_SID, FRIENDLY_NAME, DATE_UPDATED),
)
