"""Calls that read and change the owner, tags and note of a flow, which are kept here only."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Body, Header, Path, Router, Schema
from pydantic import Field as SchemaField

from flows.api.access import require_change, visible_flow
from flows.api.change_results import change_body, refused_response
from flows.api.paging import json_response
from flows.api.problems import Problem, check_version, clean_reason, invalid
from flows.api.replays import find_replay, get_sender
from flows.api.schemas import (
    ChangeBody,
    ChangeHeaders,
    FlowSid,
    Reason,
    StrictSchema,
    responses,
)
from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.availability.restrictions import OperationUnavailable
from flows.local_details import fields, reading, services
from flows.local_details.actions import LocalDetailsAction
from flows.local_details.fields import Details, InvalidDetail

router = Router(tags=["Flows"])


class DetailsBody(Schema):
    """The owner, tags and note of a flow."""

    owner: str
    tags: list[str]
    note: str


class ChangedDetails(DetailsBody):
    """The details after a change. Without a difference, `change` is null."""

    change: ChangeBody | None = None


class DetailsEdit(StrictSchema):
    """The details to set. Those that the body doesn't have stay as they are."""

    owner: str | None = None
    tags: Annotated[list[str] | None, SchemaField(description="All tags of the flow.")] = None
    note: str | None = None
    reason: Reason = ""


@router.get(
    "flows/{sid}/details",
    response=responses({200: DetailsBody}),
    summary="Read owner, tags and note",
)
def read_details(request: HttpRequest, sid: Path[FlowSid]) -> HttpResponse:
    """Return the owner, tags and note of a flow, also of a deleted one."""
    visible_flow(request, sid, is_deleted_allowed=True)
    return _details_response(reading.load_details(sid))


@router.patch(
    "flows/{sid}/details",
    response=responses({200: ChangedDetails}, is_change=True),
    summary="Change owner, tags and note",
)
def edit_details(
    request: HttpRequest,
    sid: Path[FlowSid],
    body: Body[DetailsEdit],
    headers: Header[ChangeHeaders],
) -> HttpResponse:
    """Change the owner, tags or note. Nothing is sent to Twilio."""
    change_id = headers.idempotency_key or uuid.uuid4()
    replay = find_replay(request, change_id, LocalDetailsAction.CHANGE, sid)
    if replay is not None:
        return _replayed_response(replay)
    flow = visible_flow(request, sid, is_deleted_allowed=True)
    api_request = require_change(
        request, "flows.change_flow", flow.account_sid, action=LocalDetailsAction.CHANGE, sid=sid
    )
    current = reading.load_details(sid)
    check_version(_etag_of(current), headers.if_match)
    values = _clean_values(body, current)
    try:
        change = services.change_details(
            sid=sid,
            account_sid=flow.account_sid,
            base=current,
            values=values,
            reason=clean_reason(body.reason),
            actor=get_sender(api_request),
            change_id=change_id,
        )
    except services.DetailsUnchanged:
        return _details_response(current, change=None)
    except services.DetailsConflict as conflict:
        message = "Someone else changed it in the meantime."
        errors = {name: [message] for name in conflict.names}
        detail = f"{message} Nothing was changed."
        raise Problem(409, detail, code="conflict", errors=errors) from None
    except audit_log.AlreadyRecorded as earlier:
        return _replayed_response(earlier.event)
    except OperationUnavailable as refusal:
        return refused_response(refusal, "change the owner, tags and note")
    merged = change_body(change.event, merged_fields=change.merged_names)
    return _details_response(reading.load_details(sid), change=merged)


def _etag_of(details: Details) -> str:
    text = json.dumps(details.as_values(), sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _details_response(details: Details, **members: Any) -> HttpResponse:
    response = json_response({**details.as_values(), **members})
    response["ETag"] = _etag_of(details)
    return response


def _replayed_response(event: AuditEvent) -> HttpResponse:
    details = reading.load_details(event.target_sid)
    response = _details_response(details, change=change_body(event))
    response["Idempotency-Replayed"] = "true"
    return response


def _clean_values(body: DetailsEdit, current: Details) -> dict[str, Any]:
    """Return all details with those of the body. Raise `Problem`."""
    sent = body.dict(exclude_unset=True, exclude={"reason"})
    values: dict[str, Any] = dict(current.as_values())
    errors: dict[str, list[str]] = {}
    cleaners: dict[str, Callable[[str], Any]] = {
        "owner": fields.clean_owner,
        "tags": partial(fields.clean_tags, limit=fields.tag_limit(current)),
        "note": fields.clean_note,
    }
    for name, value in sent.items():
        text = ", ".join(value or ()) if name == "tags" else value or ""
        try:
            values[name] = cleaners[name](text)
        except InvalidDetail as error:
            errors[name] = [str(error)]
    if errors:
        raise invalid(errors)
    return {**values, "tags": list(values["tags"])}
