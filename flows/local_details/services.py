"""The only code that changes a flow's owner, tags and note.

They are changed in the transaction of the event that records it. Nothing is sent to Twilio, so a
flow with an open change, or one that Twilio has deleted, can be changed as well. Read-only mode
prevents it: nobody can then change anything in the account.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.audit import audit_log
from flows.audit.audit_log import Actor, AlreadyRecorded, LogTransaction, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.availability import restrictions
from flows.availability.restrictions import OperationUnavailable
from flows.local_details.actions import LocalDetailsAction
from flows.local_details.fields import LABELS, Details, changed_names, fold, mask_note
from flows.local_details.merge import merge
from flows.local_details.models import FlowTag, LocalDetails
from flows.local_details.reading import load_details
from flows.mirror.models import Flow
from flows.twilio.pickling import PicklableError


@dataclass(frozen=True, slots=True)
class DetailsChange:
    """A change that was made: its event, and the fields that someone else changed as well."""

    event: AuditEvent
    merged_names: list[str] = field(default_factory=list)


class DetailsConflict(PicklableError):
    """Someone else changed the same fields since the user saw them. Nothing was changed.

    `current` are the details as they are now, with the parts of the edit that don't conflict.
    """

    def __init__(self, names: list[str], current: Details, merged: Details) -> None:
        super().__init__("the details were changed in the meantime")
        self.names = names
        self.current = current
        self.merged = merged


class DetailsUnchanged(Exception):
    """The flow has the requested owner, tags and note already. Nothing was recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    """An edit of one flow's details, and what its event says."""

    sid: str
    account_sid: str
    base: Details
    values: Mapping[str, Any]
    reason: str
    actor: Actor
    change_id: uuid.UUID
    refers_to: uuid.UUID | None


def change_details(
    *,
    sid: str,
    account_sid: str,
    base: Details,
    values: Mapping[str, Any],
    reason: str,
    actor: Actor,
    change_id: uuid.UUID,
    refers_to: uuid.UUID | None = None,
) -> DetailsChange:
    """Change the details of a flow, and record it.

    `values` are the new values of some fields, cleaned, and `base` the details as the user saw
    them. Secrets in a note are masked here in any case. Edits of different fields, and of
    different tags, are merged. Raises `DetailsConflict`, `DetailsUnchanged`, `AlreadyRecorded` for
    a `change_id` that was used before, `OperationUnavailable` or `NotRecorded`. In each case
    nothing is changed.
    """
    if "note" in values:
        values = {**values, "note": mask_note(values["note"])}
    edit = _Edit(
        sid=sid,
        account_sid=account_sid,
        base=base,
        values=values,
        reason=reason,
        actor=actor,
        change_id=change_id,
        refers_to=refers_to,
    )
    with audit_log.transaction() as log:
        result = _apply(log, edit)
    # After the transaction, which also commits the event of a refusal or a conflict.
    if isinstance(result, DetailsChange):
        return result
    raise result


def _apply(
    log: LogTransaction, edit: _Edit
) -> DetailsChange | DetailsConflict | OperationUnavailable:
    """Change the details and record it, or only record why they can't be changed."""
    earlier_event = audit_log.latest_event(edit.change_id)
    if earlier_event is not None:
        raise AlreadyRecorded(earlier_event)
    restriction = restrictions.find_restriction(edit.account_sid, "details")
    if restriction is not None:
        _record_denial(log, edit, restriction.sentence)
        return OperationUnavailable(restriction)
    current = load_details(edit.sid)
    merged = merge(base=edit.base, mine=edit.values, theirs=current)
    if merged.conflicts:
        _record_conflict(log, edit, current, merged.conflicts)
        return DetailsConflict(merged.conflicts, current, merged.details)
    names = changed_names(current, merged.details)
    if not names:
        raise DetailsUnchanged
    _store(edit.sid, edit.account_sid, merged.details)
    payload = {"before": current.as_values(), "after": merged.details.as_values()}
    event = _append(log, edit, Result.SUCCEEDED, names, payload)
    other_names = [name for name in changed_names(edit.base, current) if name in edit.values]
    return DetailsChange(event, other_names)


def _record_denial(log: LogTransaction, edit: _Edit, message: str) -> None:
    requested = Details.from_values({**edit.base.as_values(), **edit.values})
    names = changed_names(edit.base, requested)
    payload = {"requested": requested.as_values(), "message": message}
    _append(log, edit, Result.DENIED, names, payload)


def _record_conflict(log: LogTransaction, edit: _Edit, current: Details, names: list[str]) -> None:
    labels = " and ".join(LABELS[name] for name in names)
    payload = {
        "before": current.as_values(),
        "requested": Details.from_values({**current.as_values(), **edit.values}).as_values(),
        "message": f"Someone else changed {labels} in the meantime. Nothing was changed.",
    }
    _append(log, edit, Result.CONFLICT, names, payload)


def _append(
    log: LogTransaction, edit: _Edit, result: Result, names: list[str], payload: dict[str, Any]
) -> AuditEvent:
    flow = Flow.objects.filter(sid=edit.sid).first() or Flow()
    return log.append(
        action=LocalDetailsAction.CHANGE,
        stage=Stage.ACCESS,
        result=result,
        actor=edit.actor,
        account_sid=edit.account_sid,
        target_sid=edit.sid,
        change_id=None if result == Result.DENIED else edit.change_id,
        changed_fields=names,
        reason=edit.reason,
        refers_to=edit.refers_to,
        payload=Payload(
            friendly_name=flow.friendly_name, contact_identity=flow.contact_identity, **payload
        ),
    )


def _store(sid: str, account_sid: str, details: Details) -> None:
    """Replace the rows of a flow. A flow without owner, tags and note has none."""
    rows = LocalDetails.objects.filter(sid=sid)
    if not details:
        rows.delete()
        return
    values = {"owner": details.owner, "owner_folded": fold(details.owner), "note": details.note}
    row, _ = LocalDetails.objects.update_or_create(
        sid=sid, defaults={"account_sid": account_sid, **values}
    )
    row.tags.exclude(name__in=details.tags).delete()
    existing_tags = set(row.tags.values_list("name", flat=True))
    FlowTag.objects.bulk_create(
        FlowTag(details=row, account_sid=account_sid, name=name, name_folded=fold(name))
        for name in details.tags
        if name not in existing_tags
    )
