"""The content of a change request: what an approval is of, and what may be sent."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet

from flows.approvals.bulk_contents import summary_kinds
from flows.approvals.change_kinds import ChangeKind, kinds_of
from flows.approvals.models import ChangeRequest
from flows.changes.change_guard import ProposedChange
from flows.mirror import live
from flows.redaction.redacted import redact_snapshot
from flows.twilio import registry
from flows.twilio.resource import Resource


def requested_owner(change_id: uuid.UUID) -> QuerySet[ChangeRequest, uuid.UUID]:
    """Find the request of a change (`flows.audit.reserved_ids`)."""
    return ChangeRequest.objects.filter(change_id=change_id).order_by().values_list("pk", flat=True)


def resource_of(request: ChangeRequest) -> Resource:
    return registry.resource_of_action(f"{request.resource}.")


def action_of(request: ChangeRequest) -> str:
    """Return the action of the requested change, such as "flow.update"."""
    return resource_of(request).action(request.operation)


def request_kinds(request: ChangeRequest) -> set[ChangeKind]:
    if request.plan_id:
        return summary_kinds(request)
    return kinds_of(resource_of(request), request.operation, request.before, request.requested)


def hash_content(request: ChangeRequest) -> str:
    """Return the SHA-256 of all that an approval is of: object, base state, new values and reason.

    Of a bulk change, the new values are a summary with the hash of all rows.
    """
    content = [
        request.account_sid,
        request.resource,
        request.operation,
        request.target_sid,
        request.parent_sid,
        request.before,
        request.requested,
        request.reason,
    ]
    if request.plan_id:
        content += [str(request.plan_id), request.friendly_name]
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def is_intact(request: ChangeRequest) -> bool:
    """Return False if the stored content is not the one that was submitted, as after an erasure."""
    return request.content_hash == hash_content(request)


def is_exactly(request: ChangeRequest, change: ProposedChange) -> bool:
    """Return True if a change is the request's content, with the base state that it was seen with."""
    is_same_object = (
        change.resource.name == request.resource
        and change.operation == request.operation
        and change.account_sid == request.account_sid
        and change.parent_sid == request.parent_sid
        and (request.operation == "create" or change.sid == request.target_sid)
        and change.reason == request.reason
    )
    if not is_same_object or redact_snapshot(change.requested) != request.requested:
        return False
    return not changed_fields(request, redact_snapshot(change.before))


def changed_fields(
    request: ChangeRequest,
    current: Mapping[str, Any] | None,
    *,
    base: Mapping[str, Any] | None = None,
) -> list[str]:
    """Return the names of the requested fields, of a deletion all, that differ from the base state.

    `current` is the object as it is now, masked. Nothing is known without it. The base state is the
    request's own, unless another is given.
    """
    if request.operation == "create" or current is None:
        return []
    resource = resource_of(request)
    base = base or request.before or {}
    names = {*base} if request.requested is None else {*request.requested}
    names -= set(resource.names_set_by_twilio)
    return resource.differing_fields(base, current, names)


def current_copy(request: ChangeRequest) -> Mapping[str, Any] | None:
    """Return the object as this site last stored it, masked, or None."""
    return live.last_copy(resource_of(request), request.target_sid) if request.target_sid else None
