"""Comparison of users' roles with the audit log.

Every role is assigned by a recorded event. A different role was written to the database directly.
A verification of the log runs this comparison.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User

from flexadmin.users import services
from flows.audit.models import AuditEvent, Result
from flows.redaction.masking import redact


def find_differences() -> Iterator[str]:
    """Yield a sentence for each user whose roles or status differ from their last event."""
    # The log stores redacted names.
    users = {str(redact(user.get_username())): user for user in User.objects.iterator()}
    for name, recorded in sorted(_last_recorded_states().items()):
        user = users.get(name)
        if user is None:
            yield f"The user {name} is missing from the database, but no event records why."
        elif _role_fields(services.snapshot_user(user)) != _role_fields(recorded):
            yield f"The roles or status of {name} differ from the audit log."


def _last_recorded_states() -> dict[str, Mapping[str, Any]]:
    """Return the state that the last event about each user recorded, by username."""
    events = AuditEvent.objects.filter(action__startswith="people.", result=Result.SUCCEEDED)
    rows = events.order_by("seq").values_list("payload__friendly_name", "payload__after")
    # The database must not look into the JSON: SQLite breaks off at a damaged one, which the
    # verification has to name instead. A later state replaces an earlier one of the same user.
    return {name: after for name, after in rows.iterator() if name and after and "role" in after}


def _role_fields(state: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a recorded state that name a role or the status."""
    complete = {"active": True, **state}  # older events of new SSO users lack it
    return {name: value for name, value in complete.items() if _is_role_field(name)}


def _is_role_field(name: str) -> bool:
    return name in ("active", "role") or name.startswith("role on ")
