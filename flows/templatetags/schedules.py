"""Tags that show schedules on the pages of lower packages: flows, their forms, and change requests."""

from __future__ import annotations

from typing import Any

from django import template
from django.template import Context

from flows.approvals import applying
from flows.approvals.models import ChangeRequest
from flows.schedules import reading
from flows.schedules.forms import ReturningScheduleForm
from flows.schedules.schedule_status import ScheduleStatus
from flows.schedules.services import SCHEDULABLE

register = template.Library()


@register.inclusion_tag("schedules/_fields.html", takes_context=True)
def schedule_fields(context: Context, url: str) -> dict[str, Any]:
    """Show the fields to send a form's change at a time, with the form's errors if it has some."""
    form = context.get("schedule_form") or ReturningScheduleForm()
    return {"form": form, "url": url}


@register.inclusion_tag("schedules/_request.html", takes_context=True)
def request_schedule(context: Context, change_request: ChangeRequest) -> dict[str, Any]:
    """Show the schedule of a change request, and what the user can do about it."""
    values = reading.request_context(change_request)
    row = values["row"]
    status = row.schedule.status if row else None
    user = context["request"].user
    may_change = applying.may_apply(user, change_request)
    pending = (ScheduleStatus.WAITING, ScheduleStatus.SUSPENDED)
    return {
        **values,
        "found": change_request,
        "can_set": may_change
        and change_request.status in SCHEDULABLE
        and status != ScheduleStatus.STARTED,
        "can_cancel": may_change and status in pending,
        "csrf_token": context.get("csrf_token"),
    }


@register.inclusion_tag("schedules/_flow.html")
def upcoming_changes(flow_sid: str) -> dict[str, Any]:
    """Show the scheduled changes of a flow."""
    return {"rows": reading.upcoming_changes(flow_sid)}
