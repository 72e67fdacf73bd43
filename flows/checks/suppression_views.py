"""The pages that suppress a finding of a flow and end its suppression."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from flows.accounts import twilio_accounts
from flows.audit import audit_log
from flows.audit.access import Request, get_actor, require_permission
from flows.availability.restrictions import OperationUnavailable
from flows.changes import refusal_messages
from flows.changes.problem import Problem
from flows.checks import suppressions
from flows.checks.actions import FindingAction
from flows.checks.checking import RULES_BY_ID
from flows.checks.findings import Finding, Rule
from flows.checks.flow_surroundings import check_with_surroundings
from flows.checks.forms import SuppressionForm
from flows.checks.suppressions import FindingChange
from flows.checks.views import AccountForm
from flows.mirror.models import Flow

_NOT_RECORDED = Problem(
    title="Couldn't write to the audit log, so nothing was changed",
    text="The finding is shown as before.",
    advice=(
        "Your input is kept below. Try again in a moment. "
        "If this continues, contact your administrator."
    ),
)

_CHANGED = Problem(
    title="The finding was changed in the meantime",
    text="Nothing was suppressed. The page shows the finding as it is now.",
    advice="Check it, then suppress it again. Your input is kept below.",
    level="warning",
    is_conflict=True,
)


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action=FindingAction.SUPPRESS)
def suppress_finding(request: Request, rule_id: str, sid: str) -> HttpResponse:
    """Accept a finding of a flow until a day, with a reason."""
    rule, flow = _find(rule_id, sid)
    rule_url = _rule_url(request, rule)
    findings = _findings_of(rule, flow)
    if not findings:
        messages.info(request, f"“{flow}” doesn't have this finding.")
        return redirect(rule_url)
    if request.method == "GET":
        return _render(request, rule, flow, SuppressionForm(findings=findings))
    form = SuppressionForm(request.POST, findings=findings)
    if not form.is_valid():
        return _render(request, rule, flow, form, status=422)
    if form.has_other_findings:
        return _render(request, rule, flow, form.reopen(), status=409, problem=_CHANGED)
    until = form.cleaned_data["until"]
    change = _build_change(
        request, rule, flow, form.cleaned_data["reason"], form.cleaned_data["change_id"]
    )
    try:
        suppressions.suppress(change, findings, until)
    except audit_log.AlreadyRecorded:
        messages.info(request, "This form was already sent. Nothing was changed again.")
    except OperationUnavailable as refusal:
        problem = refusal_messages.change_unavailable(
            refusal.restriction, task="suppress the finding"
        )
        return _render(request, rule, flow, form.reopen(), status=403, problem=problem)
    except audit_log.NotRecorded:
        return _render(request, rule, flow, form.reopen(), status=503, problem=_NOT_RECORDED)
    else:
        messages.success(request, f"Suppressed the finding at “{flow}” until {until:%Y-%m-%d}.")
    return redirect(rule_url)


@require_POST
@require_permission("flows.change_flow", action=FindingAction.END)
def end_suppression(request: Request, rule_id: str, sid: str) -> HttpResponse:
    """Show a suppressed finding again."""
    rule, flow = _find(rule_id, sid)
    rule_url = _rule_url(request, rule)
    change = _build_change(request, rule, flow, "", uuid.uuid4())
    try:
        event = suppressions.end_suppression(change)
    except OperationUnavailable as refusal:
        messages.error(request, f"Nothing was changed. {refusal.restriction.sentence}")
    except audit_log.NotRecorded:
        messages.error(request, "Couldn't write to the audit log, so nothing was changed.")
    else:
        if event is not None:
            messages.success(request, f"The finding at “{flow}” is shown again.")
        else:
            messages.info(request, f"The finding at “{flow}” was not suppressed.")
    return redirect(rule_url)


def _find(rule_id: str, sid: str) -> tuple[Rule, Flow]:
    """Return the rule and the flow of a page's address, or raise Http404."""
    rule, flow = RULES_BY_ID.get(rule_id), Flow.objects.filter(sid=sid, gone_at=None).first()
    if rule is None or flow is None:
        raise Http404("No such check or flow")
    return rule, flow


def _findings_of(rule: Rule, flow: Flow) -> list[Finding]:
    """Return the findings of a rule at a flow, also suppressed ones."""
    findings = check_with_surroundings(
        flow.account_sid, flow.sid, flow.resource, with_suppressed=True
    )
    return [each for each in findings if each.rule == rule]


def _build_change(
    request: Request, rule: Rule, flow: Flow, reason: str, change_id: uuid.UUID
) -> FindingChange:
    return FindingChange(
        account_sid=flow.account_sid,
        sid=flow.sid,
        rule=rule,
        reason=reason,
        actor=get_actor(request),
        change_id=change_id,
    )


def _account_query(request: Request) -> str:
    """Return the query that keeps the chosen account, or raise Http404 for one that isn't one."""
    form = AccountForm(request.GET, twilio_accounts.visible_accounts(request.scope))
    form.selected()
    return form.query


def _rule_url(request: Request, rule: Rule) -> str:
    url = reverse("checks:detail", kwargs={"rule_id": rule.rule_id})
    return f"{url}{_account_query(request)}"


def _render(
    request: Request,
    rule: Rule,
    flow: Flow,
    form: SuppressionForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
) -> HttpResponse:
    context = {
        "rule": rule,
        "flow": flow,
        "form": form,
        "problem": problem,
        "account_query": _account_query(request),
    }
    return render(request, "checks/suppress.html", context, status=status)
