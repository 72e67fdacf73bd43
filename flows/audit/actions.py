"""Actions and results of the audit log's events, and what the pages call them."""

from __future__ import annotations

from typing import Final

RESULT_LABELS: Final = {
    "pending": "Under way",
    "succeeded": "Done",
    "failed": "Failed",
    "unknown": "Unknown outcome",
    "applied": "Applied · confirmed later",
    "not_applied": "Not applied · confirmed later",
    "conflict": "Conflict, nothing sent",
    "denied": "Refused",
}

# The log can be filtered by each result, by what is open, and by what was open once.
RESULT_FILTER_LABELS: Final = {
    **RESULT_LABELS,
    "pending": "No outcome recorded",
    "applied": "Applied",
    "not_applied": "Not applied",
    "unresolved": "Unresolved",
    "resolved_later": "Resolved later",
}

# Action: what came to pass, and what was tried. An event that did not succeed never reads as if it had.
ACTION_LABELS: Final = {
    "flow.view": ("Viewed flows", "View flows"),
    "flow.sync": ("Synced with Twilio", "Sync with Twilio"),
    "flow.create": ("Created", "Create"),
    "flow.update": ("Changed", "Change"),
    "flow.delete": ("Deleted", "Delete"),
    "flow.drift": ("Found at Twilio", "Found at Twilio"),
    "flow.baseline": ("First synced", "First sync"),
    "flow.accept": ("Accepted drift", "Accept drift"),
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
    "auth.lockout": ("Held back after bad sign-ins", "Held back after bad sign-ins"),
    "auth.password_change": ("Changed password", "Change password"),
    "auth.confirm": ("Confirmed identity", "Confirm identity"),
    "auth.mfa_add": ("Added a second factor", "Add a second factor"),
    "auth.mfa_remove": ("Removed a second factor", "Remove a second factor"),
    "auth.sessions_end": ("Signed out everywhere else", "Sign out everywhere else"),
    "people.create": ("Added a person", "Add a person"),
    "people.activate": ("Activated a person", "Activate a person"),
    "people.deactivate": ("Deactivated a person", "Deactivate a person"),
    "people.role": ("Changed the role of a person", "Change the role of a person"),
    "people.password": ("Set a one-time password", "Set a one-time password"),
    "people.mfa_reset": ("Reset the second factors of a person", "Reset the second factors of a person"),
    "people.sso_remove": ("Removed the single sign-on of a person", "Remove the single sign-on of a person"),
    "people.view": ("Viewed users", "View users"),
    "audit.view": ("Viewed the audit log", "View the audit log"),
    "people.rights_found": (
        "Found rights given outside this dashboard",
        "Find rights given outside this dashboard",
    ),
    "people.rights_remove": (
        "Removed rights given outside this dashboard",
        "Remove rights given outside this dashboard",
    ),
    "audit.export": ("Exported the audit log", "Export the audit log"),
    "audit.verify": ("Verified the audit log", "Verify the audit log"),
    "audit.erase": ("Erased personal data", "Erase personal data"),
    "audit.restore": ("Restored database triggers", "Restore database triggers"),
}
