"""Calls that read change requests and take their steps, as the pages under /requests/ do."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Query, Router, Schema
from pydantic import Field as SchemaField

from flows.accounts.permissions import has_permission
from flows.accounts.twilio_accounts import Scope
from flows.api.access import chosen_accounts, require_change, require_scope
from flows.api.paging import json_response, query_page
from flows.api.problems import Problem, clean_form
from flows.api.request_bodies import (
    ChangeRequestBody,
    ChangeRequestDetail,
    detail_response,
    request_body,
)
from flows.api.schemas import (
    PageParameters,
    Reason,
    StrictSchema,
    responses,
)
from flows.approvals import applying, reading, requests
from flows.approvals.actions import RequestAction
from flows.approvals.contents import resource_of
from flows.approvals.forms import BypassForm, CommentForm, RevisionForm, StepForm
from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.transitions import TransitionNotAllowed
from flows.approvals.views.policies import SET_PERMISSION
from flows.approvals.views.request_context import CHANGE_PERMISSION
from flows.audit.access import Request, get_actor, record_denial
from flows.changes import failure_messages
from flows.changes.change_guard import SecretInRequest
from flows.changes.operations import NothingToChange
from flows.twilio.errors import FlexError

router = Router(tags=["Change requests"])


class RequestParameters(PageParameters):
    """The parameters of the list of change requests."""

    status: Annotated[RequestStatus | None, SchemaField(description="A status.")] = None
    waiting: Annotated[
        bool, SchemaField(description="true for requests that wait for the token's user.")
    ] = False


class ChangeRequestPage(Schema):
    items: list[ChangeRequestBody]
    next_cursor: str | None = None


class StepBody(StrictSchema):
    """A step of a request. A rejection, a comment and breaking glass need the comment."""

    content_hash: Annotated[
        str, SchemaField(description="The “content_hash” of the request as you read it.")
    ] = ""
    comment: Reason = ""


class RevisionBody(StrictSchema):
    """New values for the fields of a request."""

    content_hash: str
    values: Annotated[dict[str, Any], SchemaField(description="Values by field.")]
    reason: Reason = ""


@router.get("requests", response=responses({200: ChangeRequestPage}), summary="List requests")
def list_requests(request: HttpRequest, parameters: Query[RequestParameters]) -> HttpResponse:
    """List change requests, the latest first."""
    api_request = require_scope(request)
    change_requests = reading.visible_requests(api_request.scope)
    if parameters.waiting:
        change_requests = reading.waiting_for(api_request.user, api_request.scope)
    if parameters.status:
        change_requests = change_requests.filter(status=parameters.status)
    if parameters.account:
        chosen_accounts(parameters.account, api_request.scope)
        change_requests = change_requests.filter(account_sid=parameters.account)
    latest = change_requests.order_by("-created_at", "-pk")
    page, next_cursor = query_page(latest, parameters.cursor, parameters.limit, name="requests")
    return json_response({"items": list(map(request_body, page)), "next_cursor": next_cursor})


@router.get(
    "requests/{uuid:request_id}",
    response=responses({200: ChangeRequestDetail}),
    summary="Read a request",
)
def read_request(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Return a change request with its approvals."""
    return detail_response(visible_request(require_scope(request).scope, request_id))


@router.patch(
    "requests/{uuid:request_id}",
    response=responses({200: ChangeRequestDetail}, is_change=True),
    summary="Edit a request",
)
def edit_request(
    request: HttpRequest, request_id: uuid.UUID, body: Body[RevisionBody]
) -> HttpResponse:
    """Replace values of an own request. All of its approvals are void then."""
    change_request = visible_request(require_scope(request).scope, request_id)
    form = _revision_form(change_request, body)

    def revise(api_request: Request) -> None:
        clean_form(form)
        requests.revise(
            request_id,
            content_hash=body.content_hash,
            values=form.values,
            reason=form.cleaned_data["reason"],
            actor=get_actor(api_request),
        )

    return take_step(request, request_id, RequestAction.REVISE, revise)


@router.post(
    "requests/{uuid:request_id}/approve",
    response=responses({200: ChangeRequestDetail}, is_change=True),
    summary="Approve a request",
)
def approve_request(
    request: HttpRequest, request_id: uuid.UUID, body: Body[StepBody]
) -> HttpResponse:
    """Approve the content with this hash. No one approves their own request."""

    def approve(api_request: Request) -> None:
        values = clean_form(StepForm(body.dict()))
        requests.approve(request_id, **values, actor=get_actor(api_request))

    return take_step(request, request_id, RequestAction.APPROVE, approve)


@router.post(
    "requests/{uuid:request_id}/reject",
    response=responses({200: ChangeRequestDetail}, is_change=True),
    summary="Reject a request",
)
def reject_request(
    request: HttpRequest, request_id: uuid.UUID, body: Body[StepBody]
) -> HttpResponse:
    """Reject the content with this hash, with a comment."""

    def reject(api_request: Request) -> None:
        values = clean_form(CommentForm(body.dict()))
        requests.reject(request_id, **values, actor=get_actor(api_request))

    return take_step(request, request_id, RequestAction.REJECT, reject)


@router.post(
    "requests/{uuid:request_id}/comment",
    response=responses({200: ChangeRequestDetail}, is_change=True),
    summary="Comment on a request",
)
def comment_on_request(
    request: HttpRequest, request_id: uuid.UUID, body: Body[StepBody]
) -> HttpResponse:
    """Add a comment."""

    def comment(api_request: Request) -> None:
        text = clean_form(CommentForm(body.dict()))["comment"]
        requests.comment_on(request_id, comment=text, actor=get_actor(api_request))

    return take_step(request, request_id, RequestAction.COMMENT, comment)


@router.post(
    "requests/{uuid:request_id}/cancel",
    response=responses({200: ChangeRequestDetail}, is_change=True),
    summary="Cancel a request",
)
def cancel_request(
    request: HttpRequest, request_id: uuid.UUID, body: Body[StepBody]
) -> HttpResponse:
    """Cancel an own request, as an administrator any, before it starts."""

    def cancel(api_request: Request) -> None:
        user, account_sid = api_request.user, api_request.account_sid
        requests.cancel(
            request_id,
            comment=clean_form(StepForm(body.dict()))["comment"],
            actor=get_actor(api_request),
            is_administrator=has_permission(user, SET_PERMISSION, account_sid),
        )

    return take_step(request, request_id, RequestAction.CANCEL, cancel)


@router.post(
    "requests/{uuid:request_id}/apply",
    response=responses({200: ChangeRequestDetail, 202: ChangeRequestDetail}, is_change=True),
    summary="Apply an approved request",
)
def apply_request(
    request: HttpRequest, request_id: uuid.UUID, body: Body[StepBody]
) -> HttpResponse:
    """Send the change. 202 means that its outcome isn't known yet: read the request again."""

    def apply(api_request: Request) -> None:
        clean_form(StepForm(body.dict()))
        _send(api_request, request_id, body.content_hash)

    return take_step(request, request_id, RequestAction.APPLY, apply, is_sending=True)


@router.post(
    "requests/{uuid:request_id}/break-glass",
    response=responses({200: ChangeRequestDetail, 202: ChangeRequestDetail}, is_change=True),
    summary="Apply a request without approval",
)
def break_glass(request: HttpRequest, request_id: uuid.UUID, body: Body[StepBody]) -> HttpResponse:
    """Send the change without approval, at any hour. The comment is the reason."""

    def bypass(api_request: Request) -> None:
        reason = clean_form(BypassForm({**body.dict(), "confirm": True}))["comment"]
        _send(api_request, request_id, body.content_hash, reason)

    return take_step(
        request,
        request_id,
        RequestAction.BREAK_GLASS,
        bypass,
        permission=applying.BYPASS_PERMISSION,
        is_sending=True,
    )


def visible_request(scope: Scope, request_id: uuid.UUID) -> ChangeRequest:
    """Return a request in an account of the scope. Raise `Http404`."""
    change_request = reading.visible_requests(scope).filter(pk=request_id).first()
    if change_request is None:
        raise Http404("There is no such change request.")
    return change_request


def take_step(
    request: HttpRequest,
    request_id: uuid.UUID,
    action: str,
    step: Callable[[Request], None],
    *,
    permission: str = CHANGE_PERMISSION,
    is_sending: bool = False,
) -> HttpResponse:
    """Take a step and return the request as it is then. Raise `Problem` if nothing was changed."""
    change_request = visible_request(require_scope(request).scope, request_id)
    api_request = require_change(
        request, permission, change_request.account_sid, action=action, request_id=request_id
    )
    try:
        step(api_request)
    except requests.ContentChanged:
        detail = "The request has another content now. Read it again. Nothing was changed."
        raise Problem(409, detail, code="content_changed") from None
    except TransitionNotAllowed:
        detail = "The status of the request doesn't allow this step. Nothing was changed."
        raise Problem(409, detail, code="wrong_status") from None
    except requests.NotPermitted as refusal:
        record_denial(api_request, action, {"request_id": request_id})
        raise Problem(403, str(refusal), code="forbidden") from None
    except NothingToChange:
        detail = "Twilio has these values already. The request was not changed."
        raise Problem(409, detail, code="already_set") from None
    except SecretInRequest as secret:
        detail = f"A change request stores no secrets. Remove the new secret from {secret.labels}."
        raise Problem(422, detail, code="secret_in_request") from None
    except FlexError as error:
        raise _unreadable(error) from None
    changed = ChangeRequest.objects.get(pk=request_id)
    if is_sending:
        _require_success(changed)
    return detail_response(changed)


def _send(
    request: Request, request_id: uuid.UUID, content_hash: str, bypass_reason: str = ""
) -> None:
    applying.apply(
        request_id,
        content_hash=content_hash,
        user=request.user,
        actor=get_actor(request),
        bypass_reason=bypass_reason,
    )


def _require_success(change_request: ChangeRequest) -> None:
    """Raise `Problem` unless the change was made, or its outcome isn't known yet."""
    if change_request.status in (RequestStatus.DONE, RequestStatus.IN_PROGRESS):
        return
    is_refused = change_request.status == RequestStatus.FAILED
    sentence = "The change failed." if is_refused else "Nothing was sent."
    raise Problem(
        422 if is_refused else 409,
        f"{sentence} {change_request.note}".strip(),
        code=change_request.status,
        request=request_body(change_request),
    )


def _unreadable(error: FlexError) -> Problem:
    problem = failure_messages.change_failed(error, task="edit the request", is_sent=False)
    return Problem(502, f"{problem.notice} {problem.text}".strip(), code="unreadable")


def _revision_form(change_request: ChangeRequest, body: RevisionBody) -> RevisionForm:
    """Return the page's form with the body's values, and those of the request for the others."""
    resource = resource_of(change_request)
    unknown = body.values.keys() - (change_request.requested or {}).keys()
    if unknown:
        message = "This field is not part of the request."
        raise Problem(
            422,
            "Some values are invalid. Nothing was changed.",
            code="invalid",
            errors={name[:100]: [message] for name in sorted(unknown)},
        )
    values = {**(change_request.requested or {}), **body.values}
    data = {name: resource.to_input(name, value) for name, value in values.items()}
    reason = body.reason or change_request.reason
    return RevisionForm({**data, "reason": reason}, request=change_request)
