"""The Conversation service, as far as this site reads it: its name.

Source: Twilio's OpenAPI document of Conversations v1, read 2026-11.
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

CONVERSATION_SERVICE: Final = named_resource(
    name="conversation_service",
    title="Conversation service",
    plural="Conversation services",
    product="conversations",
    path="Services",
    list_key="services",
    sid_prefix="IS",
    max_page_size=100,
    fields=(sid_field("IS", "Conversation service SID"), ACCOUNT_SID, FRIENDLY_NAME, DATE_UPDATED),
)
