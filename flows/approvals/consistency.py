"""Checks of policies and change requests against the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.db.models import Max

from flows.approvals.actions import PolicyAction, RequestAction
from flows.approvals.models import Approval, ChangePolicy, ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.audit.consistency import missing_unique_keys
from flows.audit.models import AuditEvent, Result
from flows.core.database import split_batches

# Their events have the content of the request in the place of its status.
_CONTENT_ACTIONS: Final = (RequestAction.SUBMIT, RequestAction.REVISE)
_FIRST_STATUSES: Final = (RequestStatus.IN_REVIEW, RequestStatus.APPROVED)


def policies() -> Iterator[str]:
    """Compare the policy of each account with the last event that set one."""
    events = AuditEvent.objects.filter(action=PolicyAction.SET, result=Result.SUCCEEDED)
    latest = {event.account_sid: event.event_id for event in events.order_by("seq")}
    stored = dict(ChangePolicy.objects.values_list("account_sid", "event_id"))
    for account_sid in sorted({*latest, *stored}):
        if latest.get(account_sid) != stored.get(account_sid):
            yield f"The policy of account {account_sid} is not the one in the log."


def change_requests() -> Iterator[str]:
    """Compare the status of each change request with its last event.

    A wrong status would let a change be sent that was rejected, or hide one that was sent.
    """
    last_events = _load_last_events()
    requests = ChangeRequest.objects.in_bulk()
    for request_id in last_events.keys() - requests.keys():
        yield f"Change request {request_id} is in the log only."
        return
    for request in requests.values():
        event = last_events.get(request.pk)
        if event is None or not _is_recorded(event, request):
            yield f"Change request {request.pk} has the wrong status {request.status}."
            return


def unique_keys() -> Iterator[str]:
    """Check that the database has the unique keys that the models declare."""
    yield from missing_unique_keys(ChangeRequest, Approval)


def _load_last_events() -> dict[object, AuditEvent]:
    """Return the last event of each change request, by the request's id."""
    events = AuditEvent.objects.filter(action__in=list(RequestAction), result=Result.SUCCEEDED)
    seqs = events.order_by().values_list("request_id").annotate(last=Max("seq"))
    last_events: dict[object, AuditEvent] = {}
    for batch in split_batches([seq for request_id, seq in seqs if request_id is not None]):
        for event in AuditEvent.objects.filter(pk__in=batch).select_related("payload"):
            last_events[event.request_id] = event
    return last_events


def _is_recorded(event: AuditEvent, request: ChangeRequest) -> bool:
    """Return False if an event recorded another status. One whose data was erased has none."""
    if event.action in _CONTENT_ACTIONS:
        return request.status in _FIRST_STATUSES
    payload = event.stored_payload
    details: Mapping[str, Any] = (payload.requested if payload else None) or {}
    recorded = details.get("Status")
    return recorded in (None, request.get_status_display())
