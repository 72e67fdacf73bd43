"""The Channel resource: a Programmable Chat channel that a Flex Flow made for a conversation.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04. Its answers have neither the identity nor the
names that a create sends, so a lost creation can only be told by its flow and its date. Customers
create channels all the time, so that proves nothing.
"""

from __future__ import annotations

from typing import Final

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

CHANNEL: Final = register(
    Resource(
        name="channel",
        title="Channel",
        plural="Channels",
        path="Channels",
        list_key="flex_chat_channels",
        sid_prefix="CH",
        name_field="chat_friendly_name",
        identity_field="identity",
        operations=frozenset({"list", "fetch", "create", "delete"}),
        match_proves_creation=False,
        summary="Conversations that flows have opened, and that are not deleted yet.",
        list_columns=("flex_flow_sid", "task_sid", "date_created", "date_updated"),
        deletion_effect="The conversation ends at once: customer and agent can't write to each "
        "other in it again, and its messages are lost.",
        fields=(
            channel_sid("Channel SID"),
            ACCOUNT_SID,
            FLEX_FLOW_SID,
            IDENTITY,
            Field(
                name="chat_user_friendly_name",
                label="Customer's name",
                kind="text",
                wire="ChatUserFriendlyName",
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
            Field(
                name="target",
                label="Target",
                kind="text",
                wire="Target",
                set_by=("create",),
                is_returned=False,
                max_length=256,
                pii=True,
                help="The contact identity to write to, such as +14155551234.",
            ),
            PRE_ENGAGEMENT_DATA,
            Field(
                name="task_sid",
                label="Task SID",
                kind="sid",
                sid_prefix="WT",
                wire="TaskSid",
                set_by=("create",),
                help="The TaskRouter task of this conversation. Starts with WT. "
                "Twilio sets it for flows of the integration type task.",
            ),
            Field(
                name="task_attributes",
                label="Task attributes",
                kind="json",
                wire="TaskAttributes",
                set_by=("create",),
                is_returned=False,
                pii=True,
                help="A JSON object that the task is created with.",
            ),
            Field(
                name="long_lived",
                label="Long-lived",
                kind="boolean",
                wire="LongLived",
                set_by=("create",),
                is_returned=False,
                help="Reuses the same chat channel when a contact returns. Without a value, the "
                "flow's own setting applies.",
            ),
            Field(
                name="user_sid",
                label="Chat user SID",
                kind="sid",
                sid_prefix="US",
                help="The customer's user in the chat service.",
            ),
            DATE_CREATED,
            DATE_UPDATED,
            URL,
        ),
    )
)
