"""Calls that read schedules and take their steps, as the pages under /schedules/ and of flows do."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Body, Header, Path, Query, Router, Schema
from pydantic import Field as SchemaField

from flows.api.access import chosen_accounts, require_change, require_scope, visible_flow
from flows.api.calls.change_requests import take_step
from flows.api.calls.flow_writes import clean_values
from flows.api.flow_bodies import etag_of
from flows.api.paging import json_response, query_page
from flows.api.problems import (
    Problem,
    check_version,
    clean_form,
    clean_reason,
    invalid,
    key_reused,
)
from flows.api.replays import check_same_request, get_sender
from flows.api.request_bodies import ChangeRequestDetail, detail_response
from flows.api.schedule_bodies import ListedSchedule, listed_schedule
from flows.api.schemas import (
    ChangeHeaders,
    FlowEdit,
    FlowSid,
    PageParameters,
    StrictSchema,
    responses,
)
from flows.approvals import applying
from flows.approvals.models import ChangeRequest
from flows.approvals.requests import FormReused, NotPermitted
from flows.audit.access import Request, get_actor
from flows.changes import change_guard
from flows.changes.change_guard import ProposedChange, SecretInRequest
from flows.schedules import services
from flows.schedules.actions import ScheduleAction
from flows.schedules.forms import ReturningScheduleForm, ScheduleForm
from flows.schedules.reading import visible_schedules
from flows.schedules.returning import NoReturn
from flows.schedules.schedule_status import ScheduleStatus
from flows.schedules.steps import StepNotAllowed
from flows.schedules.timing import DEFAULT_WINDOW
from flows.twilio.flex.flex_flow import FLEX_FLOW

router = Router(tags=["Schedules"])


class ScheduleParameters(PageParameters):
    """The parameters of the list of schedules."""

    status: Annotated[ScheduleStatus | None, SchemaField(description="A status.")] = None


class SchedulePage(Schema):
    items: list[ListedSchedule]
    next_cursor: str | None = None


class Times(StrictSchema):
    """The time of a change, and how many minutes later it may still start."""

    due_at: Annotated[
        str, SchemaField(description="A time of the time zone, such as 2026-12-24T18:00.")
    ]
    time_zone: Annotated[str, SchemaField(description="Such as Europe/Berlin.")]
    window: int = DEFAULT_WINDOW


class RequestTimes(Times):
    """The time of a change request."""

    content_hash: Annotated[
        str, SchemaField(description="The “content_hash” of the request as you read it.")
    ] = ""


class ScheduledEdit(Times):
    """A change of a flow, its time, and the time at which the present values return."""

    change: FlowEdit
    return_at: str = ""


@router.get("schedules", response=responses({200: SchedulePage}), summary="List schedules")
def list_schedules(request: HttpRequest, parameters: Query[ScheduleParameters]) -> HttpResponse:
    """List schedules, the next first."""
    scope = require_scope(request).scope
    chosen_accounts(parameters.account, scope)
    schedules = visible_schedules(scope).select_related("return_of")
    if parameters.status:
        schedules = schedules.filter(status=parameters.status)
    if parameters.account:
        schedules = schedules.filter(account_sid=parameters.account)
    page, next_cursor = query_page(schedules, parameters.cursor, parameters.limit, name="schedules")
    return json_response({"items": list(map(listed_schedule, page)), "next_cursor": next_cursor})


@router.put(
    "requests/{uuid:request_id}/schedule",
    response=responses({200: ChangeRequestDetail}, is_change=True),
    summary="Schedule a request",
)
def schedule_request(
    request: HttpRequest, request_id: uuid.UUID, body: Body[RequestTimes]
) -> HttpResponse:
    """Schedule a change request, or set another time. It is made with the rights of the token's user."""

    def schedule(api_request: Request) -> None:
        _require_rights(api_request, request_id)
        form = ScheduleForm(body.dict())
        clean_form(form)
        try:
            services.set_time(
                request_id,
                content_hash=body.content_hash,
                timing=form.timing,
                actor=get_actor(api_request),
            )
        except services.WrongOrder as refusal:
            raise invalid({"due_at": [str(refusal)]}) from None
        except StepNotAllowed:
            raise _wrong_status() from None

    return take_step(request, request_id, ScheduleAction.SET, schedule)


@router.delete(
    "requests/{uuid:request_id}/schedule",
    response=responses({200: ChangeRequestDetail}, is_change=True),
    summary="Cancel a schedule",
)
def cancel_schedule(request: HttpRequest, request_id: uuid.UUID) -> HttpResponse:
    """Cancel the schedule of a request, and that of its return. The requests stay open."""

    def cancel(api_request: Request) -> None:
        _require_rights(api_request, request_id)
        try:
            services.cancel(request_id, actor=get_actor(api_request))
        except StepNotAllowed:
            raise _wrong_status() from None

    return take_step(request, request_id, ScheduleAction.CANCEL, cancel)


@router.post(
    "flows/{sid}/scheduled-changes",
    response=responses({200: ChangeRequestDetail}, is_change=True),
    summary="Schedule a change of a flow",
)
def schedule_flow_change(
    request: HttpRequest,
    sid: Path[FlowSid],
    body: Body[ScheduledEdit],
    headers: Header[ChangeHeaders],
) -> HttpResponse:
    """Make a change request with a schedule, and with “return_at” also those of its return.

    The same Idempotency-Key leads to the same request.
    """
    flow = visible_flow(request, sid)
    api_request = require_change(
        request, "flows.change_flow", flow.account_sid, action=ScheduleAction.SET, sid=sid
    )
    check_version(etag_of(flow), headers.if_match)
    sent = body.change.model_dump(exclude_unset=True, exclude={"reason"})
    values = clean_values(sent, flow)
    form = ReturningScheduleForm(body.dict(exclude={"change"}))
    clean_form(form)
    change = _propose(api_request, flow.resource, sid, values, body.change.reason, headers)
    check_same_request(request, change.change_id)
    try:
        change_request = services.schedule_change(change, form.timing, form.return_timing)
    except FormReused:
        raise key_reused() from None
    except NoReturn as refusal:
        raise invalid({"return_at": [str(refusal)]}) from None
    except SecretInRequest as secret:
        detail = f"A schedule stores no secrets. Remove the new secret from {secret.labels}."
        raise Problem(422, detail, code="secret_in_request") from None
    return detail_response(change_request)


def _propose(
    request: Request,
    base: Any,
    sid: str,
    values: dict[str, Any],
    reason: str,
    headers: ChangeHeaders,
) -> ProposedChange:
    """Return the change to schedule. Raise `Problem` for one without a difference or a reason."""
    names = FLEX_FLOW.differing_fields(base, values, values)
    if not names:
        detail = "The flow has these values already. Nothing was scheduled."
        raise Problem(409, detail, code="already_set")
    clean = clean_reason(reason)
    reason_error = change_guard.missing_reason([request.account_sid], clean)
    if reason_error:
        raise invalid({"reason": [reason_error]})
    return ProposedChange(
        resource=FLEX_FLOW,
        operation="update",
        account_sid=request.account_sid,
        sid=sid,
        parent_sid="",
        before=base,
        requested={name: values[name] for name in names},
        reason=clean,
        actor=get_sender(request),
        change_id=headers.idempotency_key or uuid.uuid4(),
    )


def _require_rights(request: Request, request_id: uuid.UUID) -> None:
    """Raise `NotPermitted` for a user whose role can't make the requested change."""
    if not applying.may_apply(request.user, ChangeRequest.objects.get(pk=request_id)):
        raise NotPermitted("Your role can't make this change.")


def _wrong_status() -> Problem:
    detail = "The status of the request or of its schedule doesn't allow this. Nothing was changed."
    return Problem(409, detail, code="wrong_status")
