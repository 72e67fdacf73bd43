"""Tags that show change requests on the pages of lower packages: a flow, and the forms that change it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from django import template
from django.template import Context

from flows.approvals.models import ChangeRequest
from flows.approvals.reading import STATUS_SHAPES, describe
from flows.approvals.request_status import OPEN, RequestStatus
from flows.audit.access import get_actor
from flows.changes import change_guard
from flows.changes.change_guard import ProposedChange
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import ScheduleStatus
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Resource

register = template.Library()


@register.inclusion_tag("approvals/_open_requests.html")
def open_requests(flow_sid: str) -> dict[str, Any]:
    """Show the open change requests of a flow that no schedule waits for."""
    scheduled = Schedule.objects.filter(status=ScheduleStatus.WAITING).values("request")
    requests = ChangeRequest.objects.filter(target_sid=flow_sid, status__in=OPEN)
    rows = [
        {
            "request": request,
            "text": describe(request),
            "shape": STATUS_SHAPES[RequestStatus(request.status)],
        }
        for request in requests.exclude(pk__in=scheduled)
    ]
    return {"rows": rows}


@register.simple_tag(takes_context=True)
def request_reason(
    context: Context,
    operation: str,
    before: Mapping[str, Any] | None,
    requested: Mapping[str, Any] | None,
    resource: Resource = FLEX_FLOW,
) -> str:
    """Return why a change would become a change request if it was sent now, or ""."""
    request = context["request"]
    change = ProposedChange(
        resource=resource,
        operation=operation,
        account_sid=getattr(request, "account_sid", ""),  # the page of components has none
        sid="",
        parent_sid="",
        before=before,
        requested=requested,
        reason="-",  # its lack is an error of the form
        actor=get_actor(request),
        change_id=uuid.uuid4(),
    )
    return change_guard.why_requested(change)
