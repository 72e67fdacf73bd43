"""The plugin Release resource: which plugin configuration runs, and which ran before.

Source: Twilio's OpenAPI spec of Flex v1, 2026-04. The newest release is the active one. Going back
means to release an older configuration again.
"""

from __future__ import annotations

from typing import Final

from flows.twilio.description import PLUGIN_HEADER, OperationLabel
from flows.twilio.fields import Field
from flows.twilio.flex.plugin_fields import ACCOUNT_SID, DATE_CREATED, URL, sid_field
from flows.twilio.registry import register
from flows.twilio.resource import Resource

PLUGIN_RELEASE: Final = register(
    Resource(
        name="plugin_release",
        title="Plugin release",
        plural="Plugin releases",
        path="PluginService/Releases",
        list_key="releases",
        sid_prefix="FK",
        optional_header=PLUGIN_HEADER,
        name_field="",
        operations=frozenset({"list", "fetch", "create"}),
        is_for_administrators=True,
        # Others can release the same configuration at the same time, such as with Twilio's CLI.
        match_proves_creation=False,
        summary="The plugin configurations that ran, the newest first. The first one runs now.",
        list_columns=("configuration_sid", "date_created"),
        operation_labels={
            "create": OperationLabel(
                "Release", "Release a plugin configuration", "Released a plugin configuration"
            )
        },
        fields=(
            sid_field("FK", "Release SID"),
            ACCOUNT_SID,
            Field(
                name="configuration_sid",
                label="Configuration",
                kind="sid",
                sid_prefix="FJ",
                wire="ConfigurationId",
                required_on_create=True,
                help="The SID of the plugin configuration to run. Starts with FJ. All agents load "
                "its plugins when they next open Flex.",
            ),
            DATE_CREATED,
            URL,
        ),
    )
)
