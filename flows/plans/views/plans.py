"""Bulk changes: draft, review, start, progress, stop, retry and rollback."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission_anywhere, scope_of
from flows.audit.access import Request, get_actor, record_denial, require_permission
from flows.audit.audit_log import NotRecorded
from flows.audit.views.unrecorded import page_if_unrecorded
from flows.availability.restrictions import OperationUnavailable
from flows.changes import change_guard
from flows.core.database import split_batches
from flows.flex_flows.forms import PICKED_FIELDS
from flows.flex_flows.target_choices import offer_target
from flows.flex_flows.views.export import list_url, reject_empty_selection, selected_sids
from flows.local_details.choices import suggest_owners
from flows.mirror.models import Flow
from flows.plans import access, drafts, follow_ups, start_and_stop
from flows.plans.actions import PlanAction
from flows.plans.details_drafts import (
    DETAILS_KINDS,
    SET_OWNER,
    DetailsAction,
    plan_details_action,
)
from flows.plans.drafts import BulkAction
from flows.plans.forms import BulkActionForm, PlanStartForm
from flows.plans.models import Plan
from flows.plans.status import ENDED_STATUSES
from flows.plans.views.plan_page import (
    affected_accounts,
    build_start_form,
    count_deletions,
    format_plan_status,
    render_plan,
)

MAX_PLANS: Final = 50  # rows of the list

View = Callable[..., HttpResponse]


def plan_permission_required(permission: str, *, action: str) -> Callable[[View], View]:
    """Require a permission on the plan in the URL: the name of a field of `PlanPermissions`.

    The view gets the plan instead of its id. A denial is recorded as `action`.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def guarded(request: Request, plan_id: uuid.UUID) -> HttpResponse:
            return view(request, _permitted_plan(request, plan_id, permission, action))

        return guarded

    return decorate


def _permitted_plan(request: Request, plan_id: uuid.UUID, permission: str, action: str) -> Plan:
    """Return the plan. Raises `PermissionDenied`, or `Http404` if there is no such plan."""
    plan = Plan.objects.filter(pk=plan_id).first()
    account_sids = access.account_sids_of_plan(plan_id)
    request.account_sid = access.only_account_sid(account_sids)
    request.scope, request.readings = scope_of(request.user, "flows.view_flow"), {}
    if not _has_permission(request, plan, account_sids, permission):
        if request.method != "GET":
            record_denial(request, action, {})
        request.account_sid = ""  # the error page must not reveal the account
        raise PermissionDenied
    if plan is None:
        raise Http404("there is no such bulk change")
    return plan


def _has_permission(
    request: Request, plan: Plan | None, account_sids: list[str], permission: str
) -> bool:
    if plan is None:
        return has_permission_anywhere(request.user, "flows.view_flow")
    permissions = access.permissions_on_plan(request.user, plan, account_sids)
    return bool(getattr(permissions, permission))


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def plan_list(request: Request) -> HttpResponse:
    visible_plans = access.visible_plans(request.user, request.scope)
    latest_plans = list(visible_plans.order_by("-created_at")[:MAX_PLANS])
    account_sids = access.account_sids_by_plan(latest_plans)
    rows = [
        {
            "plan": plan,
            "status": format_plan_status(plan),
            "affected_accounts": affected_accounts(account_sids[plan.pk]),
        }
        for plan in latest_plans
    ]
    return render(request, "flows/plans.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action=PlanAction.START)
def plan_new(request: Request) -> HttpResponse:
    """Draft an action for the selected flows. Ask for the value first if the action takes one."""
    if request.method == "GET":
        return redirect("flows:list")
    sids = selected_sids(request)
    if not sids:
        return reject_empty_selection(request)
    if len(sids) > drafts.MAX_FLOWS:
        messages.error(request, _selection_limit_message(len(sids)))
        return redirect(list_url(request))
    kind = request.POST.get("kind", "")
    owners = suggest_owners(scope_of(request.user, "flows.view_flow")) if kind == SET_OWNER else []
    form = BulkActionForm(request.POST, kind=kind, owners=owners)
    if _has_to_ask_for_value(request, form):
        value_form = BulkActionForm(kind=kind, value=form["value"].value(), owners=owners)
        return _render_value_form(request, value_form, sids)
    if not form.is_valid():
        return _render_value_form(request, form, sids, status=422)
    plan = _draft_action(request, kind, form.cleaned_data.get("value"), sids)
    return redirect("flows:plan", plan_id=plan.pk)


def _draft_action(request: Request, kind: str, value: Any, sids: list[str]) -> Plan:
    """Draft an action for these flows: at Twilio, or of owners and tags, which are kept here."""
    created_by, editable_scope = request.user.get_username(), request.scope
    if kind in DETAILS_KINDS:
        return plan_details_action(
            action=DetailsAction(kind, value),
            sids=sids,
            created_by=created_by,
            editable_scope=editable_scope,
        )
    return drafts.plan_bulk_action(
        action=BulkAction(kind, value),
        sids=sids,
        created_by=created_by,
        editable_scope=editable_scope,
    )


@require_GET
@plan_permission_required("can_see", action="flow.view")
def plan_detail(request: Request, plan: Plan) -> HttpResponse:
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "flows/_plan.html" if is_fragment else "flows/plan.html"
    return render_plan(request, plan, template=template)


@require_http_methods(["GET", "POST"])
@plan_permission_required("can_act", action=PlanAction.START)
def plan_start(request: Request, plan: Plan) -> HttpResponse:
    if request.method == "GET":
        return redirect("flows:plan", plan_id=plan.pk)
    if access.missing_permission(plan, request.user):
        record_denial(request, PlanAction.START, {})
        raise PermissionDenied
    if "edit_again" in request.POST:
        return _edit_again(request, plan)
    form = PlanStartForm(request.POST, deletes=count_deletions(plan))
    if not _is_valid(plan, form):
        return render_plan(request, plan, form=form, status=422)
    if access.find_restriction(plan) or access.judge(plan).refusal:
        return _refused_page(request, plan, form)
    with page_if_unrecorded(lambda: _not_started_page(request, plan, form)):
        try:
            is_started = start_and_stop.start(
                plan=plan, reason=form.cleaned_data["reason"], actor=get_actor(request)
            )
        except OperationUnavailable:  # it was requested in the meantime
            return _refused_page(request, plan, form)
    if not is_started:
        messages.info(request, "This bulk change was already started.")
    return redirect("flows:plan", plan_id=plan.pk)


@require_http_methods(["GET", "POST"])
@plan_permission_required("can_act", action=PlanAction.START)
def plan_request(request: Request, plan: Plan) -> HttpResponse:
    """Make a change request of a bulk change: a policy takes one, or it is to be scheduled."""
    if request.method == "GET":
        return redirect("flows:plan", plan_id=plan.pk)
    if access.missing_permission(plan, request.user):
        record_denial(request, PlanAction.START, {})
        raise PermissionDenied
    if "edit_again" in request.POST:
        return _edit_again(request, plan)
    form = PlanStartForm(request.POST, deletes=count_deletions(plan))
    if not _is_valid(plan, form):
        return render_plan(request, plan, form=form, status=422)
    decision = access.judge(plan)
    if decision.request_url:
        messages.info(request, "This bulk change has a change request already.")
        return redirect(decision.request_url)
    is_scheduled = "schedule" in request.POST
    may_request = decision.can_request or (is_scheduled and not decision.refusal)
    if access.find_restriction(plan) or not may_request:
        messages.error(request, "Not requested. Nothing was sent.")
        return render_plan(request, plan, form=form, status=409)
    with page_if_unrecorded(lambda: _not_requested_page(request, plan, form)):
        try:
            url = change_guard.guard().submit_bulk(
                plan.pk, reason=form.cleaned_data["reason"], actor=get_actor(request)
            )
        except OperationUnavailable as refusal:  # several accounts, or started in the meantime
            messages.error(request, refusal.restriction.sentence)
            return _refused_page(request, plan, form)
    advice = " Choose its time under “Schedule”." if is_scheduled else ""
    messages.success(request, f"Requested. Nothing was sent.{advice}")
    return redirect(url)


def _edit_again(request: Request, plan: Plan) -> HttpResponse:
    form = build_start_form(plan, reason=request.POST.get("reason", ""))
    return render_plan(request, plan, form=form)


def _is_valid(plan: Plan, form: PlanStartForm) -> bool:
    """Return True if the form is valid, and has the reason that a policy requires."""
    if not form.is_valid():
        return False
    reason_error = change_guard.missing_reason(
        access.account_sids_of_plan(plan.pk), form.cleaned_data["reason"]
    )
    if reason_error:
        form.add_error("reason", reason_error)
    return not reason_error


def _refused_page(request: Request, plan: Plan, form: PlanStartForm) -> HttpResponse:
    record_denial(request, PlanAction.START, {})
    messages.error(request, "Not started. Nothing was sent.")  # the page shows the reason
    return render_plan(request, plan, form=form, status=403)


def _not_requested_page(request: Request, plan: Plan, form: PlanStartForm) -> HttpResponse:
    messages.error(request, "Not requested: couldn't write to the audit log.")
    return render_plan(request, plan, form=form, status=503)


def _not_started_page(request: Request, plan: Plan, form: PlanStartForm) -> HttpResponse:
    messages.error(request, "Not started: couldn't write to the audit log, so nothing is sent.")
    return render_plan(request, plan, form=form, status=503)


@require_POST
@plan_permission_required("can_act", action=PlanAction.STOP)
def plan_stop(request: Request, plan: Plan) -> HttpResponse:
    try:
        if not start_and_stop.stop(plan=plan, actor=get_actor(request)):
            messages.info(request, "This bulk change is not in progress.")
    except NotRecorded:  # the plan goes on, and its page shows how far it is
        messages.warning(
            request,
            "Not stopped: couldn't write to the audit log. "
            "While that lasts, nothing is sent either.",
        )
    return redirect("flows:plan", plan_id=plan.pk)


@require_POST
@plan_permission_required("can_act", action=PlanAction.START)
def plan_rollback(request: Request, plan: Plan) -> HttpResponse:
    return _create_follow_up(
        request, plan, follow_ups.plan_rollback, empty_message="There is nothing to roll back."
    )


@require_POST
@plan_permission_required("can_act", action=PlanAction.START)
def plan_retry(request: Request, plan: Plan) -> HttpResponse:
    return _create_follow_up(
        request, plan, follow_ups.plan_retry, empty_message="There is nothing to retry."
    )


@require_POST
@plan_permission_required("can_discard", action=PlanAction.START)
def plan_discard(request: Request, plan: Plan) -> HttpResponse:
    if not drafts.discard_draft(plan=plan):
        messages.error(
            request, "This bulk change was started or requested, so it can't be discarded."
        )
        return redirect("flows:plan", plan_id=plan.pk)
    messages.success(request, "Discarded the draft. Nothing was changed.")
    return redirect("flows:plans")


def _create_follow_up(
    request: Request, plan: Plan, draft: Callable[..., Plan], *, empty_message: str
) -> HttpResponse:
    """Draft the rollback or retry of a plan and show it, unless it has no changes."""
    if plan.status not in ENDED_STATUSES:
        messages.info(request, "This bulk change has not finished yet.")
        return redirect("flows:plan", plan_id=plan.pk)
    follow_up = draft(plan=plan, created_by=request.user.get_username())
    if not follow_up.changes.exists():
        drafts.discard_draft(plan=follow_up)
        messages.info(request, empty_message)
        return redirect("flows:plan", plan_id=plan.pk)
    return redirect("flows:plan", plan_id=follow_up.pk)


def _has_to_ask_for_value(request: Request, form: BulkActionForm) -> bool:
    """Return True if the action takes a value that is missing, or that the user edits again."""
    if "value" not in form.fields:
        return False
    return "value" not in request.POST or "edit_again" in request.POST


def _selection_limit_message(flows: int) -> str:
    return (
        f"{flows:,} flows are selected. A bulk change can have {drafts.MAX_FLOWS:,} at most: "
        "narrow the search first."
    )


def _render_value_form(
    request: Request, form: BulkActionForm, sids: list[str], *, status: int = 200
) -> HttpResponse:
    if form.entry is not None and form.entry.name in PICKED_FIELDS:
        account_sid = access.only_account_sid(_find_accounts(sids, request.scope))
        if account_sid:  # of several accounts, none has a target that all flows can have
            is_other = "value" in form.typed_fields
            offer_target(form, "value", form.entry.name, account_sid, is_other=is_other)
    context = {"form": form, "sids": " ".join(sids), "count": len(sids)}
    return render(request, "flows/plan_value.html", context, status=status)


def _find_accounts(sids: Sequence[str], scope: twilio_accounts.Scope) -> list[str]:
    """Return the SIDs of the accounts in the scope that have these flows."""
    account_sids: set[str] = set()
    for batch in split_batches(sids):
        flows = twilio_accounts.filter_scope(Flow.objects.filter(sid__in=batch), scope)
        account_sids.update(flows.order_by().values_list("account_sid", flat=True).distinct())
    return sorted(account_sids)
