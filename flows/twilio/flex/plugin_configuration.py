"""The plugin Configuration resource and its plugins: which versions run together.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04. A configuration never changes. It can be archived.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import PLUGIN_HEADER, OperationLabel
from flows.twilio.fields import Field
from flows.twilio.flex.plugin_fields import (
    ACCOUNT_SID,
    ARCHIVED,
    DATE_CREATED,
    DESCRIPTION,
    URL,
    sid_field,
)
from flows.twilio.registry import register
from flows.twilio.resource import Resource

PLUGIN_CONFIGURATION: Final = register(
    Resource(
        name="plugin_configuration",
        title="Plugin configuration",
        plural="Plugin configurations",
        path="PluginService/Configurations",
        list_key="configurations",
        sid_prefix="FJ",
        optional_header=PLUGIN_HEADER,
        name_field="name",
        operations=frozenset({"list", "fetch", "create", "archive"}),
        summary="Sets of plugin versions that run together once they are released.",
        list_columns=("name", "description", "archived", "date_created"),
        operation_labels={
            "archive": OperationLabel(
                "Archive", "Archive a plugin configuration", "Archived a plugin configuration"
            )
        },
        deletion_effect="An archived configuration can't be released again. If it is the one that "
        "runs now, it keeps running.",
        fields=(
            sid_field("FJ", "Configuration SID"),
            ACCOUNT_SID,
            Field(
                name="name",
                label="Name",
                kind="text",
                wire="Name",
                required_on_create=True,
                set_by=("create",),
                max_length=256,
                is_free_text=True,
                help="A name to find this configuration by.",
            ),
            DESCRIPTION,
            Field(
                name="plugins",
                label="Plugins",
                kind="json_list",
                wire="Plugins",
                set_by=("create",),
                is_returned=False,
                help="A JSON list with an object for each plugin, such as "
                '[{"plugin_version": "FV…", "phase": 3}].',
            ),
            ARCHIVED,
            DATE_CREATED,
            URL,
        ),
    )
)
# Not registered: nothing of it is stored.
CONFIGURED_PLUGIN: Final = Resource(
    name="configured_plugin",
    title="Configured plugin",
    plural="Plugins",
    path="Plugins",
    parent=PLUGIN_CONFIGURATION,
    list_key="plugins",
    sid_prefix="FP",
    optional_header=PLUGIN_HEADER,
    sid_field="plugin_sid",
    name_field="unique_name",
    operations=frozenset({"list"}),
    list_columns=("unique_name", "version", "phase", "plugin_archived"),
    fields=(
        sid_field("FP", "Plugin SID"),
        sid_field("FV", "Version SID", name="plugin_version_sid"),
        sid_field("FJ", "Configuration SID", name="configuration_sid"),
        Field(name="unique_name", label="Unique name", kind="text", help="Its package."),
        Field(name="version", label="Version", kind="text", help="Such as 1.2.0."),
        Field(name="phase", label="Phase", kind="integer", help="When Flex loads it."),
        Field(
            name="plugin_archived",
            label="Archived",
            kind="boolean",
            help="Whether the plugin was archived since.",
        ),
    ),
)
