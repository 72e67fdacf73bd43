"""The WebChannel resource: a web chat between a customer and Flex, of the legacy web chat.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04. A web channel can be ended and deleted. Its list
has the same key as that of channels.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import OperationLabel
from flows.twilio.fields import Field
from flows.twilio.flex.conversation_fields import (
    ACCOUNT_SID,
    CHAT_FRIENDLY_NAME,
    CHAT_UNIQUE_NAME,
    DATE_CREATED,
    DATE_UPDATED,
    FLEX_FLOW_SID,
    IDENTITY,
    PRE_ENGAGEMENT_DATA,
    URL,
    channel_sid,
)
from flows.twilio.registry import register
from flows.twilio.resource import Resource

WEB_CHANNEL: Final = register(
    Resource(
        name="web_channel",
        title="Web channel",
        plural="Web channels",
        path="WebChannels",
        list_key="flex_chat_channels",
        sid_prefix="CH",
        name_field="chat_friendly_name",
        identity_field="identity",
        match_proves_creation=False,
        summary="Web chats that flows have opened, and that are not deleted yet.",
        list_columns=("flex_flow_sid", "date_created", "date_updated"),
        operation_labels={
            "update": OperationLabel("End chat", "End a web chat", "Ended a web chat")
        },
        deletion_effect="The chat ends at once: customer and agent can't write to each other in it "
        "again, and its messages are lost.",
        fields=(
            channel_sid("Web channel SID"),
            ACCOUNT_SID,
            FLEX_FLOW_SID,
            IDENTITY,
            Field(
                name="customer_friendly_name",
                label="Customer's name",
                kind="text",
                wire="CustomerFriendlyName",
                set_by=("create",),
                is_returned=False,
                required_on_create=True,
                max_length=256,
                pii=True,
                is_free_text=True,
                help="The name of the customer that agents see.",
            ),
            CHAT_FRIENDLY_NAME,
            CHAT_UNIQUE_NAME,
            PRE_ENGAGEMENT_DATA,
            Field(
                name="chat_status",
                label="Chat status",
                kind="enum",
                wire="ChatStatus",
                choices={"inactive": "Inactive"},
                default="inactive",
                set_by=("update",),
                is_returned=False,
                help="Inactive ends the chat. An ended chat can't be opened again.",
            ),
            Field(
                name="post_engagement_data",
                label="Post-engagement data",
                kind="json",
                wire="PostEngagementData",
                set_by=("update",),
                is_returned=False,
                pii=True,
                help="A JSON object with what the customer answered after the chat.",
            ),
            DATE_CREATED,
            DATE_UPDATED,
            URL,
        ),
    )
)
