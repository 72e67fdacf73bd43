"""What handles a flow's messages, in words: a Studio Flow, a webhook or a TaskRouter workflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from flows.core.safe_text import short
from flows.mirror.models import Flow
from flows.mirror.targets import TargetKind, url_hostname
from flows.names.lookup import Name
from flows.twilio import labels
from flows.twilio.flex.flex_flow import FLEX_FLOW

NO_HANDLER: Final = "No handler"


@dataclass(frozen=True, slots=True)
class _Handler:
    """The handler of an integration type.

    `field_name` is the field with its SID or URL. `shorten` returns that for a page, or "".
    """

    title: str
    note: str
    field_name: str
    shorten: Callable[[object], str]

    def address(self, flow: Flow) -> str:
        """Return the handler's shortened SID or its host, or "" if the flow has neither."""
        return self.shorten(flow.value(self.field_name))

    def describe(self, flow: Flow, *, with_sid: bool) -> str:
        """Return the handler such as "Support IVR · FW1234…abcd", without a name by its title."""
        address = self.address(flow)
        if flow.handler_name and address:
            return f"{flow.handler_name} · {address}" if with_sid else flow.handler_name
        return f"{self.title} {address or 'not set'}"


_HANDLERS: Final = {  # by integration type
    "studio": _Handler("Studio Flow", "Studio", "integration_flow_sid", short),
    "external": _Handler("Webhook", "External webhook", "integration_url", url_hostname),
    "task": _Handler("Workflow", "TaskRouter", "integration_workflow_sid", short),
}


# A flow without a type can have several handlers. The first one counts.
_HANDLER_KINDS: Final = (TargetKind.WEBHOOK, TargetKind.WORKFLOW, TargetKind.STUDIO_FLOW)


def describe_handler(flow: Flow, *, with_sid: bool = True) -> str:
    """Return the handler of the flow's messages, such as "Support IVR · FW1234…abcd".

    The name comes from `set_handler_name`. Without one it is such as "Studio Flow FW1234…abcd". With
    one, the SID can be left out.
    """
    integration_type = flow.value("integration_type")
    if not FLEX_FLOW.is_readable("integration_type", integration_type):
        return f"{labels.UNREADABLE_LABEL}: {labels.value_to_text(integration_type)}"
    variant = FLEX_FLOW.variant_of(flow.resource)
    if not variant:
        return _describe_implied_handler(flow, with_sid=with_sid)
    if variant not in _HANDLERS:
        return variant
    return _HANDLERS[variant].describe(flow, with_sid=with_sid)


def set_handler_name(flow: Flow, names: Mapping[str, Name]) -> None:
    """Set the name of the flow's handler. `names` are those of its account by SID."""
    if name := names.get(handler_sid(flow)):
        flow.handler_name = name.name


def describe_handler_briefly(flow: Flow) -> str:
    """Return the handler by its name alone, if it has one, for a place that shows its SID apart."""
    return describe_handler(flow, with_sid=False)


def handler_sid(flow: Flow) -> str:
    """Return the SID of the Studio Flow or workflow that handles the flow's messages, or ""."""
    handler = _HANDLERS.get(FLEX_FLOW.variant_of(flow.resource) or "task")
    sid = flow.value(handler.field_name) if handler else None
    return sid if isinstance(sid, str) else ""


def handler_target(flow: Flow) -> tuple[str, str] | None:
    """Return the kind and the value of the handler as a target, or None without a handler."""
    targets = [(kind, value) for kind, value, _ in flow.targets if kind in _HANDLER_KINDS]
    return min(targets, key=lambda target: _HANDLER_KINDS.index(target[0]), default=None)


def explain_handler(flow: Flow) -> str:
    """Return the line below a flow's handler: its integration type, or a reason for having none."""
    integration_type = flow.value("integration_type")
    if not FLEX_FLOW.is_readable("integration_type", integration_type):
        return "The integration type can't be read"
    if integration_type in (None, ""):
        return _explain_missing_type(flow)
    variant = FLEX_FLOW.variant_of(flow.resource)
    if variant not in _HANDLERS:
        return "Integration type not supported here yet"
    return _HANDLERS[variant].note


def _explain_missing_type(flow: Flow) -> str:
    """Return the line for a flow without an integration type, for which Twilio has a default."""
    if FLEX_FLOW.variant_of(flow.resource) == FLEX_FLOW.default_variant:
        return "Studio by default (no integration type set)"
    if _describe_implied_handler(flow) == NO_HANDLER:
        return "Messages go nowhere"
    return "No integration type set; Twilio's default is Studio"


def _describe_implied_handler(flow: Flow, *, with_sid: bool = True) -> str:
    """Return the handler that a flow without an integration type has settings for."""
    if host := _HANDLERS["external"].address(flow):
        return f"No type set, webhook {host}"
    handler = _HANDLERS["task"]
    if sid := handler.address(flow):
        workflow = handler.describe(flow, with_sid=with_sid) if flow.handler_name else sid
        return f"No type set, workflow {workflow}"
    return NO_HANDLER
