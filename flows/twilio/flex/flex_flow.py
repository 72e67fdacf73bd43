"""The FlexFlow resource as data: fields, wire names, limits, choices and integration types.

Only this package knows Twilio's CamelCase names. All other code reads the table below. Elsewhere a
flow is a `Snapshot`: a flat dict of response names, with `integration_flow_sid` for an
integration's `flow_sid`. Source: Twilio's Flex API reference (all FlexFlow pages), read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from flows.twilio import values
from flows.twilio.resource import Field as Field
from flows.twilio.values import parse_datetime as parse_datetime

Snapshot = dict[str, Any]

CHANNEL_TYPES: Final = ("web", "sms", "facebook", "whatsapp", "line", "custom")
INTEGRATION_TYPES: Final = ("studio", "external", "task")
# Assumption: the reference names studio as the default, and so does its example without a type.
DEFAULT_INTEGRATION_TYPE: Final = "studio"
INT32_MAX: Final = 2_147_483_647


FIELDS: Final[tuple[Field, ...]] = (
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
        label="Enabled",
        kind="boolean",
        wire="Enabled",
        help="Only enabled flows receive messages. Only one flow can be enabled per channel and "
        "contact identity.",
    ),
    Field(
        name="integration_type",
        label="Integration type",
        kind="enum",
        wire="IntegrationType",
        choices=INTEGRATION_TYPES,
        help="Handles incoming messages: a Studio Flow, an external webhook or a TaskRouter task.",
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
        takes=INTEGRATION_TYPES,
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
)

FIELDS_BY_NAME: Final[Mapping[str, Field]] = {field.name: field for field in FIELDS}
FIELDS_BY_WIRE_NAME: Final[Mapping[str, Field]] = {
    field.wire: field for field in FIELDS if field.wire
}
WRITABLE_FIELDS: Final[tuple[Field, ...]] = tuple(FIELDS_BY_WIRE_NAME.values())
INTEGRATION_FIELDS: Final[tuple[Field, ...]] = tuple(
    field for field in FIELDS if field.of_integration
)
# Set by Twilio alone. Its dates are in whole seconds, so equal dates prove nothing.
TWILIO_MANAGED_FIELDS: Final = frozenset(field.name for field in FIELDS if field.wire is None)

_WIRE_NAMES = {field.name: wire for wire, field in FIELDS_BY_WIRE_NAME.items()}
_POSITIONS = {field.name: position for position, field in enumerate(FIELDS)}
_INTEGRATION_PREFIX = "integration_"
_FLOW_LEVEL_NAMES = {field.name for field in FIELDS if not field.of_integration}
_INTEGRATION_NAMES = {
    field.name.removeprefix(_INTEGRATION_PREFIX): field.name for field in INTEGRATION_FIELDS
}
_SID_DIGITS: Final = re.compile("[0-9a-fA-F]{32}")


def is_sid(prefix: str, value: object) -> bool:
    """Return True for a SID with this prefix: two letters and 32 hexadecimal digits."""
    return (
        isinstance(value, str)
        and value.startswith(prefix)
        and _SID_DIGITS.fullmatch(value, len(prefix)) is not None
    )


def is_applicable(field: Field, integration_type: str | None) -> bool:
    """Return True if flows of this integration type use the field."""
    return not field.of_integration or integration_type in field.takes


def is_required(field: Field, integration_type: str | None) -> bool:
    """Return True if Twilio's reference requires the field for this integration type."""
    return integration_type in field.requires


def is_writable(name: str) -> bool:
    """Return True for a field that a change can set."""
    return name in _WIRE_NAMES


def handler_type(flow: Mapping[str, Any]) -> str:
    """Return the integration type that handles a flow's messages, or "" if it has none.

    A flow without a type has Twilio's default if it names a Studio Flow.
    """
    integration_type = normalize_value("integration_type", flow.get("integration_type"))
    if integration_type is None:
        studio_flow = normalize_value("integration_flow_sid", flow.get("integration_flow_sid"))
        return DEFAULT_INTEGRATION_TYPE if studio_flow is not None else ""
    return integration_type if isinstance(integration_type, str) else ""


def from_response(resource: Mapping[str, Any]) -> Snapshot:
    """Return Twilio's JSON as a snapshot. Unknown fields keep their names."""
    snapshot: Snapshot = {}
    integration = _parse_integration(resource)
    if integration is not None:
        for key, value in integration.items():
            # `or`, because `get` with a default would build it for each field of 10,000 flows.
            snapshot[_INTEGRATION_NAMES.get(key) or _INTEGRATION_PREFIX + key] = value
    # The flow's own fields come last, so that an unknown `integration.type` can't replace
    # `integration_type`.
    snapshot.update(resource)
    if integration is not None or not resource.get("integration"):
        snapshot.pop("integration", None)
    return snapshot


def _parse_integration(resource: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the fields of the integration, also from JSON text, or None if they can't be read."""
    integration = resource.get("integration")
    if isinstance(integration, str):
        try:
            integration = json.loads(integration)
        except (ValueError, RecursionError):
            return None
    return integration if isinstance(integration, Mapping) else None


def to_response(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return a snapshot as Twilio's JSON, the inverse of `from_response`."""
    integration: dict[str, Any] = {}
    resource: dict[str, Any] = {"integration": integration}
    for name, value in snapshot.items():
        if name.startswith(_INTEGRATION_PREFIX) and name not in _FLOW_LEVEL_NAMES:
            integration[name.removeprefix(_INTEGRATION_PREFIX)] = value
        else:
            resource[name] = value
    return resource


def to_parameters(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return fields as form parameters with Twilio's names.

    `None` and the empty string unset a field. A field that can't be written raises KeyError.
    """
    return {_WIRE_NAMES[name]: _encode(value) for name, value in fields.items()}


def _encode(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def normalize_value(name: str, value: Any) -> Any:
    """Return a field's value in the form in which values are compared.

    An unset field is None. A boolean or number that came as text becomes one. An unreadable value
    stays as it is.
    """
    if _is_unset(value):
        return None
    parsed = _parse_value(name, value)
    return value if parsed is values.UNREADABLE else parsed


def is_readable(name: str, value: Any) -> bool:
    """Return True if a value fits its field's kind. Unset values and unknown fields always do."""
    return _is_unset(value) or _parse_value(name, value) is not values.UNREADABLE


def _is_unset(value: Any) -> bool:
    return value is None or value == ""


def _parse_value(name: str, value: Any) -> Any:
    field = FIELDS_BY_NAME.get(name)
    if field is None:
        return value
    if field.kind == "enum":
        return values.parse_choice(value, field.choices)
    return values.PARSERS[field.kind](value)


def is_same_value(name: str, first: Any, second: Any) -> bool:
    """Return True if two values of a field mean the same to Twilio."""
    first, second = normalize_value(name, first), normalize_value(name, second)
    # In Python, True equals 1.
    is_same_kind = isinstance(first, bool) == isinstance(second, bool)
    return bool(first == second and is_same_kind)


def differing_fields(
    first: Mapping[str, Any], second: Mapping[str, Any], names: Iterable[str] | None = None
) -> list[str]:
    """Return the names of fields with different values, unknown fields last.

    `names` limits the comparison to these fields.
    """
    candidates = set(names) if names is not None else {*first, *second}
    differing = [
        name for name in candidates if not is_same_value(name, first.get(name), second.get(name))
    ]
    return sorted(differing, key=_sort_key)


def _sort_key(name: str) -> tuple[int, str]:
    """Sort fields as in the table, and unknown ones after them by name."""
    return _POSITIONS.get(name, len(FIELDS)), name


def changed_writable_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the names of writable fields with different values."""
    return [name for name in differing_fields(before, after) if is_writable(name)]
