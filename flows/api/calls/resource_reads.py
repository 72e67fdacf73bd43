"""Calls that read the other resources of the Flex API, as the pages under /flex/ do.

Each is read from Twilio at the time of the call. The calls are the same for each resource.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import ConfigDict
from pydantic import Field as SchemaField

from flows.accounts import twilio_accounts
from flows.accounts.clients import READ_DEADLINE
from flows.accounts.permissions import resource_permission
from flows.api.access import require_scope
from flows.api.paging import decode_cursor, encode_cursor, invalid_cursor, json_response
from flows.api.problems import Problem, invalid
from flows.api.schemas import Cursor, ProblemBody, responses
from flows.audit.access import Request
from flows.changes import failure_messages
from flows.mirror import flow_reads, live
from flows.redaction.redacted import redact_snapshot
from flows.resources import refusals
from flows.resources.list_filter import ListFilter
from flows.twilio.errors import FlexError
from flows.twilio.flex_resources import PAGE_RESOURCES
from flows.twilio.paging import FIRST_PAGE, PageCursor, parse_cursor
from flows.twilio.resource import Resource, Snapshot

# Also of the calls that change objects: a path has one router.
router = Router(tags=["Other resources"])
RESOURCES: Final = {resource.name: resource for resource in PAGE_RESOURCES}
FILTER_NAMES: Final = sorted({one.filter_field.name for one in PAGE_RESOURCES if one.filter_field})
MAX_PAGE_SIZE: Final = 100  # of Twilio's lists

ResourceName = Annotated[str, SchemaField(description=f"The resource: {', '.join(RESOURCES)}.")]
ObjectSid = Annotated[
    str, SchemaField(pattern=r"^[A-Z]{2}[0-9a-fA-F]{32}$", description="The object's SID.")
]


class ObjectParameters(Schema):
    """The parameters of a call about one object."""

    account: Annotated[
        str, SchemaField(description="An account's SID. Required with several accounts.")
    ] = ""
    parent: Annotated[
        str, SchemaField(description="The SID of the object that it belongs to, such as a plugin.")
    ] = ""


class ListParameters(ObjectParameters):
    """The parameters of a list, with the filters of the resources' pages.

    Each resource takes its own filter only.
    """

    type: Annotated[
        str, SchemaField(description="A type, such as “sms”. Only for address_configuration.")
    ] = ""
    cursor: Cursor = ""
    limit: Annotated[int, SchemaField(ge=1, le=MAX_PAGE_SIZE)] = 50


class ResourceField(Schema):
    name: str
    label: str
    kind: str
    is_set_on_create: bool
    is_set_on_update: bool


class ResourceBody(Schema):
    """A resource with its operations and its fields."""

    name: str
    title: str
    parent: str | None
    operations: list[str]
    fields: list[ResourceField]


class ResourceList(Schema):
    items: list[ResourceBody]
    next_cursor: str | None = None


class ObjectBody(Schema):
    """An object as Twilio has it, with its secrets masked."""

    model_config = ConfigDict(extra="allow")

    sid: str


class ObjectPage(Schema):
    items: list[dict[str, Any]]
    next_cursor: str | None = None


@router.get("resources", response=responses({200: ResourceList}), summary="List resources")
def list_resources(request: HttpRequest) -> HttpResponse:
    """List the resources with the operations and the fields that they have."""
    require_scope(request)
    items = [_resource_body(resource) for resource in PAGE_RESOURCES]
    return json_response({"items": items, "next_cursor": None})


@router.get(
    "resources/{name}",
    response=responses({200: ObjectPage, 502: ProblemBody}),
    summary="List objects",
)
def list_objects(
    request: HttpRequest, name: Path[ResourceName], parameters: Query[ListParameters]
) -> HttpResponse:
    """List the objects of an account as Twilio has them now."""
    resource = find_resource(name, "list")
    api_request = readable_account(request, resource, parameters)
    list_filter = _read_filter(resource, parameters)
    cursor = _decode_page(parameters.cursor)
    try:
        page = live.list_page(
            resource,
            api_request.account_sid,
            cursor,
            page_size=parameters.limit,
            parent_sid=api_request.parent_sid,
            filters=list_filter.twilio_parameters,
        )
    except FlexError as error:
        if cursor == FIRST_PAGE and not list_filter.value and resource.parent is None:
            refusals.record_listing(resource, api_request.account_sid, error)
        problem = failure_messages.list_failed(error, resource)
        raise Problem(502, problem.text, title=problem.title, code="unreadable") from None
    items = [redact_snapshot(each) for each in page.objects]
    return json_response({"items": items, "next_cursor": _encode_page(page.next_page)})


@router.get(
    "resources/{name}/{sid}",
    response=responses({200: ObjectBody, 502: ProblemBody}),
    summary="Read an object",
)
def read_object(
    request: HttpRequest,
    name: Path[ResourceName],
    sid: Path[ObjectSid],
    parameters: Query[ObjectParameters],
) -> HttpResponse:
    """Return an object as Twilio has it now. Its ETag is the version to change."""
    resource = find_resource(name, "fetch")
    api_request = readable_account(request, resource, parameters)
    return object_response(fetch_object(api_request, resource, sid))


def find_resource(name: str, operation: str) -> Resource:
    """Return the resource with this name, which has the operation. Raise `Http404`."""
    resource = RESOURCES.get(name)
    if resource is None:
        raise Http404("There is no such resource.")
    if operation not in resource.operations:
        raise Http404(f"Twilio's {resource.plural} have no operation “{operation}”.")
    return resource


def readable_account(
    request: HttpRequest, resource: Resource, parameters: ObjectParameters
) -> Request:
    """Return the request with the account and the parent of the call. Raise `Problem`.

    Raise `PermissionDenied` if its user may see the resource in no account.
    """
    api_request = require_scope(
        request, resource_permission(resource, "view"), action=resource.action("view")
    )
    accounts = twilio_accounts.visible_accounts(api_request.scope)
    sids = [account.sid for account in accounts]
    account_sid = parameters.account or (sids[0] if len(sids) == 1 else "")
    if account_sid not in sids:
        raise invalid({"account": ["Send the SID of one of your accounts."]})
    if resource.parent is not None and not resource.parent.is_sid(parameters.parent):
        message = f"Send the SID of the {resource.parent.noun}."
        raise invalid({"parent": [message]})
    api_request.account_sid = account_sid
    api_request.parent_sid = parameters.parent if resource.parent is not None else ""
    return api_request


def fetch_object(request: Request, resource: Resource, sid: str) -> Snapshot:
    """Return an object as Twilio has it now. Raise `Http404`, or `Problem` if it can't be read."""
    is_own = not resource.is_singleton or sid == request.account_sid
    if not resource.is_sid(sid) or not is_own:
        raise Http404(f"This is not the SID of {resource.noun_with_article}.")
    try:
        return live.fetch(
            resource,
            sid,
            account_sid=request.account_sid,
            parent_sid=request.parent_sid,
            deadline=READ_DEADLINE,
        )
    except FlexError as error:
        if flow_reads.is_not_found(error):
            raise Http404(f"Twilio has no such {resource.noun}.") from None
        problem = failure_messages.read_failed(error, fallback="", resource=resource)
        raise Problem(502, problem.text, title=problem.title, code="unreadable") from None


def object_response(snapshot: Snapshot, **members: Any) -> HttpResponse:
    """Return an object with its ETag, and with further members."""
    response = json_response({**redact_snapshot(snapshot), **members})
    response["ETag"] = etag_of_object(snapshot)
    return response


def etag_of_object(snapshot: Mapping[str, Any]) -> str:
    """Return the ETag of an object. Equal versions have equal ETags."""
    text = json.dumps(redact_snapshot(snapshot), sort_keys=True, default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _read_filter(resource: Resource, parameters: ListParameters) -> ListFilter:
    """Return the filter of a list. Raise `Problem` for a filter or a value that it doesn't have."""
    values = {name: getattr(parameters, name) for name in FILTER_NAMES}
    field = resource.filter_field
    for name, value in values.items():
        if not value:
            continue
        if field is None or field.name != name:
            raise invalid({name: [f"The list of {resource.noun_plural} has no such filter."]})
        if value not in field.choices:
            raise invalid({name: [f"Choose one of {', '.join(field.choices)}."]})
    return ListFilter.from_query(resource, values)


def _resource_body(resource: Resource) -> dict[str, Any]:
    on_create = {field.name for field in resource.fields_set_by("create")}
    on_update = {field.name for field in resource.fields_set_by("update")}
    return {
        "name": resource.name,
        "title": resource.title,
        "parent": resource.parent.name if resource.parent else None,
        "operations": sorted(resource.operations),
        "fields": [
            {
                "name": field.name,
                "label": field.label,
                "kind": field.kind,
                "is_set_on_create": "create" in resource.operations and field.name in on_create,
                "is_set_on_update": "update" in resource.operations and field.name in on_update,
            }
            for field in resource.fields
        ],
    }


def _encode_page(cursor: PageCursor | None) -> str | None:
    if cursor is None:
        return None
    return encode_cursor(json.dumps([cursor.number, cursor.token]))


def _decode_page(cursor: str) -> PageCursor:
    """Return Twilio's position of a cursor. Raise `Problem`."""
    position = decode_cursor(cursor)
    if not position:
        return FIRST_PAGE
    try:
        values = json.loads(position)
    except (ValueError, RecursionError):
        raise invalid_cursor() from None
    match values:
        case [str() as number, str() as token]:
            page_cursor = parse_cursor(number, token)
        case _:
            page_cursor = None
    if page_cursor is None:
        raise invalid_cursor()
    return page_cursor
