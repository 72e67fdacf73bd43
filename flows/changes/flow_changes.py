"""The changes of a flow: those of every resource, and turning a flow on or off."""

from __future__ import annotations

import functools
import uuid
from typing import Final

from flows.audit.audit_log import Actor
from flows.changes import operations
from flows.changes.operations import (
    Change,
    ChangeAttempt,
    Conflict,
    FlowUnreadable,
    NothingToChange,
    OutcomeNotRecorded,
)
from flows.twilio.flex.flex_flow import FLEX_FLOW

__all__ = [
    "Change",
    "ChangeAttempt",
    "Conflict",
    "FlowUnreadable",
    "NothingToChange",
    "OutcomeNotRecorded",
    "create_flow",
    "delete_flow",
    "set_enabled",
    "update_flow",
]

create_flow: Final = functools.partial(operations.create, FLEX_FLOW)
update_flow: Final = functools.partial(operations.update, FLEX_FLOW)
delete_flow: Final = functools.partial(operations.delete, FLEX_FLOW)


def set_enabled(
    *,
    sid: str,
    enabled: bool,
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    account_sid: str,
    refers_to: uuid.UUID | None = None,
) -> Change:
    """Turn a flow on or off. No base is needed: one boolean can't overwrite an edit unseen."""
    return update_flow(
        sid=sid,
        base=None,
        values={"enabled": enabled},
        reason=reason,
        actor=actor,
        change_id=change_id,
        refers_to=refers_to,
        account_sid=account_sid,
    )
