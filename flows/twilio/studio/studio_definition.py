"""A Studio Flow with its definition, which only the answer about a single Studio Flow has.

A definition can hold secrets, such as tokens of webhooks. Only facts about it are stored
(`flows.names.studio_definitions`). Source: Twilio's OpenAPI document of Studio v2, read 2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.fields import Field
from flows.twilio.named_fields import named_resource, sid_field

STUDIO_DEFINITION: Final = named_resource(
    name="studio_definition",
    title="Studio Flow definition",
    plural="Studio Flow definitions",
    product="studio",
    version="v2",
    path="Flows",
    list_key="flows",
    sid_prefix="FW",
    fields=(
        sid_field("FW", "Studio Flow SID"),
        Field(
            name="revision",
            label="Revision",
            kind="integer",
            help="The number of the latest revision.",
        ),
        Field(
            name="definition",
            label="Definition",
            kind="json",
            help="The widgets and their transitions.",
        ),
    ),
)
