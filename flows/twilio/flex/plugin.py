"""The Plugin resource and its versions: code that extends the agents' Flex UI.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04. Plugins and versions are archived, never deleted.
Most versions are made by Twilio's CLI, which uploads their code. Here a version is made of code that
is online already.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import PLUGIN_HEADER, OperationLabel
from flows.twilio.fields import Field
from flows.twilio.flex.plugin_fields import (
    ACCOUNT_SID,
    ARCHIVED,
    DATE_CREATED,
    DATE_UPDATED,
    DESCRIPTION,
    URL,
    sid_field,
)
from flows.twilio.registry import register
from flows.twilio.resource import Resource

PLUGIN: Final = register(
    Resource(
        name="plugin",
        title="Plugin",
        plural="Plugins",
        path="PluginService/Plugins",
        list_key="plugins",
        sid_prefix="FP",
        optional_header=PLUGIN_HEADER,
        name_field="friendly_name",
        identity_field="unique_name",
        operations=frozenset({"list", "fetch", "create", "update", "archive"}),
        summary="Code that extends the agents' Flex UI.",
        list_columns=("friendly_name", "unique_name", "archived", "date_updated"),
        operation_labels={
            "archive": OperationLabel("Archive", "Archive a plugin", "Archived a plugin")
        },
        deletion_effect="An archived plugin can't be used in new configurations. Releases that "
        "have it keep running.",
        fields=(
            sid_field("FP", "Plugin SID"),
            ACCOUNT_SID,
            Field(
                name="unique_name",
                label="Unique name",
                kind="text",
                wire="UniqueName",
                set_by=("create",),
                required_on_create=True,
                max_length=256,
                help="The name of its package, such as plugin-callbacks. It can't be changed later.",
            ),
            Field(
                name="friendly_name",
                label="Friendly name",
                kind="text",
                wire="FriendlyName",
                max_length=256,
                is_free_text=True,
                help="A name to find this plugin by.",
            ),
            DESCRIPTION,
            ARCHIVED,
            DATE_CREATED,
            DATE_UPDATED,
            URL,
        ),
    )
)
PLUGIN_VERSION: Final = register(
    Resource(
        name="plugin_version",
        title="Plugin version",
        plural="Versions",
        path="Versions",
        parent=PLUGIN,
        parent_field="plugin_sid",
        list_key="plugin_versions",
        sid_prefix="FV",
        optional_header=PLUGIN_HEADER,
        name_field="version",
        operations=frozenset({"list", "fetch", "create", "archive"}),
        summary="The code of a plugin, as it was at one time.",
        list_columns=("version", "changelog", "private", "archived", "date_created"),
        operation_labels={
            "archive": OperationLabel(
                "Archive", "Archive a plugin version", "Archived a plugin version"
            )
        },
        deletion_effect="An archived version can't be used in new configurations. Releases that "
        "have it keep running.",
        fields=(
            sid_field("FV", "Version SID"),
            sid_field("FP", "Plugin SID", name="plugin_sid"),
            ACCOUNT_SID,
            Field(
                name="version",
                label="Version",
                kind="text",
                wire="Version",
                set_by=("create",),
                required_on_create=True,
                max_length=64,
                help="Such as 1.2.0. A plugin can't have the same version twice.",
            ),
            Field(
                name="plugin_url",
                label="Code URL",
                kind="url",
                wire="PluginUrl",
                set_by=("create",),
                required_on_create=True,
                max_length=2048,
                help="The address of the JavaScript that browsers of agents load. Twilio doesn't "
                "copy it.",
            ),
            Field(
                name="changelog",
                label="Changes",
                kind="text",
                wire="Changelog",
                set_by=("create",),
                max_length=1024,
                is_free_text=True,
                help="What is new in it.",
            ),
            Field(
                name="private",
                label="Private",
                kind="boolean",
                wire="Private",
                set_by=("create",),
                help="Only this account can load a private version.",
            ),
            Field(
                name="cli_version",
                label="CLI version",
                kind="text",
                wire="CliVersion",
                set_by=("create",),
                is_returned=False,
                max_length=64,
                help="The version of Twilio's plugin CLI that built it, if it did.",
            ),
            Field(
                name="validate_status",
                label="Validation",
                kind="text",
                wire="ValidateStatus",
                set_by=("create",),
                is_returned=False,
                max_length=64,
                help="What Twilio's plugin CLI said of the code, if it checked it.",
            ),
            ARCHIVED,
            DATE_CREATED,
            URL,
        ),
    )
)
