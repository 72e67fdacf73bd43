"""Actions of the pages of flows that change nothing at Twilio."""

from __future__ import annotations

from flows.audit.action_registry import Action


class FlowPageAction(Action):
    EXPORT = "flow.export", "Exported flows", "Export flows"
