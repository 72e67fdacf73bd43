"""The pages of the policies: all accounts, and the form of one."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission
from flows.accounts.twilio_accounts import Account
from flows.approvals import policies, validity
from flows.approvals.actions import PolicyAction
from flows.approvals.approvers import find_shortage
from flows.approvals.forms import PolicyForm
from flows.approvals.models import ChangeRequest
from flows.approvals.terms import load_terms
from flows.audit import audit_log
from flows.audit.access import Request, get_actor, require_permission
from flows.changes.problem import Problem

SET_PERMISSION = "flows.set_policy"
NOT_RECORDED = Problem(
    title="Couldn't write to the audit log, so nothing was changed",
    text="Each step is logged.",
    advice="Try again in a moment. If this continues, contact your administrator.",
)


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def policy_list(request: Request) -> HttpResponse:
    """List the policies of the accounts that the user may see."""
    rows = []
    for account in twilio_accounts.visible_accounts(request.scope):
        terms = load_terms(account.sid)
        row = {
            "account": account,
            "sentences": terms.sentences,
            "shortage": find_shortage(account.sid, terms),
            "can_set": has_permission(request.user, SET_PERMISSION, account.sid),
        }
        rows.append(row)
    return render(request, "approvals/policies.html", {"rows": rows})


@require_http_methods(["GET", "POST"])
@require_permission(SET_PERMISSION, action=PolicyAction.SET)
def policy_form(request: Request, account_sid: str) -> HttpResponse:
    """Set the policy of an account."""
    account = _find_account(account_sid)
    terms = load_terms(account_sid)
    if request.method == "GET":
        return _render(request, account, PolicyForm(terms=terms))
    form = PolicyForm(request.POST, terms=terms)
    if not form.is_valid():
        return _render(request, account, form, status=422)
    try:
        event = policies.set_policy(
            account_sid=account_sid,
            terms=form.terms,
            reason=form.cleaned_data["reason"],
            actor=get_actor(request),
            change_id=form.cleaned_data["change_id"],
        )
    except audit_log.AlreadyRecorded:
        messages.info(request, "This form was already sent. Nothing was changed again.")
        return redirect("requests:policies")
    except audit_log.NotRecorded:
        return _render(request, account, form, status=503, problem=NOT_RECORDED)
    if event is None:
        messages.info(request, "No changes to save.")
        return redirect("requests:policies")
    validity.review_requests(ChangeRequest.objects.filter(account_sid=account_sid))
    messages.success(request, f"Saved the policy of {account}.")
    shortage = find_shortage(account_sid, form.terms)
    if shortage:
        messages.warning(request, shortage)
    return redirect("requests:policies")


def _find_account(account_sid: str) -> Account:
    try:
        return twilio_accounts.get_account(account_sid)
    except twilio_accounts.AccountNotConfigured as error:
        raise Http404("No such account") from error


def _render(
    request: Request,
    account: Account,
    form: PolicyForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
) -> HttpResponse:
    terms = load_terms(account.sid)
    context = {
        "policy_account": account,
        "form": form,
        "problem": problem,
        "shortage": find_shortage(account.sid, terms),
    }
    return render(request, "approvals/policy.html", context, status=status)
