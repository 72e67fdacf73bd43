"""Changes of local details for tests."""

from __future__ import annotations

import uuid
from typing import Any

from flows.audit.audit_log import Actor
from flows.local_details.reading import load_details
from flows.local_details.services import DetailsChange, change_details
from tests import ACCOUNT

ONE, TWO, THREE = (f"FO{number:032x}" for number in (1, 2, 3))
AC_ONE, AC_TWO = "AC" + "1" * 32, "AC" + "2" * 32
ACTOR = Actor(id="7", label="omar", role="operator", source_ip="192.0.2.7", user_agent="pytest")


def set_details(sid: str, *, account_sid: str = ACCOUNT, **changes: Any) -> DetailsChange:
    """Change the owner, tags or note of a flow as a user who sees their current values."""
    arguments = {
        "base": load_details(sid),
        "reason": "",
        "actor": ACTOR,
        "change_id": uuid.uuid4(),
    }
    arguments |= {name: changes.pop(name) for name in arguments.keys() & changes.keys()}
    return change_details(sid=sid, account_sid=account_sid, values=changes, **arguments)
