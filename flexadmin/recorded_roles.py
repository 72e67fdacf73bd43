"""Users' roles compared with the log: each was last given by a recorded event, so another one was given by somebody who
writes to the database. A verification of the log runs this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.contrib.auth.models import User

from flexadmin import persons
from flows.masking import masked
from flows.models import AuditEvent, Result


def differences() -> Iterator[str]:
    """One sentence for each user whose roles, or whose account, are not as the log last has them."""
    last = _last_recorded()
    users = {
        str(masked(user.get_username())): user for user in User.objects.iterator()
    }  # as the log has names
    for name, recorded in sorted(last.items()):
        user = users.get(name)
        if user is None:
            yield f"The user {name} is missing from the database, but no event records why."
        elif _roles(persons.state_of(user)) != _roles(recorded):
            yield f"The roles or status of {name} differ from the audit log."


def _last_recorded() -> dict[str, Mapping[str, Any]]:
    """What the last event about each user says of them."""
    events = AuditEvent.objects.filter(action__startswith="people.", result=Result.SUCCEEDED)
    said = events.order_by("seq").values_list("payload__friendly_name", "payload__after")
    return {name: after for name, after in said.iterator() if name and after and "role" in after}


def _roles(state: Mapping[str, Any]) -> dict[str, Any]:
    whole = {"active": True, **state}  # one who came by single sign-on was recorded without it
    return {name: whole[name] for name in whole if name in ("active", "role") or name.startswith("role on ")}
