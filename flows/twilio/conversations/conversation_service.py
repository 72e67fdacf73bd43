"""The Conversation service, as far as this site reads it: its name.

Source: Twilio's OpenAPI document of Conversations v1, read 2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import READ_OPERATIONS
from flows.twilio.named_fields import ACCOUNT_SID, DATE_UPDATED, FRIENDLY_NAME, sid_field
from flows.twilio.resource import Resource

CONVERSATION_SERVICE: Final = Resource(
    name="conversation_service",
    title="Conversation service",
    plural="Conversation services",
    product="conversations",
    path="Services",
    list_key="services",
    sid_prefix="IS",
    max_page_size=100,
    operations=READ_OPERATIONS,
    keeps_unknown_fields=False,
    fields=(sid_field("IS", "Conversation service SID"), ACCOUNT_SID, FRIENDLY_NAME, DATE_UPDATED),
)
