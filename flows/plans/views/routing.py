"""The routing page, which can also be asked about the time after a bulk change."""

from __future__ import annotations

import uuid
from typing import Final

from django.http import HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from flows.audit.access import Request, require_permission
from flows.plans.access import filter_visible
from flows.plans.items import plan_items
from flows.plans.models import Plan
from flows.plans.planned_values import collect_values
from flows.plans.status import PlanStatus
from flows.routing.views import PlannedRouting, render_routing

UNKNOWN_PLAN: Final = (
    "There is no such bulk change, or you may not see it. You see who gets messages now."
)
FINISHED_PLAN: Final = "This bulk change is finished. You see who gets messages now, after it."


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def routing(request: Request) -> HttpResponse:
    """Show who gets a message, now and after the bulk change of the URL, if there is one."""
    return render_routing(request, _find_planned(request))


def _find_planned(request: Request) -> PlannedRouting:
    """Return the bulk change that the URL names, with the changes that it hasn't made yet."""
    text = request.GET.get("plan", "")
    if not text:
        return PlannedRouting()
    plan = _find_plan(request, text)
    if plan is None:
        return PlannedRouting(problem=UNKNOWN_PLAN)
    url = reverse("flows:plan", args=[plan.pk])
    if plan.status == PlanStatus.DONE:
        return PlannedRouting(str(plan.pk), plan.title, url, problem=FINISHED_PLAN)
    return PlannedRouting(str(plan.pk), plan.title, url, collect_values(plan_items(plan)))


def _find_plan(request: Request, text: str) -> Plan | None:
    try:
        plan_id = uuid.UUID(text)
    except ValueError:
        return None
    plans = filter_visible(Plan.objects.filter(pk=plan_id), request.user, request.scope)
    return plans.first()
