"""The calendar of scheduled changes, and the schedule of one change request."""

from __future__ import annotations

import uuid
from datetime import date
from typing import Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flows.accounts import twilio_accounts
from flows.approvals import applying
from flows.approvals.models import ChangeRequest
from flows.approvals.reading import describe
from flows.approvals.request_status import OPEN
from flows.approvals.requests import ContentChanged
from flows.approvals.views.policies import NOT_RECORDED
from flows.audit.access import Request, deny, get_actor, require_permission
from flows.audit.audit_log import NotRecorded
from flows.changes.problem import Problem
from flows.core import local_days
from flows.schedules import reading, services
from flows.schedules.actions import ScheduleAction
from flows.schedules.forms import ScheduleForm
from flows.schedules.services import SCHEDULABLE, WrongOrder
from flows.schedules.steps import StepNotAllowed, find_schedule

_NOT_POSSIBLE: Final = "The request or its schedule has another status now. Nothing was changed."
_CHANGED: Final = Problem(
    title="The request was changed in the meantime",
    text="Nothing was scheduled.",
    advice="Check it, then schedule it again.",
    level="warning",
    is_conflict=True,
)


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def schedule_list(request: Request) -> HttpResponse:
    """Show the scheduled changes of a month, after those that need attention."""
    accounts = twilio_accounts.marked_accounts(request.scope)
    chosen = request.GET.get("account", "")
    account_sid = chosen if chosen in accounts else ""
    scope = frozenset({account_sid}) if account_sid else request.scope
    first = _read_month(request.GET.get("month", ""))
    month = reading.load_month(reading.visible_schedules(scope), first)
    days = reading.by_day(reading.rows_of(month, accounts))
    attention = list(reading.needing_attention(scope)[: reading.MAX_LISTED])
    context = {
        "attention": reading.rows_of(attention, accounts),
        "days": days,
        "weeks": reading.build_weeks(first, days),
        "month": first,
        "previous_query": _query(reading.previous_month(first), account_sid),
        "next_query": _query(reading.next_month(first), account_sid),
        "account_queries": [
            (each, _query(first, each.sid), each.sid == account_sid) for each in accounts.values()
        ],
        "all_query": _query(first, ""),
        "is_filtered": bool(account_sid),
        "is_shortened": len(month) == reading.MAX_LISTED,
    }
    return render(request, "schedules/list.html", context)


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action=ScheduleAction.SET)
def schedule_form(request: Request, request_id: uuid.UUID) -> HttpResponse:
    """Schedule a change request, or set another time."""
    change_request = _find_changeable(request, request_id, ScheduleAction.SET)
    schedule = find_schedule(request_id)
    if change_request.status not in SCHEDULABLE:
        messages.error(request, "This change request can't be scheduled now.")
        return redirect("requests:detail", request_id=request_id)
    if request.method == "GET":
        return _render(request, change_request, ScheduleForm(schedule=schedule))
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        return _render(request, change_request, form, status=422)
    try:
        services.set_time(
            request_id,
            content_hash=request.POST.get("content_hash", ""),
            timing=form.timing,
            actor=get_actor(request),
        )
    except WrongOrder as refusal:
        form.add_error("due_at", str(refusal))
        return _render(request, change_request, form, status=422)
    except ContentChanged:
        return _render(request, change_request, form, status=409, problem=_CHANGED)
    except NotRecorded:
        return _render(request, change_request, form, status=503, problem=NOT_RECORDED)
    except StepNotAllowed:
        messages.error(request, _NOT_POSSIBLE)
        return redirect("requests:detail", request_id=request_id)
    messages.success(request, "Scheduled. Nothing was sent yet.")
    return redirect("requests:detail", request_id=request_id)


@require_POST
@require_permission("flows.change_flow", action=ScheduleAction.CANCEL)
def schedule_cancel(request: Request, request_id: uuid.UUID) -> HttpResponse:
    """Cancel the schedule of a request. The request stays."""
    change_request = _find_changeable(request, request_id, ScheduleAction.CANCEL)
    try:
        services.cancel(request_id, actor=get_actor(request))
    except StepNotAllowed:
        messages.error(request, _NOT_POSSIBLE)
    except NotRecorded:
        messages.error(request, f"{NOT_RECORDED.title}. {NOT_RECORDED.advice}")
    else:
        is_open = change_request.status in OPEN
        rest = " The change request is still open." if is_open else ""
        messages.success(request, f"The schedule is cancelled.{rest}")
    return redirect("requests:detail", request_id=request_id)


def _find_changeable(
    request: Request, request_id: uuid.UUID, action: ScheduleAction
) -> ChangeRequest:
    """Return the request, for a user who may make its change."""
    change_request = ChangeRequest.objects.filter(pk=request_id).first()
    if change_request is None:
        raise Http404("No such change request")
    if not applying.may_apply(request.user, change_request):
        deny(request, action, {"request_id": request_id})
    return change_request


def _render(
    request: Request,
    change_request: ChangeRequest,
    form: ScheduleForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
) -> HttpResponse:
    context = {
        "found": change_request,
        "text": describe(change_request),
        "form": form,
        "problem": problem,
    }
    return render(request, "schedules/form.html", context, status=status)


def _read_month(text: str) -> date:
    """Return the first day of a month such as "2026-12", or of the present one."""
    try:
        return date.fromisoformat(f"{text}-01")
    except ValueError:
        return local_days.today().replace(day=1)


def _query(first: date, account_sid: str) -> str:
    parameters = {"month": f"{first:%Y-%m}"}
    if account_sid:
        parameters["account"] = account_sid
    return f"?{urlencode(parameters)}"
