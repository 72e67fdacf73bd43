"""Labels of the actions, results and stages of audit events."""

from __future__ import annotations

from typing import Final

RESULT_LABELS: Final = {
    "pending": "In progress",
    "succeeded": "Done",
    "failed": "Failed",
    "unknown": "Unknown outcome",
    "applied": "Applied · confirmed later",
    "not_applied": "Not applied · confirmed later",
    "conflict": "Conflict, nothing sent",
    "denied": "Refused",
}

# The result filter also offers the open changes and those that were resolved later.
RESULT_FILTER_LABELS: Final = {
    **RESULT_LABELS,
    "pending": "No outcome recorded",
    "applied": "Applied",
    "not_applied": "Not applied",
    "unresolved": "Unresolved",
    "resolved_later": "Resolved later",
}

# Each action has two labels: past tense if it was applied, infinitive if it was only attempted.
ACTION_LABELS: Final = {
    "flow.view": ("Viewed flows", "View flows"),
    "flow.sync": ("Synced with Twilio", "Sync with Twilio"),
    "flow.create": ("Created", "Create"),
    "flow.update": ("Changed", "Change"),
    "flow.delete": ("Deleted", "Delete"),
    "flow.drift": ("External change", "External change"),
    "flow.baseline": ("First synced", "First sync"),
    "flow.accept": ("Accepted an external change", "Accept an external change"),
    "flow.decide": ("Decided an outcome", "Decide an outcome"),
    "flow.export": ("Exported flows", "Export flows"),
    "plan.start": ("Started a bulk change", "Start a bulk change"),
    "plan.stop": ("Stopped a bulk change", "Stop a bulk change"),
    "account.close": ("Made read-only", "Make read-only"),
    "account.reopen": ("Lifted read-only", "Lift read-only"),
    "account.field": ("New field at Twilio", "New field at Twilio"),
    "account.ask_again": ("Retried Twilio", "Retry Twilio"),
    "auth.login": ("Signed in", "Sign in"),
    "auth.logout": ("Signed out", "Sign out"),
    "auth.lockout": ("Locked out", "Lock out"),
    "auth.password_change": ("Changed password", "Change password"),
    "auth.confirm": ("Confirmed identity", "Confirm identity"),
    "auth.mfa_add": ("Added a 2FA method", "Add a 2FA method"),
    "auth.mfa_remove": ("Removed a 2FA method", "Remove a 2FA method"),
    "auth.sessions_end": ("Signed out of other sessions", "Sign out of other sessions"),
    "people.create": ("Added a user", "Add a user"),
    "people.activate": ("Activated a user", "Activate a user"),
    "people.deactivate": ("Deactivated a user", "Deactivate a user"),
    "people.role": ("Changed a user's role", "Change a user's role"),
    "people.password": ("Set a temporary password", "Set a temporary password"),
    "people.mfa_reset": ("Reset a user's 2FA", "Reset a user's 2FA"),
    "people.sso_remove": ("Removed a user's single sign-on", "Remove a user's single sign-on"),
    "people.view": ("Viewed users", "View users"),
    "audit.view": ("Viewed the audit log", "View the audit log"),
    "people.rights_found": (
        "Found external permissions",
        "Find external permissions",
    ),
    "people.rights_remove": (
        "Removed external permissions",
        "Remove external permissions",
    ),
    "audit.export": ("Exported the audit log", "Export the audit log"),
    "audit.verify": ("Verified the audit log", "Verify the audit log"),
    "audit.erase": ("Erased personal data", "Erase personal data"),
    "audit.restore": ("Restored database triggers", "Restore database triggers"),
}

# Names of the stages in a change's timeline.
STAGE_LABELS: Final = {
    "attempt": "Attempt",
    "outcome": "Result",
    "reconciled": "Confirmed later",
    "observed": "Observed",
    "access": "Access",
}
