"""The Configuration resource: the settings of Flex in one account. There is one of it.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04, which describes no request. Its clients send a JSON
object with `account_sid` and the fields to change. A sent object replaces the stored one.
"""

from __future__ import annotations

from typing import Any, Final

from flows.twilio.description import OperationLabel
from flows.twilio.fields import Field, FieldKind
from flows.twilio.registry import register
from flows.twilio.resource import Resource

STATUSES: Final = {
    "ok": "Ready",
    "inprogress": "Being set up",
    "notstarted": "Not set up",
}


def _setting(name: str, label: str, kind: FieldKind, text: str, **options: Any) -> Field:
    """Return a field that can be changed. Its parameter has the name of the field."""
    return Field(
        name=name, label=label, kind=kind, wire=name, set_by=("update",), help=text, **options
    )


def _fact(name: str, label: str, kind: FieldKind, text: str, **options: Any) -> Field:
    """Return a field that only Twilio sets."""
    return Field(name=name, label=label, kind=kind, help=text, **options)


CONFIGURATION: Final = register(
    Resource(
        name="configuration",
        title="Flex configuration",
        plural="Configuration",
        path="Configuration",
        list_key="",
        sid_prefix="AC",
        sid_field="account_sid",
        name_field="",
        operations=frozenset({"fetch", "update"}),
        is_singleton=True,
        has_json_body=True,
        is_for_administrators=True,
        summary="The settings of Flex in this account.",
        sections=(
            (
                "Flex",
                (
                    "status", "sid", "flex_instance_sid", "flex_url", "runtime_domain",
                    "service_version", "date_created", "date_updated",
                ),
            ),
            (
                "Flex UI",
                (
                    "ui_version", "ui_language", "ui_attributes", "ui_dependencies",
                    "public_attributes", "notifications", "markdown",
                    "plugin_service_enabled", "plugin_service_attributes",
                ),
            ),
            (
                "TaskRouter",
                (
                    "taskrouter_workspace_sid", "taskrouter_target_workflow_sid",
                    "taskrouter_target_taskqueue_sid", "taskrouter_offline_activity_sid",
                    "taskrouter_skills", "taskrouter_worker_channels",
                    "taskrouter_worker_attributes", "queue_stats_configuration",
                ),
            ),
            (
                "Conversations and calls",
                (
                    "chat_service_instance_sid", "flex_service_instance_sid",
                    "messaging_service_instance_sid", "channel_configs", "offline_config",
                    "outbound_call_flows", "call_recording_enabled", "call_recording_webhook_url",
                ),
            ),
            (
                "CRM",
                (
                    "crm_enabled", "crm_type", "crm_callback_url", "crm_fallback_url",
                    "crm_attributes",
                ),
            ),
        ),
        operation_labels={
            "update": OperationLabel(
                "Edit configuration", "Change the Flex configuration", "Changed the Flex configuration"
            )
        },
        fields=(
            _fact("sid", "Account SID", "sid", "The Twilio account.", sid_prefix="AC"),
            _fact("status", "Status", "enum", "Whether Flex is set up.", choices=STATUSES),
            _fact("flex_instance_sid", "Flex instance SID", "sid", "", sid_prefix="GO"),
            _fact("flex_url", "Flex address", "url", "Where agents open Flex."),
            _fact("runtime_domain", "Runtime domain", "url", "Where functions of Flex run."),
            _fact("service_version", "Service version", "text", ""),
            _setting("ui_version", "Flex UI version", "text", "Such as 2.x.x or ~2.5.0."),
            _setting("ui_language", "Flex UI language", "text", "Such as en-US."),
            _setting(
                "ui_attributes", "UI attributes", "json", "Settings of the Flex UI and of plugins."
            ),
            _setting("ui_dependencies", "UI dependencies", "json", "Versions of React and others."),
            _setting("attributes", "Attributes", "json", "Settings for backends."),
            _setting(
                "public_attributes", "Public attributes", "json", "Settings that anyone can read."
            ),
            _fact(
                "taskrouter_workspace_sid", "Workspace SID", "sid", "The workspace of all tasks.",
                sid_prefix="WS",
            ),
            _setting(
                "taskrouter_target_workflow_sid", "Default workflow SID", "sid",
                "Routes tasks without a workflow. Starts with WW.", sid_prefix="WW",
            ),
            _setting(
                "taskrouter_target_taskqueue_sid", "Default queue SID", "sid",
                "Takes tasks that no workflow routes. Starts with WQ.", sid_prefix="WQ",
            ),
            _setting(
                "taskrouter_offline_activity_sid", "Offline activity SID", "sid",
                "The activity of agents who are offline. Starts with WA.", sid_prefix="WA",
            ),
            _setting("taskrouter_skills", "Skills", "json_list", "What agents can be able to do."),
            _setting(
                "taskrouter_worker_channels", "Channels of agents", "json",
                "The channels that a new agent has, by role.",
            ),
            _setting(
                "taskrouter_worker_attributes", "Attributes of agents", "json",
                "The attributes that a new agent has.",
            ),
            _setting(
                "messaging_service_instance_sid", "Messaging Service SID", "sid",
                "Sends messages of agents. Starts with MG.", sid_prefix="MG",
            ),
            _setting(
                "chat_service_instance_sid", "Chat service SID", "sid",
                "Has the conversations of Flex. Starts with IS.", sid_prefix="IS",
            ),
            _fact("flex_service_instance_sid", "Flex service SID", "sid", "", sid_prefix="IS"),
            _setting("call_recording_enabled", "Call recording", "boolean", "Records all calls."),
            _setting(
                "call_recording_webhook_url", "Call recording webhook", "url",
                "Twilio reports finished recordings to it.", max_length=2048,
            ),
            _setting("crm_enabled", "CRM panel", "boolean", "Shows a page next to the conversation."),
            _setting("crm_type", "CRM type", "text", "The kind of the page."),
            _setting("crm_callback_url", "CRM address", "url", "The page that is shown."),
            _setting("crm_fallback_url", "CRM fallback address", "url", "If that page fails."),
            _setting("crm_attributes", "CRM attributes", "json", "What the page is given."),
            _setting("plugin_service_enabled", "Plugin service", "boolean", "Loads plugins."),
            _setting(
                "plugin_service_attributes", "Plugin service attributes", "json", "For plugins."
            ),
            _setting("integrations", "Integrations", "json_list", "Other systems."),
            _setting(
                "outbound_call_flows", "Outbound calls", "json",
                "The caller ID, queue and workflow of outbound calls.",
            ),
            _setting("queue_stats_configuration", "Queue statistics", "json", "Of the live view."),
            _setting("notifications", "Notifications", "json", "Of the browser."),
            _setting("markdown", "Markdown", "json", "Formatting of messages."),
            _setting("channel_configs", "Channels", "json_list", "Attachments by channel."),
            _setting("offline_config", "Offline agents", "json", "When an agent counts as offline."),
            _fact("date_created", "Created", "datetime", "When it was created, in UTC."),
            _fact("date_updated", "Last updated", "datetime", "When it last changed, in UTC."),
            _fact("url", "API URL", "url", "The URL of the configuration in Twilio's API."),
        ),
    )
)  # fmt: skip
