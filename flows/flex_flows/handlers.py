"""What handles a flow's messages, in words: a Studio Flow, a webhook or a TaskRouter workflow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flows.core.safe_text import short
from flows.mirror.models import Flow
from flows.mirror.targets import url_hostname
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


_HANDLERS: Final = {  # by integration type
    "studio": _Handler("Studio Flow", "Studio", "integration_flow_sid", short),
    "external": _Handler("Webhook", "External webhook", "integration_url", url_hostname),
    "task": _Handler("Workflow", "TaskRouter", "integration_workflow_sid", short),
}


def describe_handler(flow: Flow) -> str:
    """Return the handler of the flow's messages, such as "Studio Flow FW1234…abcd"."""
    integration_type = flow.value("integration_type")
    if not FLEX_FLOW.is_readable("integration_type", integration_type):
        return f"{labels.UNREADABLE_LABEL}: {labels.value_to_text(integration_type)}"
    variant = FLEX_FLOW.variant_of(flow.resource)
    if not variant:
        return _describe_implied_handler(flow)
    if variant not in _HANDLERS:
        return variant
    handler = _HANDLERS[variant]
    address = handler.address(flow) or "not set"
    return f"{handler.title} {address}"


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


def _describe_implied_handler(flow: Flow) -> str:
    """Return the handler that a flow without an integration type has settings for."""
    if host := _HANDLERS["external"].address(flow):
        return f"No type set, webhook {host}"
    if sid := _HANDLERS["task"].address(flow):
        return f"No type set, workflow {sid}"
    return NO_HANDLER
