"""The fields that the resources of Flex plugins have in common."""

from __future__ import annotations

from typing import Final

from flows.twilio.fields import Field

ACCOUNT_SID: Final = Field(
    name="account_sid",
    label="Account SID",
    kind="sid",
    sid_prefix="AC",
    help="The Twilio account that owns it.",
)
DESCRIPTION: Final = Field(
    name="description",
    label="Description",
    kind="text",
    wire="Description",
    max_length=1024,
    is_free_text=True,
    help="What it is for.",
)
ARCHIVED: Final = Field(
    name="archived",
    label="Archived",
    kind="boolean",
    help="What is archived can't be used in new configurations or releases.",
)
DATE_CREATED: Final = Field(
    name="date_created",
    label="Created",
    kind="datetime",
    help="When it was created, in UTC.",
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


def sid_field(prefix: str, label: str, *, name: str = "sid") -> Field:
    """Return the field of an object's own SID, or of another object's."""
    return Field(
        name=name,
        label=label,
        kind="sid",
        sid_prefix=prefix,
        help=f"Twilio's unique identifier. Starts with {prefix}.",
    )
