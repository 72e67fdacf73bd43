"""The Programmable Chat service, as far as this site reads it: its name.

Chat is deprecated. The same services are in Conversations, so ask there first. Source: Twilio's
OpenAPI document of Chat v2, read 2026-11.
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

CHAT_SERVICE: Final = named_resource(
    name="chat_service",
    title="Chat service",
    plural="Chat services",
    product="chat",
    version="v2",
    path="Services",
    list_key="services",
    sid_prefix="IS",
    max_page_size=100,
    fields=(sid_field("IS", "Chat service SID"), ACCOUNT_SID, FRIENDLY_NAME, DATE_UPDATED),
)
