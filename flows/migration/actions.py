"""Actions of migrations. Each call to Twilio is an event of its own object as well."""

from __future__ import annotations

from flows.audit.action_registry import Action
from flows.audit.models import AuditEvent


class MigrationAction(Action):
    PREPARE = "migration.prepare", "Started to prepare a migration", "Prepare a migration"
    SWITCH = "migration.switch", "Started to switch over to an address", "Switch over to an address"
    STOP = "migration.stop", "Stopped a switch-over before its start", "Stop a switch-over"
    VERIFY = "migration.verify", "Verified a migration", "Verify a migration"
    ROLL_BACK = "migration.roll_back", "Started to roll back a migration", "Roll back a migration"
    DELETE = "migration.delete", "Started to delete a migrated flow", "Delete a migrated flow"
    RESUME = "migration.resume", "Resumed a migration", "Resume a migration"
    CLOSE = "migration.close", "Ended a migration that was finished by hand", "Close a migration"
    # What the steps of the worker led to.
    PROGRESS = "migration.progress", "A migration moved on", "A migration moved on"

    def sentence(self, event: AuditEvent) -> str:
        """Return an event as a short sentence. Progress names the status that was reached."""
        if self is not MigrationAction.PROGRESS:
            return super().sentence(event)
        payload = event.stored_payload
        status = (payload.requested_values if payload else {}).get("Status")
        return f"Migration: {status}" if status else self.label
