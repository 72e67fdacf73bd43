"""The TaskRouter Workspace resource, as far as this site reads it: its name.

Source: Twilio's OpenAPI document of TaskRouter v1, read 2026-11.
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

WORKSPACE: Final = named_resource(
    name="workspace",
    title="Workspace",
    plural="Workspaces",
    product="taskrouter",
    path="Workspaces",
    list_key="workspaces",
    sid_prefix="WS",
    fields=(sid_field("WS", "Workspace SID"), ACCOUNT_SID, FRIENDLY_NAME, DATE_UPDATED),
)
