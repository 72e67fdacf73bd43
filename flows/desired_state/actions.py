"""The action of the log that applies a file. Each change of a flow is an event of its own."""

from __future__ import annotations

from flows.audit.action_registry import Action


class DesiredStateAction(Action):
    APPLY = "plan.apply", "Applied a file of flows", "Apply a file of flows"
