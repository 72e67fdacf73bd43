"""Changing many flows at once: a plan is made, looked over, started, watched, stopped, and undone by another plan."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flows.accounts.permissions import has_permission_anywhere, scope_of
from flows.audit.access import Request, get_actor, record_denial, require_permission
from flows.audit.audit_log import NotRecorded
from flows.flex_flows.views.export import list_url, reject_empty_selection, selected_sids
from flows.plans import access, drafts, execution
from flows.plans.drafts import BulkAction
from flows.plans.forms import BulkActionForm, PlanStartForm
from flows.plans.models import Plan
from flows.plans.views.plan_page import (
    PLAN_STATES,
    affected_accounts,
    build_start_form,
    count_deletions,
    render_plan,
)

MAX_PLANS: Final = 50  # plans that the list shows

View = Callable[..., HttpResponse]


def plan_permission_required(power: str, *, action: str) -> Callable[[View], View]:
    """Let in those who have this power over the plan that the address names (`plan_access.Powers`). The refusal of
    anybody else is recorded as `action`, denied. The view gets the plan."""

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: Request, plan_id: uuid.UUID) -> HttpResponse:
            plan = Plan.objects.filter(pk=plan_id).first()
            sids = access.account_sids_of_plan(plan_id)
            request.account_sid = sids[0] if len(sids) == 1 else ""
            request.scope, request.readings = scope_of(request.user, "flows.view_flow"), {}
            is_allowed = (
                getattr(access.permissions_on_plan(request.user, plan, sids), power)
                if plan
                else has_permission_anywhere(request.user, "flows.view_flow")
            )
            if not is_allowed:
                if request.method != "GET":
                    record_denial(request, action, {})
                request.account_sid = ""  # the page that says no tells nothing of it
                raise PermissionDenied
            if plan is None:
                raise Http404("there is no such bulk change")
            return view(request, plan)

        return guarded

    return decorate


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def plan_list(request: Request) -> HttpResponse:
    latest = list(
        access.visible_plans(request.user, request.scope).order_by("-made_at")[:MAX_PLANS]
    )
    sids = access.account_sids_by_plan(latest)
    rows = [
        {
            "plan": plan,
            "state": PLAN_STATES[plan.state],
            "touched": affected_accounts(sids[plan.pk]),
        }
        for plan in latest
    ]
    return render(request, "flows/plans.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action=execution.START_ACTION)
def plan_new(request: Request) -> HttpResponse:
    """From the list's selection: asks for the value that it takes, if it takes one, and makes the plan."""
    if request.method == "GET":
        return redirect("flows:list")
    sids = selected_sids(request)
    if not sids:
        return reject_empty_selection(request)
    if len(sids) > drafts.MAX_FLOWS:
        messages.error(request, _selection_limit_message(len(sids)))
        return redirect(list_url(request))
    kind = request.POST.get("kind", "")
    form = BulkActionForm(request.POST, kind=kind)
    if "value" in form.fields and "value" not in request.POST:
        return _render_value_form(request, BulkActionForm(kind=kind), sids)
    if "value" in form.fields and "edit_again" in request.POST:
        return _render_value_form(
            request, BulkActionForm(kind=kind, value=request.POST["value"]), sids
        )
    if not form.is_valid():
        return _render_value_form(request, form, sids, status=422)
    plan = drafts.plan_bulk_action(
        ask=BulkAction(kind, form.cleaned_data.get("value")),
        sids=sids,
        made_by=request.user.get_username(),
        within=request.scope,
    )
    return redirect("flows:plan", plan_id=plan.pk)


@require_GET
@plan_permission_required("can_see", action="flow.view")
def plan_detail(request: Request, plan: Plan) -> HttpResponse:
    is_fragment = request.htmx and not request.htmx.history_restore_request
    return render_plan(
        request, plan, template="flows/_plan.html" if is_fragment else "flows/plan.html"
    )


@require_http_methods(["GET", "POST"])
@plan_permission_required("can_act", action=execution.START_ACTION)
def plan_start(request: Request, plan: Plan) -> HttpResponse:
    if request.method == "GET":
        return redirect("flows:plan", plan_id=plan.pk)
    if execution.missing_permission(plan, request.user):
        record_denial(request, execution.START_ACTION, {})
        raise PermissionDenied
    if "edit_again" in request.POST:
        return render_plan(
            request, plan, form=build_start_form(plan, reason=request.POST.get("reason", ""))
        )
    form = PlanStartForm(request.POST, deletes=count_deletions(plan))
    if not form.is_valid():
        return render_plan(request, plan, form=form, status=422)
    if execution.blocked_reason(plan):
        record_denial(request, execution.START_ACTION, {})
        messages.error(request, "Not started. Nothing was sent.")  # the page itself says why
        return render_plan(request, plan, form=form, status=403)
    try:
        begun = execution.start(
            plan=plan, reason=form.cleaned_data["reason"], actor=get_actor(request)
        )
    except NotRecorded:
        messages.error(request, "Not started: couldn't write to the audit log, so nothing is sent.")
        return render_plan(request, plan, form=form, status=503)
    if not begun:
        messages.info(request, "This bulk change was already started.")
    return redirect("flows:plan", plan_id=plan.pk)


@require_POST
@plan_permission_required("can_act", action=execution.STOP_ACTION)
def plan_stop(request: Request, plan: Plan) -> HttpResponse:
    try:
        if not execution.stop(plan=plan, actor=get_actor(request)):
            messages.info(request, "This bulk change is not in progress.")
    except NotRecorded:
        messages.warning(
            request,
            "Not stopped: couldn't write to the audit log. While that lasts, nothing is sent either.",
        )
    return redirect("flows:plan", plan_id=plan.pk)


@require_POST
@plan_permission_required("can_act", action=execution.START_ACTION)
def plan_rollback(request: Request, plan: Plan) -> HttpResponse:
    return _create_follow_up(
        request, plan, drafts.plan_rollback, nothing="There is nothing to roll back."
    )


@require_POST
@plan_permission_required("can_act", action=execution.START_ACTION)
def plan_retry(request: Request, plan: Plan) -> HttpResponse:
    return _create_follow_up(request, plan, drafts.plan_retry, nothing="There is nothing to retry.")


@require_POST
@plan_permission_required("can_discard", action=execution.START_ACTION)
def plan_discard(request: Request, plan: Plan) -> HttpResponse:
    if not drafts.discard_draft(plan=plan):
        messages.error(request, "This bulk change was started, so it can't be discarded.")
        return redirect("flows:plan", plan_id=plan.pk)
    messages.success(request, "Discarded the draft. Nothing was changed.")
    return redirect("flows:plans")


def _create_follow_up(
    request: Request, plan: Plan, make: Callable[..., Plan], *, nothing: str
) -> HttpResponse:
    if plan.state not in ("done", "stopped"):
        messages.info(request, "This bulk change has not finished yet.")
        return redirect("flows:plan", plan_id=plan.pk)
    made = make(plan=plan, made_by=request.user.get_username())
    if not made.changes.exists():
        drafts.discard_draft(plan=made)
        messages.info(request, nothing)
        return redirect("flows:plan", plan_id=plan.pk)
    return redirect("flows:plan", plan_id=made.pk)


def _selection_limit_message(flows: int) -> str:
    return f"{flows:,} flows are selected. A bulk change can have {drafts.MAX_FLOWS:,} at most: narrow the search first."


def _render_value_form(
    request: Request, form: BulkActionForm, sids: list[str], *, status: int = 200
) -> HttpResponse:
    context = {"form": form, "sids": " ".join(sids), "count": len(sids)}
    return render(request, "flows/plan_value.html", context, status=status)
