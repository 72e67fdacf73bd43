"""The TaskRouter Task Channel resource, as far as this site reads it: its names.

Source: Twilio's OpenAPI document of TaskRouter v1, read 2026-11.
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
from flows.twilio.taskrouter.workspace import WORKSPACE

TASK_CHANNEL: Final = named_resource(
    name="task_channel",
    title="Task Channel",
    plural="Task Channels",
    product="taskrouter",
    path="TaskChannels",
    parent=WORKSPACE,
    list_key="channels",
    sid_prefix="TC",
    fields=(
        sid_field("TC", "Task Channel SID"),
        ACCOUNT_SID,
        sid_field("WS", "Workspace SID", name="workspace_sid"),
        FRIENDLY_NAME,
        Field(
            name="unique_name",
            label="Unique name",
            kind="text",
            help="The name that a flow can have in place of the SID, such as sms.",
        ),
        DATE_UPDATED,
    ),
)
