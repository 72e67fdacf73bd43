"""Calls that create, change, archive and delete objects of the other resources.

They follow the same write protocol as those of flows. `If-Match` is the version that the client has
seen, and `Idempotency-Key` the change's id.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Body, Header, Path, Query
from pydantic import Field as SchemaField

from flows.accounts.permissions import resource_permission
from flows.api.access import require_change
from flows.api.calls.resource_reads import (
    ObjectBody,
    ObjectParameters,
    ObjectSid,
    ResourceName,
    etag_of_object,
    fetch_object,
    find_resource,
    object_response,
    readable_account,
    router,
)
from flows.api.change_results import replayed_response, submit
from flows.api.paging import json_response
from flows.api.problems import check_version, clean_reason, invalid
from flows.api.replays import find_replay, get_sender
from flows.api.schemas import (
    ChangeBody,
    ChangeHeaders,
    ChangeParameters,
    CreationHeaders,
    DryRun,
    Reason,
    Requested,
    StrictSchema,
    responses,
)
from flows.audit.access import Request
from flows.changes import operations
from flows.changes.cleaning import clean
from flows.redaction.redacted import redact_fields
from flows.resources import consequences
from flows.twilio.fields import Field
from flows.twilio.resource import Resource, Snapshot

NESTED_KINDS: Final = ("json", "json_list", "sids", "choices")  # whose values have parts


class ObjectChangeParameters(ObjectParameters, ChangeParameters):
    """The parameters of a change."""


class ObjectDeletionParameters(ObjectChangeParameters):
    """The parameters of a deletion or an archiving."""

    reason: Reason = ""


class ObjectEdit(StrictSchema):
    """The fields to set."""

    values: Annotated[
        dict[str, Any], SchemaField(description="Values by field, as `GET resources` names them.")
    ]
    reason: Reason = ""


class ChangedObject(ObjectBody):
    """An object after a change. Without a change, because it had the values, `change` is null."""

    change: ChangeBody | None = None


@router.post(
    "resources/{name}",
    response=responses(
        {200: DryRun, 201: ChangedObject, 202: ChangeBody | Requested}, is_change=True
    ),
    summary="Create an object",
)
def create_object(
    request: HttpRequest,
    name: Path[ResourceName],
    body: Body[ObjectEdit],
    headers: Header[CreationHeaders],
    parameters: Query[ObjectChangeParameters],
) -> HttpResponse:
    """Create an object. 202 means that the outcome isn't known yet: read the change again."""
    resource = find_resource(name, "create")
    change_id = headers.idempotency_key or uuid.uuid4()
    replay = find_replay(request, change_id, resource.action("create"))
    if replay is not None:
        return replayed_response(replay)
    api_request = _permitted_request(request, resource, parameters, "create")
    values = _clean_values(resource, body.values, None)
    reason = clean_reason(body.reason)
    if parameters.dry_run:
        return _dry_run_response(api_request, resource, Snapshot({}), values)
    return submit(
        lambda: operations.create(
            resource,
            values=values,
            reason=reason,
            change_id=change_id,
            actor=get_sender(api_request),
            account_sid=api_request.account_sid,
            parent_sid=api_request.parent_sid,
        ),
        task=f"create the {resource.noun}",
        resource=resource,
        as_request=parameters.as_request,
    )


@router.patch(
    "resources/{name}/{sid}",
    response=responses({200: ChangedObject | DryRun, 202: ChangeBody | Requested}, is_change=True),
    summary="Change an object",
)
def edit_object(
    request: HttpRequest,
    name: Path[ResourceName],
    sid: Path[ObjectSid],
    body: Body[ObjectEdit],
    headers: Header[ChangeHeaders],
    parameters: Query[ObjectChangeParameters],
) -> HttpResponse:
    """Change the fields that `values` has. Others keep their values; null clears a field."""
    resource = find_resource(name, "update")
    change_id = headers.idempotency_key or uuid.uuid4()
    replay = find_replay(request, change_id, resource.action("update"), sid)
    if replay is not None:
        return replayed_response(replay)
    api_request = _permitted_request(request, resource, parameters, "update", sid)
    current = _fetch_version(api_request, resource, sid, headers)
    values = _clean_values(resource, body.values, current)
    reason = clean_reason(body.reason)
    if parameters.dry_run:
        return _dry_run_response(api_request, resource, current, values)
    return submit(
        lambda: operations.update(
            resource,
            sid=sid,
            base=current,
            values=values,
            reason=reason,
            change_id=change_id,
            actor=get_sender(api_request),
            account_sid=api_request.account_sid,
            parent_sid=api_request.parent_sid,
        ),
        task=f"change the {resource.noun}",
        sid=sid,
        resource=resource,
        unchanged=lambda: object_response(current, change=None),
        as_request=parameters.as_request,
    )


@router.delete(
    "resources/{name}/{sid}",
    response=responses({200: DryRun, 202: ChangeBody | Requested, 204: None}, is_change=True),
    summary="Delete an object",
)
def delete_object(
    request: HttpRequest,
    name: Path[ResourceName],
    sid: Path[ObjectSid],
    headers: Header[ChangeHeaders],
    parameters: Query[ObjectDeletionParameters],
) -> HttpResponse:
    """Delete an object, unless someone changed it since you read it."""
    return _end_object(request, name, sid, "delete", headers, parameters)


@router.post(
    "resources/{name}/{sid}/archive",
    response=responses({200: ChangedObject | DryRun, 202: ChangeBody | Requested}, is_change=True),
    summary="Archive an object",
)
def archive_object(
    request: HttpRequest,
    name: Path[ResourceName],
    sid: Path[ObjectSid],
    headers: Header[ChangeHeaders],
    parameters: Query[ObjectDeletionParameters],
) -> HttpResponse:
    """Archive an object, which can't be undone."""
    return _end_object(request, name, sid, "archive", headers, parameters)


def _end_object(
    request: HttpRequest,
    name: str,
    sid: str,
    operation: str,
    headers: ChangeHeaders,
    parameters: ObjectDeletionParameters,
) -> HttpResponse:
    """Delete or archive an object."""
    resource = find_resource(name, operation)
    change_id = headers.idempotency_key or uuid.uuid4()
    replay = find_replay(request, change_id, resource.action(operation), sid)
    if replay is not None:
        return replayed_response(replay)
    api_request = _permitted_request(request, resource, parameters, operation, sid)
    current = _fetch_version(api_request, resource, sid, headers)
    reason = clean_reason(parameters.reason)
    if parameters.dry_run:
        no_values: dict[str, Any] = dict.fromkeys(current) if operation == "delete" else {}
        return _dry_run_response(api_request, resource, current, no_values or operations.ARCHIVED)
    send = operations.delete if operation == "delete" else operations.archive
    return submit(
        lambda: send(
            resource,
            sid=sid,
            base=current,
            reason=reason,
            change_id=change_id,
            actor=get_sender(api_request),
            account_sid=api_request.account_sid,
            parent_sid=api_request.parent_sid,
        ),
        task=f"{operation} the {resource.noun}",
        sid=sid,
        resource=resource,
        unchanged=lambda: object_response(current, change=None),
        as_request=parameters.as_request,
    )


def _permitted_request(
    request: HttpRequest,
    resource: Resource,
    parameters: ObjectParameters,
    operation: str,
    sid: str = "",
) -> Request:
    """Return the request with its account, where its user may change the resource."""
    api_request = readable_account(request, resource, parameters)
    permission = resource_permission(resource, "change")
    action = resource.action(operation)
    return require_change(request, permission, api_request.account_sid, action=action, sid=sid)


def _fetch_version(
    request: Request, resource: Resource, sid: str, headers: ChangeHeaders
) -> Snapshot:
    """Return the object as Twilio has it, which the client has seen. Raise `Problem`."""
    current = fetch_object(request, resource, sid)
    check_version(etag_of_object(current), headers.if_match)
    return current


def _clean_values(
    resource: Resource, sent: Mapping[str, Any], current: Snapshot | None
) -> dict[str, Any]:
    """Return the validated values of a new object, or those to set in one. Raise `Problem`."""
    settable = {
        field.name for field in resource.fields_set_by("create" if current is None else "update")
    }
    unknown = [name for name in sent if name not in settable]
    if unknown:
        raise invalid({name[:100]: ["This field can't be set."] for name in unknown})
    nested = [name for name in sent if _is_nested_wrongly(resource.field(name), sent[name])]
    if nested:
        raise invalid({name: ["Send one value."] for name in nested})
    result = clean(resource, sent, current=current)
    errors = {name: [message] for name, message in result.errors.items()}
    for name, value in sent.items():
        if value is not None and name not in result.values and name not in errors:
            label = resource.label_of(name)
            errors[name] = [f"{label} doesn't apply to this {resource.noun}."]
    if errors:
        raise invalid(errors)
    return {name: result.values[name] for name in sent if name in result.values}


def _is_nested_wrongly(field: Field, value: Any) -> bool:
    """Return True for an object or a list in place of one value."""
    return isinstance(value, dict | list) and field.kind not in NESTED_KINDS


def _dry_run_response(
    request: Request, resource: Resource, current: Snapshot, values: Mapping[str, Any]
) -> HttpResponse:
    """Return the differences between an object and its new values, and warnings about them."""
    before, after = redact_fields(dict(current)), redact_fields(dict(values))
    names = [name for name in values if before.get(name) != after.get(name)]
    differences = [
        {"field": name, "current": before.get(name), "new": after.get(name)} for name in names
    ]
    changed = {**current, **values}
    warnings = consequences.find_warnings(resource, request.account_sid, current, changed)
    return json_response({"dry_run": True, "differences": differences, "warnings": warnings})
