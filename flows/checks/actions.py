"""Actions about findings: what the checks found and no longer find, and what someone accepts."""

from __future__ import annotations

from flows.audit.action_registry import Action
from flows.audit.models import AuditEvent

# The keys of the values that an event about findings records.
CHECK, RULE, SEVERITY, FLOWS = "Check", "Rule", "Severity", "Flows"


class FindingAction(Action):
    APPEARED = "finding.appeared", "Finding appeared", "Finding appeared", True
    CLEARED = "finding.cleared", "Finding cleared", "Finding cleared", True
    EVALUATED = "finding.evaluated", "Findings first evaluated", "Findings first evaluated", True
    SUPPRESS = "finding.suppress", "Suppressed a finding", "Suppress a finding"
    END = "finding.end_suppression", "Ended a suppression", "End a suppression"

    def sentence(self, event: AuditEvent) -> str:
        """Return an event as a short sentence, with what appeared, was cleared or was evaluated."""
        payload = event.stored_payload
        if payload is None or payload.erased_at:
            return super().sentence(event)
        if self is FindingAction.EVALUATED:
            return payload.message.removesuffix(".")
        check = payload.requested_values.get(CHECK)
        if self not in (FindingAction.APPEARED, FindingAction.CLEARED) or not check:
            return super().sentence(event)
        flows = payload.requested_values.get(FLOWS)
        number = f" at {flows:,} flows" if isinstance(flows, int) else ""
        return f"{self.label}{number}: {check}"
