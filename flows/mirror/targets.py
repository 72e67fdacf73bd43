"""The targets of a flow: what handles its messages, and the services that it uses.

A webhook is known by its host alone, because the rest of its URL can hold secrets.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import models

from flows.core.normalization import normalize_text
from flows.core.safe_text import short
from flows.twilio.cleaning import to_text
from flows.twilio.flex.flex_flow import FLEX_FLOW, INTEGRATION_TYPES

MAX_LENGTH: Final = 500  # characters of a target, so that every database can index it


class TargetKind(models.TextChoices):
    """The kinds of targets, as URLs name them."""

    STUDIO_FLOW = "studio-flow", "Studio Flow"
    WEBHOOK = "webhook", "Webhook host"
    WORKFLOW = "workflow", "Workflow"
    WORKSPACE = "workspace", "Workspace"
    TASK_CHANNEL = "task-channel", "Task channel"
    CHAT_SERVICE = "chat-service", "Chat service"
    IDENTITY = "identity", "Contact identity"  # a flow has it in columns of its own


_FIELD_NAMES: Final = {
    TargetKind.STUDIO_FLOW: "integration_flow_sid",
    TargetKind.WEBHOOK: "integration_url",
    TargetKind.WORKFLOW: "integration_workflow_sid",
    TargetKind.WORKSPACE: "integration_workspace_sid",
    TargetKind.TASK_CHANNEL: "integration_channel",
    TargetKind.CHAT_SERVICE: "chat_service_sid",
}
_FIELDS: Final = [(kind, FLEX_FLOW.field(name)) for kind, name in _FIELD_NAMES.items()]


def find_targets(snapshot: Mapping[str, Any]) -> list[list[str]]:
    """Return the targets of a flow, each as its kind, its value and its normalized value."""
    return [
        [kind.value, value, normalize_text(value)[:MAX_LENGTH]]
        for kind, value in find_target_values(snapshot)
    ]


def find_target_values(snapshot: Mapping[str, Any]) -> Iterator[tuple[TargetKind, str]]:
    """Yield the targets of a flow, each as its kind and its value.

    A field that the flow's integration type does not use is no target. Without a type, every field
    with a value is one.
    """
    variant = FLEX_FLOW.variant_of(snapshot)
    has_type = variant in INTEGRATION_TYPES
    for kind, field in _FIELDS:
        is_unused = has_type and field.takes and variant not in field.takes
        value = "" if is_unused else _target_value(kind, snapshot.get(field.name))
        if value:
            yield kind, value


def target_field_name(kind: str) -> str:
    """Return the name of the flow's field that has a target of this kind."""
    return _FIELD_NAMES[TargetKind(kind)]


def describe_target(kind: str, value: str, name: str = "") -> str:
    """Return a target in words, such as "Support IVR · FW1234…abcd"."""
    is_sid_kind = kind not in (TargetKind.WEBHOOK, TargetKind.IDENTITY)
    text = short(value) if is_sid_kind else value
    if name:
        return f"{name} · {text}"
    return f"{TargetKind(kind).label} {text}"


def url_hostname(url: object) -> str:
    """Return the host of a URL, or "" if it has none or is malformed."""
    try:
        host = urlsplit(to_text(url)).hostname
    except ValueError:
        return ""
    return host or ""


def _target_value(kind: TargetKind, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        return ""
    if kind == TargetKind.WEBHOOK:
        value = url_hostname(value)
    return value[:MAX_LENGTH]
