"""The fields that channels and web channels have in common."""

from __future__ import annotations

from typing import Final

from flows.twilio.fields import Field

ACCOUNT_SID: Final = Field(
    name="account_sid",
    label="Account SID",
    kind="sid",
    sid_prefix="AC",
    help="The Twilio account of this conversation.",
)
FLEX_FLOW_SID: Final = Field(
    name="flex_flow_sid",
    label="Flex Flow",
    kind="sid",
    sid_prefix="FO",
    wire="FlexFlowSid",
    set_by=("create",),
    required_on_create=True,
    help="The SID of the Flex Flow that the conversation runs through. Starts with FO.",
)
IDENTITY: Final = Field(
    name="identity",
    label="Identity",
    kind="text",
    wire="Identity",
    set_by=("create",),
    is_returned=False,
    required_on_create=True,
    max_length=256,
    pii=True,
    help="The customer's identity in the chat service, such as a name or a number.",
)
CHAT_FRIENDLY_NAME: Final = Field(
    name="chat_friendly_name",
    label="Chat's name",
    kind="text",
    wire="ChatFriendlyName",
    set_by=("create",),
    is_returned=False,
    required_on_create=True,
    max_length=256,
    pii=True,
    is_free_text=True,
    help="The name of the conversation that agents see.",
)
CHAT_UNIQUE_NAME: Final = Field(
    name="chat_unique_name",
    label="Chat's unique name",
    kind="text",
    wire="ChatUniqueName",
    set_by=("create",),
    is_returned=False,
    max_length=256,
    pii=True,
    help="A name that no other chat of the service has.",
)
PRE_ENGAGEMENT_DATA: Final = Field(
    name="pre_engagement_data",
    label="Pre-engagement data",
    kind="json",
    wire="PreEngagementData",
    set_by=("create",),
    is_returned=False,
    pii=True,
    help="A JSON object with what the customer entered before the chat.",
)
DATE_CREATED: Final = Field(
    name="date_created",
    label="Created",
    kind="datetime",
    help="When the conversation began, in UTC.",
)
DATE_UPDATED: Final = Field(
    name="date_updated",
    label="Last updated",
    kind="datetime",
    help="When it last changed at Twilio, in UTC.",
)
URL: Final = Field(
    name="url", label="API URL", kind="url", help="The URL of this object in Twilio's API."
)


def channel_sid(label: str) -> Field:
    """Return the field of the SID of a chat channel."""
    return Field(
        name="sid",
        label=label,
        kind="sid",
        sid_prefix="CH",
        help="Twilio's unique identifier of this conversation.",
    )
