"""The constructor of resources that are read for their names, and the fields that most have."""

from __future__ import annotations

from functools import partial
from typing import Final

from flows.twilio.description import READ_OPERATIONS
from flows.twilio.fields import Field
from flows.twilio.resource import Resource

# No request changes such a resource, and only the fields that it describes are kept.
named_resource: Final = partial(Resource, operations=READ_OPERATIONS, keeps_unknown_fields=False)

ACCOUNT_SID: Final = Field(
    name="account_sid",
    label="Account SID",
    kind="sid",
    sid_prefix="AC",
    help="The Twilio account that owns it.",
)
FRIENDLY_NAME: Final = Field(
    name="friendly_name",
    label="Friendly name",
    kind="text",
    pii=True,
    is_free_text=True,
    help="A name to find it by.",
)
DATE_UPDATED: Final = Field(
    name="date_updated",
    label="Last updated",
    kind="datetime",
    help="When it last changed at Twilio, in UTC.",
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
