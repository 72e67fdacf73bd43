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
    "pending": "Under way",
    "succeeded": "Done",
    "failed": "Failed",
    "unknown": "Outcome unknown",
    "applied": "Applied (found later)",
    "not_applied": "Not applied",
    "conflict": "Conflict, nothing sent",
    "denied": "Refused",
}

# Action: what came to pass, and what was tried. An event that did not succeed never reads as if it had.
ACTIONS: Final = {
    "flow.create": ("Created", "Create"),
    "flow.update": ("Changed", "Change"),
    "flow.delete": ("Deleted", "Delete"),
    "flow.drift": ("Found at Twilio", "Found at Twilio"),
    "flow.baseline": ("First seen", "First seen"),
    "flow.accept": ("Accepted what was found", "Accept what was found"),
    "flow.export": ("Copied flows out", "Copy flows out"),
    "plan.start": ("Started a plan", "Start a plan"),
    "plan.stop": ("Stopped a plan", "Stop a plan"),
    "account.close": ("Made read-only", "Make read-only"),
    "account.reopen": ("Opened for changes", "Open for changes"),
    "account.ask_again": ("Let Twilio be asked again", "Let Twilio be asked again"),
    "auth.login": ("Signed in", "Sign in"),
    "auth.logout": ("Signed out", "Sign out"),
    "auth.lockout": ("Held back after bad sign-ins", "Held back after bad sign-ins"),
    "auth.password_change": ("Changed the own password", "Change the own password"),
    "auth.confirm": ("Confirmed that it is them", "Confirm that it is them"),
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
    "people.view": ("Looked at the people", "Look at the people"),
    "audit.export": ("Exported the audit log", "Export the audit log"),
    "audit.verify": ("Verified the audit log", "Verify the audit log"),
    "audit.erase": ("Erased personal data", "Erase personal data"),
}


NOT_UNDERSTOOD: Final = "Not understood"


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
