"""What things are called on the pages: the same word for the same thing everywhere. Field labels and help
are in the schema table; sentences about failures in views/problems.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from flows.flexapi import schema

ENUMS: Final = {
    "web": "Web chat", "sms": "SMS", "facebook": "Facebook Messenger", "whatsapp": "WhatsApp", "line": "LINE",
    "custom": "Custom", "studio": "Studio Flow", "external": "External webhook", "task": "TaskRouter task",
}  # fmt: skip

RESULTS: Final = {
    "pending": "In progress",
    "succeeded": "Done",
    "failed": "Failed",
    "unknown": "Unknown outcome",
    "applied": "Applied · confirmed later",
    "not_applied": "Not applied · confirmed later",
    "conflict": "Conflict, nothing sent",
    "denied": "Refused",
}

# The log can be filtered by each result, by what is open, and by what was open once.
RESULT_FILTERS: Final = {
    **RESULTS,
    "pending": "No outcome recorded",
    "applied": "Applied",
    "not_applied": "Not applied",
    "unresolved": "Unresolved",
    "resolved_later": "Resolved later",
}

# Action: what came to pass, and what was tried. An event that did not succeed never reads as if it had.
ACTIONS: Final = {
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


# Stage of a change, as its timeline names it.
STAGES: Final = {
    "attempt": "Attempt",
    "outcome": "Result",
    "reconciled": "Confirmed later",
    "observed": "Observed",
    "access": "Access",
}

NOT_UNDERSTOOD: Final = "Unexpected value"


class Said(str):
    """Words of ours in the place of a value, such as that nobody knows it."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A value that is none of its field's kind, as it came."""

    value: Any


def label(name: str) -> str:
    """A field's label; a field that nobody knows yet is called by its name."""
    return schema.BY_NAME[name].label if name in schema.BY_NAME else name


def shown(name: str, value: Any) -> Any:
    """A field's value in words: an enum's own, a boolean or a number that came as text as one, anything else as it is.
    What can't be read is never taken for something: `NotUnderstood`."""
    if isinstance(value, Said):
        return value
    if not schema.is_understood(name, value):
        return NotUnderstood(value)
    kind = schema.BY_NAME[name].kind if name in schema.BY_NAME else ""
    if kind not in ("enum", "boolean", "integer"):
        return value
    meant = schema.normalised(name, value)
    return ENUMS.get(meant, meant) if kind == "enum" else meant


def as_text(value: Any) -> str:
    """A value as text; a list or an object as JSON."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)
