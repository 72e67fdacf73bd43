"""The TaskRouter Workflow resource, as far as this site reads it: its name.

Its configuration is not read, because it can hold addresses and attributes of customers. Source:
Twilio's OpenAPI document of TaskRouter v1, read 2026-11.
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
from flows.twilio.taskrouter.workspace import WORKSPACE

WORKFLOW: Final = named_resource(
    name="workflow",
    title="Workflow",
    plural="Workflows",
    product="taskrouter",
    path="Workflows",
    parent=WORKSPACE,
    list_key="workflows",
    sid_prefix="WW",
    fields=(
        sid_field("WW", "Workflow SID"),
        ACCOUNT_SID,
        sid_field("WS", "Workspace SID", name="workspace_sid"),
        FRIENDLY_NAME,
        DATE_UPDATED,
    ),
)
