"""The account's configuration of Conversations, as far as this site reads it: its default service.

Source: Twilio's OpenAPI document of Conversations v1, read 2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.named_fields import ACCOUNT_SID, named_resource, sid_field

CONVERSATION_CONFIGURATION: Final = named_resource(
    name="conversation_configuration",
    title="Conversations configuration",
    plural="Conversations configuration",
    product="conversations",
    path="Configuration",
    list_key="",
    sid_prefix="AC",
    is_singleton=True,
    has_sid=False,
    fields=(
        ACCOUNT_SID,
        sid_field("IS", "Default Conversation service SID", name="default_chat_service_sid"),
    ),
)
