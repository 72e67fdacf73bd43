"""The Interaction resource and its channels: a conversation of Flex Conversations and its task.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04, and Twilio's pages about the Interactions API. There
is no list of interactions. Creation is asynchronous: Twilio answers at once and sets up the channel
afterwards, which can fail. The answers have the created channel and task in place of the objects that
were sent.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import OperationLabel
from flows.twilio.fields import Field, FieldKind, JsonPart
from flows.twilio.flex.plugin_fields import URL, sid_field
from flows.twilio.registry import register
from flows.twilio.resource import Resource

CHANNEL_TYPES: Final = {
    "sms": "SMS",
    "whatsapp": "WhatsApp",
    "messenger": "Facebook Messenger",
    "chat": "Chat",
    "web": "Web chat",
    "email": "Email",
    "voice": "Voice",
    "gbm": "Google Business Messages",
}


def _part(
    path: tuple[str | int, ...],
    name: str,
    label: str,
    help_text: str,
    *,
    choices: dict[str, str] | None = None,
    sid_prefix: str = "",
    required: bool = False,
    pii: bool = False,
) -> JsonPart:
    """Return an input for one value within a JSON object."""
    kind: FieldKind = "enum" if choices else "sid" if sid_prefix else "text"
    return JsonPart(
        path,
        Field(
            name=name,
            label=label,
            kind=kind,
            help=help_text,
            choices=choices or {},
            sid_prefix=sid_prefix,
            required_on_create=required,
            pii=pii,
            max_length=None if choices else 256,
        ),
    )


CHANNEL_PARTS: Final = (
    _part(
        ("type",),
        "channel_type",
        "Channel type",
        "The kind of channel that customer and agent write on.",
        choices=CHANNEL_TYPES,
        required=True,
    ),
    _part(
        ("initiated_by",),
        "channel_initiated_by",
        "Started by",
        "Customer for an inbound conversation, Agent for an outbound one.",
        choices={"customer": "Customer", "agent": "Agent", "api": "API"},
        required=True,
    ),
    _part(
        ("participants", 0, "address"),
        "customer_address",
        "Customer's address",
        "Outbound only: whom to write to, such as +14155551234 or whatsapp:+14155551234.",
        pii=True,
    ),
    _part(
        ("participants", 0, "proxy_address"),
        "own_address",
        "Your address",
        "Outbound only: the number or sender to write from.",
    ),
    _part(
        ("properties", "media_channel_sid"),
        "media_channel_sid",
        "Conversation SID",
        "Inbound only: the conversation that exists already. Starts with CH.",
        sid_prefix="CH",
    ),
)
ROUTING_PARTS: Final = (
    _part(
        ("properties", "workspace_sid"),
        "workspace_sid",
        "Workspace",
        "The TaskRouter workspace of the task. Starts with WS.",
        sid_prefix="WS",
    ),
    _part(
        ("properties", "workflow_sid"),
        "workflow_sid",
        "Workflow",
        "The TaskRouter workflow that routes the task. Starts with WW.",
        sid_prefix="WW",
    ),
    _part(
        ("properties", "queue_sid"),
        "queue_sid",
        "Queue",
        "If an agent starts it: the queue of the agent's task. Starts with WQ.",
        sid_prefix="WQ",
    ),
    _part(
        ("properties", "worker_sid"),
        "worker_sid",
        "Agent",
        "If an agent starts it: the agent who gets the task. Starts with WK.",
        sid_prefix="WK",
    ),
    _part(
        ("properties", "task_channel_unique_name"),
        "task_channel_unique_name",
        "Task channel",
        "The unique name of the task channel, such as chat or sms.",
    ),
)
INTERACTION: Final = register(
    Resource(
        name="interaction",
        title="Interaction",
        plural="Interactions",
        path="Interactions",
        list_key="",
        sid_prefix="KD",
        name_field="",
        created_status=200,
        operations=frozenset({"fetch", "create", "update"}),
        summary="Conversations in Flex, with their tasks. Twilio has no list of them: look one up by "
        "its SID.",
        fields=(
            Field(
                name="sid",
                label="Interaction SID",
                kind="sid",
                sid_prefix="KD",
                help="KD and 32 characters. It is flexInteractionSid in the attributes of its task.",
            ),
            Field(
                name="channel",
                label="Channel",
                kind="json",
                wire="Channel",
                set_by=("create",),
                is_rewritten=True,
                required_on_create=True,
                pii=True,
                parts=CHANNEL_PARTS,
                help="A JSON object with further settings of the channel. The fields above are added "
                "to it.",
            ),
            Field(
                name="routing",
                label="Routing",
                kind="json",
                wire="Routing",
                set_by=("create",),
                is_rewritten=True,
                pii=True,
                parts=ROUTING_PARTS,
                help="A JSON object with further settings for TaskRouter, such as attributes of the "
                "task. The fields above are added to it.",
            ),
            Field(
                name="interaction_context_sid",
                label="Context SID",
                kind="sid",
                sid_prefix="HQ",
                wire="InteractionContextSid",
                set_by=("create",),
                help="The context of the interaction, if you keep one. Starts with HQ.",
            ),
            Field(
                name="webhook_ttid",
                label="Webhook ID",
                kind="text",
                wire="WebhookTtid",
                max_length=256,
                help="The ID of the webhook for events of this interaction: flex_interactionwebhook_…",
            ),
            URL,
        ),
    )
)
INTERACTION_CHANNEL: Final = register(
    Resource(
        name="interaction_channel",
        title="Interaction channel",
        plural="Channels",
        path="Channels",
        parent=INTERACTION,
        parent_field="interaction_sid",
        list_key="channels",
        sid_prefix="UO",
        name_field="",
        variant_field="status",
        operations=frozenset({"list", "fetch", "update"}),
        summary="The channel of an interaction: how it is, and why it failed if it did.",
        list_columns=("type", "status", "error_code", "error_message"),
        pending_state=("status", "setup"),
        final_states=("status", ("closed", "failed")),
        operation_labels={
            "update": OperationLabel(
                "End channel", "End an interaction channel", "Ended an interaction channel"
            )
        },
        fields=(
            sid_field("UO", "Channel SID"),
            sid_field("KD", "Interaction SID", name="interaction_sid"),
            Field(
                name="type",
                label="Type",
                kind="enum",
                choices=CHANNEL_TYPES,
                help="The kind of channel that customer and agent write on.",
            ),
            Field(
                name="status",
                label="Status",
                kind="enum",
                wire="Status",
                set_by=("update",),
                choices={
                    "setup": "Being set up",
                    "active": "Active",
                    "failed": "Failed",
                    "closed": "Closed",
                    "inactive": "Inactive",
                    "pause": "Paused",
                    "transfer": "Being transferred",
                },
                settable_choices=("closed", "inactive"),
                is_sent_with_each_update=True,
                help="Closed ends the conversation, which can't be undone. Inactive ends the agents' "
                "part, and the customer can write again later.",
            ),
            Field(
                name="routing",
                label="Routing",
                kind="json",
                wire="Routing",
                set_by=("update",),
                is_returned=False,
                requires=("inactive",),
                help='What happens to the tasks. Inactive needs {"status": "closed"}: otherwise '
                "agents would have to wrap up every task.",
            ),
            Field(
                name="error_code",
                label="Error code",
                kind="integer",
                help="Twilio's code for why the channel failed.",
            ),
            Field(
                name="error_message",
                label="Error message",
                kind="text",
                help="Twilio's reason why the channel failed.",
            ),
            URL,
        ),
    )
)
