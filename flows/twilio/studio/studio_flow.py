"""The Studio Flow resource, as far as this site reads it: its name, and if it was published.

Source: Twilio's OpenAPI document of Studio v2, read 2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.fields import Field
from flows.twilio.named_fields import (
    ACCOUNT_SID,
    DATE_UPDATED,
    FRIENDLY_NAME,
    named_resource,
    sid_field,
)

STATUSES: Final = {"draft": "Draft", "published": "Published"}

STUDIO_FLOW: Final = named_resource(
    name="studio_flow",
    title="Studio Flow",
    plural="Studio Flows",
    product="studio",
    version="v2",
    path="Flows",
    list_key="flows",
    sid_prefix="FW",
    fields=(
        sid_field("FW", "Studio Flow SID"),
        ACCOUNT_SID,
        FRIENDLY_NAME,
        Field(
            name="status",
            label="Status",
            kind="enum",
            choices=STATUSES,
            help="Draft: the latest revision isn't published.",
        ),
        Field(
            name="revision",
            label="Revision",
            kind="integer",
            help="The number of the latest revision.",
        ),
        DATE_UPDATED,
    ),
)
