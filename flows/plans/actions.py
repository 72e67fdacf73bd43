"""Actions of bulk changes. Each change of a flow is an event of its own."""

from __future__ import annotations

from flows.audit.action_registry import Action


class PlanAction(Action):
    START = "plan.start", "Started a bulk change", "Start a bulk change"
    STOP = "plan.stop", "Stopped a bulk change", "Stop a bulk change"
