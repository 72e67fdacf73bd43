"""The FlexFlow resource: a link between a contact identity and Flex.

A flow is a `Snapshot`: a flat dict of response names, with `integration_flow_sid` for an
integration's `flow_sid`. Source: Twilio's Flex API reference (all FlexFlow pages), read 2026-11.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flows.twilio.fields import Field
from flows.twilio.registry import register
from flows.twilio.resource import Resource

# The values of these fields, with the labels that pages show.
CHANNEL_TYPES: Final = {
    "web": "Web chat",
    "sms": "SMS",
    "facebook": "Facebook Messenger",
    "whatsapp": "WhatsApp",
    "line": "LINE",
    "custom": "Custom",
}
INTEGRATION_TYPES: Final = {
    "studio": "Studio Flow",
    "external": "External webhook",
    "task": "TaskRouter task",
}
STATES: Final = {"true": "On", "false": "Off"}
CHOICE_LABELS: Final = CHANNEL_TYPES | INTEGRATION_TYPES
INT32_MAX: Final = 2_147_483_647

FLEX_FLOW: Final = register(
    Resource(
        name="flow",
        title="Flex Flow",
        plural="Flex Flows",
        path="FlexFlows",
        list_key="flex_flows",
        sid_prefix="FO",
        nested="integration",
        variant_field="integration_type",
        # Assumption: the reference says so, and its example without a type agrees.
        default_variant="studio",
        identity_field="contact_identity",
        unique_while_enabled=("channel_type", "contact_identity"),
        is_mirrored=True,
        fields=(
            Field(
                name="sid",
                label="Flex Flow SID",
                kind="sid",
                sid_prefix="FO",
                help="Twilio's unique identifier for this flow.",
            ),
            Field(
                name="account_sid",
                label="Account SID",
                kind="sid",
                sid_prefix="AC",
                help="The Twilio account that owns this flow.",
            ),
            Field(
                name="friendly_name",
                label="Friendly name",
                kind="text",
                wire="FriendlyName",
                max_length=256,
                required_on_create=True,
                pii=True,
                is_free_text=True,
                help="A name to find this flow by.",
            ),
            Field(
                name="chat_service_sid",
                label="Chat service SID",
                kind="sid",
                sid_prefix="IS",
                wire="ChatServiceSid",
                required_on_create=True,
                help="The Programmable Chat service for conversations. Starts with IS.",
            ),
            Field(
                name="channel_type",
                label="Channel type",
                kind="enum",
                wire="ChannelType",
                choices=CHANNEL_TYPES,
                required_on_create=True,
                help="Where messages come from. Also decides how Flex shows the task.",
            ),
            Field(
                name="contact_identity",
                label="Contact identity",
                kind="text",
                wire="ContactIdentity",
                max_length=256,
                pii=True,
                help="The number or page that customers write to, such as +14155551234 or "
                "whatsapp:+14155551234. Twilio doesn't check the format.",
            ),
            Field(
                name="enabled",
                label="Status",
                kind="boolean",
                wire="Enabled",
                choices=STATES,
                help="Only a flow that is on receives messages. Only one flow can be on per channel "
                "and contact identity.",
            ),
            Field(
                name="integration_type",
                label="Integration type",
                kind="enum",
                wire="IntegrationType",
                choices=INTEGRATION_TYPES,
                help="Handles incoming messages: a Studio Flow, an external webhook or a TaskRouter "
                "task.",
            ),
            Field(
                name="integration_flow_sid",
                label="Studio Flow SID",
                kind="sid",
                sid_prefix="FW",
                wire="Integration.FlowSid",
                takes=("studio",),
                requires=("studio",),
                help="The Studio Flow that handles incoming messages. Starts with FW.",
            ),
            Field(
                name="integration_url",
                label="Webhook URL",
                kind="url",
                wire="Integration.Url",
                max_length=2048,
                takes=("external",),
                requires=("external",),
                help="Twilio sends each incoming message to this URL by POST.",
            ),
            Field(
                name="integration_workspace_sid",
                label="Workspace SID",
                kind="sid",
                sid_prefix="WS",
                wire="Integration.WorkspaceSid",
                takes=("task",),
                requires=("task",),
                help="The TaskRouter workspace that the task is created in. Starts with WS.",
            ),
            Field(
                name="integration_workflow_sid",
                label="Workflow SID",
                kind="sid",
                sid_prefix="WW",
                wire="Integration.WorkflowSid",
                takes=("task",),
                requires=("task",),
                help="The TaskRouter workflow that routes the task. Starts with WW.",
            ),
            Field(
                name="integration_channel",
                label="Task channel",
                kind="text",
                wire="Integration.Channel",
                max_length=64,
                default="default",
                takes=("task",),
                requires=("task",),
                help="The task channel's SID (TC…) or its unique name, such as sms.",
            ),
            Field(
                name="integration_timeout",
                label="Task timeout",
                kind="integer",
                wire="Integration.Timeout",
                minimum=0,
                maximum=INT32_MAX,
                default=86_400,
                takes=("task",),
                help="How long a task waits for an agent before it is cancelled, in seconds. "
                "Twilio's default is 86,400 (1 day).",
            ),
            Field(
                name="integration_priority",
                label="Task priority",
                kind="integer",
                wire="Integration.Priority",
                minimum=0,
                maximum=INT32_MAX,
                default=0,
                takes=("task",),
                help="Tasks with a higher number come first. Twilio's default is 0.",
            ),
            Field(
                name="integration_creation_on_message",
                label="Create the task on the first reply",
                kind="boolean",
                wire="Integration.CreationOnMessage",
                takes=tuple(INTEGRATION_TYPES),
                help="Outbound messages only. Yes: create the task when the customer first replies. "
                "No: create it immediately and reserve it for the current agent.",
            ),
            Field(
                name="integration_retry_count",
                label="Retry count",
                kind="integer",
                wire="Integration.RetryCount",
                minimum=0,
                maximum=3,
                default=3,
                takes=("studio", "external"),
                help="Number of retries if the Studio Flow or the webhook fails (0 to 3). "
                "Twilio's default is 3.",
            ),
            Field(
                name="long_lived",
                label="Long-lived",
                kind="boolean",
                wire="LongLived",
                default=False,
                help="Reuses the same chat channel when a contact returns. Twilio's default is no.",
            ),
            Field(
                name="janitor_enabled",
                label="Janitor",
                kind="boolean",
                wire="JanitorEnabled",
                default=False,
                help="Closes Proxy sessions when their task is deleted outside Flex. "
                "Twilio's default is no.",
            ),
            Field(
                name="date_created",
                label="Created",
                kind="datetime",
                help="When the flow was created, in UTC.",
            ),
            Field(
                name="date_updated",
                label="Last updated",
                kind="datetime",
                help="When the flow last changed at Twilio, in UTC.",
            ),
            Field(
                name="url",
                label="API URL",
                kind="url",
                help="The URL of this flow in Twilio's API.",
            ),
        ),
    )
)


def is_on(flow: Mapping[str, Any]) -> bool:
    """Return True if this snapshot of a flow is on, however Twilio wrote the value."""
    return FLEX_FLOW.normalize_value("enabled", flow.get("enabled")) is True
