"""The FlexFlow resource as data: its fields, their wire names, limits and choices, and which
integration type takes which field.

This is the one place that knows Twilio's CamelCase. Forms, client, sandbox, diffs and lint read
the table below; none of them repeats it. Elsewhere a flow is a `Snapshot`: a flat dict with
response names, where a field of the integration is `integration_flow_sid` and so on.
Sources: Twilio's Flex API reference (create, update, list and resource pages), read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from flows.flexapi import readings

Snapshot = dict[str, Any]
Kind = Literal["text", "sid", "enum", "boolean", "integer", "url", "datetime"]

CHANNEL_TYPES: Final = ("web", "sms", "facebook", "whatsapp", "line", "custom")
INTEGRATION_TYPES: Final = ("studio", "external", "task")
# Assumption: the reference calls studio the default, and its example without a type answers so.
DEFAULT_INTEGRATION_TYPE: Final = "studio"
INT32_MAX: Final = 2_147_483_647


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of the resource. `wire` is its parameter name, or None if Twilio alone sets it."""

    name: str
    label: str
    help: str
    kind: Kind
    wire: str | None = None
    sid_prefix: str = ""
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    default: str | int | bool | None = None  # what Twilio takes when the parameter is left out
    required_on_create: bool = False
    takes: tuple[str, ...] = ()  # integration types that take it; empty: not of the integration
    requires: tuple[str, ...] = ()  # integration types that require it
    pii: bool = False

    @property
    def pattern(self) -> str:
        """The regular expression of a SID field, anchored for `re.fullmatch`."""
        return rf"{self.sid_prefix}[0-9a-fA-F]{{32}}" if self.sid_prefix else ""

    @property
    def of_integration(self) -> bool:
        return bool(self.takes)


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
        help="Only enabled flows receive messages. Only one flow can be enabled per channel and contact identity.",
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
        help="How long a task waits for an agent before it is cancelled, in seconds. Twilio's default is 86,400 (1 day).",
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
        help="Number of retries if the Studio Flow or the webhook fails (0 to 3). Twilio's default is 3.",
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
        help="Closes Proxy sessions when their task is deleted outside Flex. Twilio's default is no.",
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

BY_NAME: Final[Mapping[str, Field]] = {field.name: field for field in FIELDS}
BY_WIRE: Final[Mapping[str, Field]] = {field.wire: field for field in FIELDS if field.wire}
WRITABLE: Final[tuple[Field, ...]] = tuple(BY_WIRE.values())
INTEGRATION_FIELDS: Final[tuple[Field, ...]] = tuple(field for field in FIELDS if field.of_integration)

_WIRE_NAMES = {field.name: wire for wire, field in BY_WIRE.items()}
_INTEGRATION = "integration_"
_OWN_NAMES = {field.name for field in FIELDS if not field.of_integration}
_OF_INTEGRATION = {field.name.removeprefix(_INTEGRATION): field.name for field in INTEGRATION_FIELDS}
_DIGITS: Final = re.compile("[0-9a-fA-F]{32}")


def is_sid(prefix: str, value: object) -> bool:
    """Whether `value` is a SID of that kind: its two letters and 32 hexadecimal digits, nothing else."""
    return (
        isinstance(value, str)
        and value.startswith(prefix)
        and _DIGITS.fullmatch(value, len(prefix)) is not None
    )


def is_active(field: Field, integration_type: str | None) -> bool:
    """Whether a flow of this integration type uses the field at all."""
    return not field.of_integration or integration_type in field.takes


def is_required(field: Field, integration_type: str | None) -> bool:
    """Whether Twilio's reference demands the field for this integration type."""
    return integration_type in field.requires


def handler_type(flow: Mapping[str, Any]) -> str:
    """The integration type that handles a flow's messages: the flow's own, or Twilio's default where a flow has none
    and names a Studio Flow. Empty where nothing says what handles them."""
    kind = normalised("integration_type", flow.get("integration_type"))
    if kind is None and normalised("integration_flow_sid", flow.get("integration_flow_sid")) is not None:
        return DEFAULT_INTEGRATION_TYPE
    return kind if isinstance(kind, str) else ""


def from_response(resource: Mapping[str, Any]) -> Snapshot:
    """Twilio's JSON as a snapshot. Fields that nobody knows yet are kept under their own names."""
    snapshot: Snapshot = {}
    integration = _integration_in(resource)
    if integration is not None:
        for key, value in integration.items():  # of ten thousand flows, the same few keys
            snapshot[_OF_INTEGRATION.get(key) or _INTEGRATION + key] = value
    # The flow's own fields come last: an unknown `integration.type` can't pass for `integration_type`.
    snapshot.update(resource)
    if integration is not None or not resource.get("integration"):
        snapshot.pop("integration", None)
    return snapshot


def _integration_in(resource: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The integration's own fields, also where they came as a text of JSON. None if there are none to read."""
    integration = resource.get("integration")
    if isinstance(integration, str):
        try:
            integration = json.loads(integration)
        except (ValueError, RecursionError):
            return None
    return integration if isinstance(integration, Mapping) else None


def to_response(snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """A snapshot as Twilio's JSON, `integration` nested again: the inverse of `from_response`."""
    resource: dict[str, Any] = {"integration": {}}
    for name, value in snapshot.items():
        if name.startswith(_INTEGRATION) and name not in _OWN_NAMES:
            resource["integration"][name.removeprefix(_INTEGRATION)] = value
        else:
            resource[name] = value
    return resource


def to_parameters(values: Mapping[str, Any]) -> dict[str, str]:
    """Fields as form parameters under Twilio's names. `None` and the empty string unset a field. A field
    that can't be written is a KeyError."""
    return {_WIRE_NAMES[name]: _encode(value) for name, value in values.items()}


def _encode(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# Twilio's own bookkeeping; its dates are whole seconds, so they prove nothing.
KEPT_BY_TWILIO: Final = frozenset(field.name for field in FIELDS if field.wire is None)


def moment(value: Any) -> datetime | None:
    """A date and time as Twilio writes it, in UTC; None if it is none."""
    return readings.moment(value)


def normalised(name: str, value: Any) -> Any:
    """The value as it is meant and compared: an unset field is None, a boolean or a number that came as text is one.
    What can't be read stays as it came."""
    if value is None or value == "":
        return None
    meant = _read(name, value)
    return value if meant is readings.NOT_READ else meant


def is_understood(name: str, value: Any) -> bool:
    """Tell whether a field's value is one of its kind. An unset one is, and so is any of a field that nobody knows."""
    return value is None or value == "" or _read(name, value) is not readings.NOT_READ


def _read(name: str, value: Any) -> Any:
    field = BY_NAME.get(name)
    if field is None:
        return value
    if field.kind == "enum":
        return readings.choice(value, field.choices)
    return readings.READERS[field.kind](value)


def same(name: str, left: Any, right: Any) -> bool:
    """Whether two values of a field mean the same to Twilio."""
    one, other = normalised(name, left), normalised(name, right)
    return bool(one == other and isinstance(one, bool) == isinstance(other, bool))


def differing(
    left: Mapping[str, Any], right: Mapping[str, Any], names: Iterable[str] | None = None
) -> list[str]:
    """The names of fields whose values differ, in the table's order, unknown fields last."""
    present = list(names) if names is not None else [*left, *right]
    order = {field.name: place for place, field in enumerate(FIELDS)}
    ranked = sorted(set(present), key=lambda name: (order.get(name, len(order)), name))
    return [name for name in ranked if not same(name, left.get(name), right.get(name))]


def is_writable(name: str) -> bool:
    """Return True for a field that a change can set."""
    return name in _WIRE_NAMES


def writable_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the writable fields whose values differ. What nobody can write is Twilio's own business."""
    return [name for name in differing(before, after) if name in _WIRE_NAMES]
