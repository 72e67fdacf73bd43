"""Changing many flows at once: a plan is made, looked over, started, watched, stopped, and undone by another plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from flexadmin.roles import scope_of
from flows import accounts, words
from flows.accounts import Account
from flows.forms import PlanForm, StartForm
from flows.forms.entries import parsed, read_entries, sid_of
from flows.masking import masked_field
from flows.models import AuditEvent, Flow, Plan, PlannedChange
from flows.services import planning, plans
from flows.services.audit import NotRecorded
from flows.services.planning import Ask, Entry
from flows.services.plans import Fate
from flows.views.copyout import chosen, nobody
from flows.views.requests import Request, accounts_of_plan, actor_of, may, permitted, record_refusal

PAGE_SIZE: Final = 100
LATEST: Final = 50  # plans that the list shows
# A change's state: its name on the page, and the class that gives it its shape and colour.
STATES: Final = {
    "planned": ("To do", "none"),
    "running": ("Under way", "doubt"),
    "made": ("Done", "good"),
    "failed": ("Failed", "bad"),
    "conflict": ("Conflict, nothing sent", "bad"),
    "unknown": ("Outcome unknown", "doubt"),
    "skipped": ("Left out", "none"),
}
PLAN_STATES: Final = {
    "draft": ("Not started", "none"),
    "running": ("Under way", "doubt"),
    "stopping": ("Stopping", "doubt"),
    "stopped": ("Stopped", "bad"),
    "done": ("Ended", "good"),
}


@require_GET
@permitted("flows.view_flow", action="flow.view")
def plan_list(request: Request) -> HttpResponse:
    seen = Plan.objects.all()
    if request.scope is not None:  # all of it, or nothing: its figures would tell of the rest
        beyond = PlannedChange.objects.exclude(account_sid__in=["", *request.scope]).values("plan")
        seen = seen.exclude(pk__in=beyond)
    latest = seen.annotate(flows=Count("changes")).order_by("-made_at")[:LATEST]
    rows = [{"plan": plan, "state": PLAN_STATES[plan.state]} for plan in latest]
    return render(request, "flows/plans.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@permitted("flows.change_flow", action=plans.START)
def plan_new(request: Request) -> HttpResponse:
    """From the list's selection: asks for the value that it takes, if it takes one, and makes the plan."""
    if request.method == "GET":
        return redirect("flows:list")
    sids = chosen(request)
    if not sids:
        return nobody(request)
    kind = request.POST.get("kind", "")
    form = PlanForm(request.POST, kind=kind)
    if "value" in form.fields and "value" not in request.POST:
        return _value_page(request, PlanForm(kind=kind), sids)
    if "value" in form.fields and "edit_again" in request.POST:
        return _value_page(request, PlanForm(kind=kind, value=request.POST["value"]), sids)
    if not form.is_valid():
        return _value_page(request, form, sids, status=422)
    plan = planning.plan_change(
        ask=Ask(kind, form.cleaned_data.get("value")),
        sids=sids,
        made_by=request.user.get_username(),
        within=request.scope,
    )
    return redirect("flows:plan", plan_id=plan.pk)


@require_http_methods(["GET", "POST"])
@permitted("flows.change_flow", action=plans.START)
def plan_import(request: Request) -> HttpResponse:
    """Flows as JSON, to be changed to that, or made."""
    if request.method == "GET":
        return render(request, "flows/import.html", {"text": ""})
    text = request.POST.get("entries", "")
    if "edit_again" in request.POST:
        return render(request, "flows/import.html", {"text": text})
    try:
        given = parsed(text)
    except ValidationError as error:
        return render(request, "flows/import.html", {"text": text, "error": error.message}, status=422)
    named = Flow.objects.filter(sid__in={sid_of(entry) for entry in given})
    known = dict(accounts.within(named, request.scope).values_list("sid", "resource"))
    entries = [
        Entry(item.sid, item.values, item.error, item.account_sid) for item in read_entries(given, known)
    ]
    plan = planning.plan_entries(
        entries=entries,
        made_by=request.user.get_username(),
        within=request.scope,
        seen=scope_of(request.user, "flows.view_flow"),
    )
    return redirect("flows:plan", plan_id=plan.pk)


@require_GET
@permitted("flows.view_flow", action="flow.view")
def plan_detail(request: Request, plan_id: str) -> HttpResponse:
    plan = get_object_or_404(Plan, pk=plan_id)
    is_fragment = request.htmx and not request.htmx.history_restore_request
    return _plan_page(request, plan, template="flows/_plan.html" if is_fragment else "flows/plan.html")


@require_http_methods(["GET", "POST"])
@permitted("flows.change_flow", action=plans.START)
def plan_start(request: Request, plan_id: str) -> HttpResponse:
    plan = get_object_or_404(Plan, pk=plan_id)
    if request.method == "GET":
        return redirect("flows:plan", plan_id=plan_id)
    if plans.missing_permission(plan, request.user):
        record_refusal(request, plans.START, {})
        raise PermissionDenied
    if "edit_again" in request.POST:
        reason = request.POST.get("reason", "")
        return _plan_page(request, plan, form=StartForm(deletes=_deletes(plan), reason=reason))
    form = StartForm(request.POST, deletes=_deletes(plan))
    if not form.is_valid():
        return _plan_page(request, plan, form=form, status=422)
    if shut := plans.shut_by(plan):
        record_refusal(request, plans.START, {})
        messages.error(request, f"Not started: {shut} Nothing was sent.")
        return _plan_page(request, plan, form=form, status=403)
    try:
        begun = plans.start(plan=plan, reason=form.cleaned_data["reason"], actor=actor_of(request))
    except NotRecorded:
        messages.error(request, "Not started: the audit log can't be written just now, so nothing is sent.")
        return _plan_page(request, plan, form=form, status=503)
    if not begun:
        messages.info(request, "This plan was started before.")
    return redirect("flows:plan", plan_id=plan_id)


@require_POST
@permitted("flows.change_flow", action=plans.STOP)
def plan_stop(request: Request, plan_id: str) -> HttpResponse:
    try:
        if not plans.stop(plan=get_object_or_404(Plan, pk=plan_id), actor=actor_of(request)):
            messages.info(request, "This plan is not under way.")
    except NotRecorded:
        messages.warning(
            request, "Not stopped: the audit log can't be written just now, and so nothing is sent either."
        )
    return redirect("flows:plan", plan_id=plan_id)


@require_POST
@permitted("flows.change_flow", action=plans.START)
def plan_undo(request: Request, plan_id: str) -> HttpResponse:
    return _another(
        request, plan_id, planning.plan_undo, nothing="Nothing of this plan was made that could be undone."
    )


@require_POST
@permitted("flows.change_flow", action=plans.START)
def plan_rest(request: Request, plan_id: str) -> HttpResponse:
    return _another(request, plan_id, planning.plan_rest, nothing="Nothing of this plan is left to be done.")


@require_POST
@permitted("flows.change_flow", action=plans.START)
def plan_discard(request: Request, plan_id: str) -> HttpResponse:
    if not planning.discard(plan=get_object_or_404(Plan, pk=plan_id)):
        messages.error(request, "This plan was started, so it stays.")
        return redirect("flows:plan", plan_id=plan_id)
    messages.success(request, "The plan is thrown away. It had changed nothing.")
    return redirect("flows:plans")


def _another(request: Request, plan_id: str, make: Callable[..., Plan], *, nothing: str) -> HttpResponse:
    plan = get_object_or_404(Plan, pk=plan_id)
    if plan.state not in ("done", "stopped"):
        messages.info(request, "This plan has not ended yet.")
        return redirect("flows:plan", plan_id=plan_id)
    made = make(plan=plan, made_by=request.user.get_username())
    if not made.changes.exists():
        planning.discard(plan=made)
        messages.info(request, nothing)
        return redirect("flows:plan", plan_id=plan_id)
    return redirect("flows:plan", plan_id=made.pk)


def _value_page(request: Request, form: PlanForm, sids: list[str], *, status: int = 200) -> HttpResponse:
    context = {"form": form, "sids": " ".join(sids), "count": len(sids)}
    return render(request, "flows/plan_value.html", context, status=status)


def _plan_page(
    request: Request,
    plan: Plan,
    *,
    form: StartForm | None = None,
    template: str = "flows/plan.html",
    status: int = 200,
) -> HttpResponse:
    found = plans.fates(plan)
    counts = Counter(fate.state for fate in found)
    only = request.GET.get("state", "")
    shown = [fate for fate in found if fate.state == only] if only in STATES else found
    page = Paginator(shown, PAGE_SIZE).get_page(request.GET.get("page"))
    here = reverse("flows:plan", args=[plan.pk])
    query = f"state={only}&" if only in STATES else ""
    to_do = counts["planned"]
    context = {
        "plan": plan,
        "state": PLAN_STATES[plan.state],
        "is_live": plan.state in ("running", "stopping"),
        "can_stop": plan.state == "running" or (plan.state == "stopping" and plans.is_waiting(plan)),
        "is_waiting": plans.is_waiting(plan),
        "counts": [(name, STATES[name][0], counts[name], name == only) for name in STATES if counts[name]],
        "total": len(found),
        "settled": len(found) - to_do - counts["running"] - counts["skipped"],
        "to_make": len(found) - counts["skipped"],
        "to_do": to_do,
        "made": counts["made"],
        "can_be_made_again": counts["failed"] + counts["conflict"],
        "undone_by": list(plan.undone_by.exclude(started_at=None)),
        "takes": f"{to_do} second{'s' * (to_do != 1)}" if to_do < 100 else f"{round(to_do / 60)} minutes",
        "only": only if only in STATES else "",
        "rows": _rows(list(page)),
        "touched": _touched(plan),
        "previous_url": f"{here}?{query}page={page.previous_page_number()}" if page.has_previous() else None,
        "next_url": f"{here}?{query}page={page.next_page_number()}" if page.has_next() else None,
        "form": form or StartForm(deletes=_deletes(plan), reason=plan.reason),
        "missing": plans.missing_permission(plan, request.user),
        "shut": plans.shut_by(plan),
        "may_act": all(
            may(request.user, "flows.change_flow", sid) for sid in accounts_of_plan(plan.pk) or [""]
        ),
        "can_start": plan.state in ("draft", "stopped") and to_do,
    }
    return render(request, template, context, status=status)


def _touched(plan: Plan) -> list[Account]:
    """The accounts that it changes flows of, where the site has several."""
    if accounts.sole():
        return []
    sids = set(plan.changes.filter(skipped="").order_by().values_list("account_sid", flat=True))
    return [account for account in accounts.every() if account.sid in sids]


def _deletes(plan: Plan) -> int:
    return plan.changes.filter(action="flow.delete", skipped="", done_at=None).count()


def _rows(fates: list[Fate]) -> list[dict[str, Any]]:
    seqs = [fate.event.pk for fate in fates if fate.event]
    events = AuditEvent.objects.select_related("payload").in_bulk(seqs)
    return [_row(fate, events.get(fate.event.pk) if fate.event else None) for fate in fates]


def _row(fate: Fate, event: AuditEvent | None) -> dict[str, Any]:
    change = fate.change
    names = [] if change.action == "flow.delete" else list(change.asked)
    return {
        "change": change,
        "event": event,
        "sid": change.target_sid or (event.target_sid if event else ""),
        "name": change.friendly_name or str(change.asked.get("friendly_name") or ""),
        "differences": [
            {
                "label": words.label(name),
                "before": words.shown(name, masked_field(name, change.before.get(name))),
                "after": words.shown(name, masked_field(name, change.asked.get(name))),
            }
            for name in names
        ],
        "state": STATES[fate.state],
        "why": change.skipped or (event.payload.message if event and fate.state != "made" else ""),
    }
