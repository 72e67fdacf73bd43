"""One change of a bulk change: through the write protocol, or of an owner or tags."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.audit.models import OpenDrift
from flows.changes import change_guard, flow_changes, in_flight
from flows.local_details.actions import LocalDetailsAction
from flows.local_details.fields import Details
from flows.local_details.services import DetailsConflict, DetailsUnchanged, change_details
from flows.mirror.stale_reads import StaleRead
from flows.plans import held_flows, repeated_creations
from flows.plans.items import is_applied, is_rolled_back
from flows.plans.models import PlannedChange
from flows.plans.skip_rules import ALREADY_RETRIED, ALREADY_ROLLED_BACK, ALREADY_SET_IN_TURN
from flows.twilio.errors import FlexError, RequestRefused

# Twilio would answer the next flow with these as well.
ACCOUNT_WIDE_STATUSES: Final = frozenset({401, 403, 429})


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The end of one change. The audit log has its result unless there is a `skip_reason`.

    `is_account_failing` is None if nothing is known of it: Twilio gave no answer about this flow.
    """

    skip_reason: str = ""
    is_account_failing: bool | None = None


def make_change(change: PlannedChange, *, reason: str, actor: Actor) -> ChangeResult:
    """Make one change, unless it is no longer needed.

    Raises `NotRecorded` or `OperationUnavailable` if the other changes can't be made either.
    """
    skip_reason = _find_skip_reason(change)
    if skip_reason:
        return ChangeResult(skip_reason)
    try:
        error = _send(change, reason, actor)
    except change_guard.RequestRequired as required:
        change_guard.log_denial(required)
        raise
    except flow_changes.FlowUnreadable as unreadable:
        error = unreadable.error
    except (flow_changes.NothingToChange, DetailsUnchanged):
        return ChangeResult(ALREADY_SET_IN_TURN)
    except in_flight.ConcurrentChange as concurrent:
        return _result_of_concurrent_change(change, concurrent)
    except (
        flow_changes.Conflict,
        flow_changes.OutcomeNotRecorded,
        DetailsConflict,
        audit_log.AlreadyRecorded,
    ):
        return ChangeResult()
    return ChangeResult(is_account_failing=_is_account_failing(error))


def _find_skip_reason(change: PlannedChange) -> str:
    """Return the reason to send nothing for a change, or ""."""
    if change.refers_to and _is_rolled_back_in_full(change.refers_to):
        return ALREADY_ROLLED_BACK
    if change.retry_of and is_applied(change.retry_of):
        return ALREADY_RETRIED
    return held_flows.find_skip_reason(change) or repeated_creations.find_skip_reason(change)


def _is_rolled_back_in_full(event_id: uuid.UUID) -> bool:
    # An external change that is still in the inbox was rolled back only in part.
    is_in_inbox = OpenDrift.objects.filter(event__event_id=event_id).exists()
    return is_rolled_back(event_id) and not is_in_inbox


def _send(change: PlannedChange, reason: str, actor: Actor) -> FlexError | None:
    common: dict[str, Any] = {
        "reason": reason,
        "actor": actor,
        "change_id": change.change_id,
        "refers_to": change.refers_to,
        "account_sid": change.account_sid,
    }
    if change.action == "flow.create":
        return flow_changes.create_flow(values=change.requested, **common).error
    if change.action == LocalDetailsAction.CHANGE:
        change_details(
            sid=change.target_sid,
            base=Details.from_values(change.before),
            values=change.requested,
            **common,
        )
        return None
    common |= {"sid": change.target_sid, "base": change.before}
    if change.action == "flow.delete":
        return flow_changes.delete_flow(**common).error
    return flow_changes.update_flow(values=change.requested, **common).error


def _result_of_concurrent_change(
    change: PlannedChange, concurrent: in_flight.ConcurrentChange
) -> ChangeResult:
    if concurrent.event.change_id == change.change_id:  # the log has this very change
        return ChangeResult()
    return ChangeResult("Another change to this flow was in progress or had just finished.")


def _is_account_failing(error: FlexError | None) -> bool:
    """Return True if an error is likely to come back for the other flows of the account."""
    if error is None or isinstance(error, StaleRead):
        return False
    if isinstance(error, RequestRefused):
        return error.status in ACCOUNT_WIDE_STATUSES
    return True
