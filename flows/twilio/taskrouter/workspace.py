"""The TaskRouter Workspace resource, as far as this site reads it: its name.

Source: Twilio's OpenAPI document of TaskRouter v1, read 2026-11.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import READ_OPERATIONS
from flows.twilio.named_fields import ACCOUNT_SID, DATE_UPDATED, FRIENDLY_NAME, sid_field
from flows.twilio.resource import Resource

WORKSPACE: Final = Resource(
    name="workspace",
    title="Workspace",
    plural="Workspaces",
    product="taskrouter",
    path="Workspaces",
    list_key="workspaces",
    sid_prefix="WS",
    operations=READ_OPERATIONS,
    keeps_unknown_fields=False,
    fields=(sid_field("WS", "Workspace SID"), ACCOUNT_SID, FRIENDLY_NAME, DATE_UPDATED),
)
