"""The page of one bulk change: its state, its figures, and the form that starts it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request
from flows.availability.offered_changes import REVERSE_OPERATIONS, AvailableActions
from flows.plans import access, execution, titles
from flows.plans.execution import PlanItem
from flows.plans.forms import PlanStartForm
from flows.plans.models import Plan, PlannedChange
from flows.plans.views.plan_rows import ITEM_STATES, build_table

# A plan's state: its label on the page, and its CSS class.
PLAN_STATES: Final = {
    "draft": ("Draft", "none"),
    "running": ("In progress", "busy"),
    "stopping": ("Stopping", "doubt"),
    "stopped": ("Stopped", "bad"),
    "done": ("Finished", ""),
}
PROBLEM_STATES: Final = ("failed", "conflict", "unknown")
_RETRYABLE_STATES: Final = ("failed", "conflict")
# The phrases for flows that an action will affect, and for those that it has affected.
_ACTION_PHRASES: Final = {
    "flow.update": ("will change", "changed"),
    "flow.create": ("will be created", "created"),
    "flow.delete": ("will be deleted", "deleted"),
}


def render_plan(
    request: Request,
    plan: Plan,
    *,
    form: PlanStartForm | None = None,
    template: str = "flows/plan.html",
    status: int = 200,
) -> HttpResponse:
    """Render the page. `form` is the start form as it was posted, if it was."""
    scope = scope_of(request.user, "flows.view_flow")
    items = [item for item in execution.plan_items(plan) if _is_visible(item.change, scope)]
    account_sids = access.account_sids_of_plan(plan.pk)
    permissions = access.permissions_on_plan(request.user, plan, account_sids)
    is_waiting = execution.is_waiting_for_worker(plan)
    context = {
        "plan": plan,
        "is_live": plan.state in ("running", "stopping"),
        "is_waiting": is_waiting,
        "can_stop": plan.state == "running" or (plan.state == "stopping" and is_waiting),
        "rollbacks": list(plan.rollbacks.exclude(started_at=None)),
        "touched": affected_accounts(account_sids),
        "form": form or build_start_form(plan),
        "missing": access.missing_permission(plan, request.user),
        "shut": access.blocked_reason(plan),
        "may_act": permissions.can_act,
        "may_discard": permissions.can_discard,
        **_follow_up_actions(request, plan),
        **_summarize(plan, items, account_sids),
        **build_table(request, plan, items, scope),
    }
    return render(request, template, context, status=status)


def _follow_up_actions(request: Request, plan: Plan) -> dict[str, bool]:
    """Return which follow-ups are available in at least one account of the plan."""
    offers = AvailableActions(request)
    planned = plan.changes.filter(skip_reason="").order_by()
    operations = [
        (action.removeprefix("flow."), account_sid)
        for action, account_sid in planned.values_list("action", "account_sid").distinct()
    ]
    return {
        "can_retry": any(offers.can(operation, sid) for operation, sid in operations),
        "can_roll_back": any(
            offers.can(REVERSE_OPERATIONS[operation], sid) for operation, sid in operations
        ),
    }


def build_start_form(plan: Plan, *, reason: str | None = None) -> PlanStartForm:
    return PlanStartForm(
        deletes=count_deletions(plan), reason=plan.reason if reason is None else reason
    )


def count_deletions(plan: Plan) -> int:
    """Return the number of flows that starting the plan would delete."""
    return plan.changes.filter(action="flow.delete", skip_reason="", done_at=None).count()


def _is_visible(change: PlannedChange, scope: twilio_accounts.Scope) -> bool:
    return scope is None or not change.account_sid or change.account_sid in scope


def affected_accounts(account_sids: Sequence[str]) -> list[Account]:
    """Return the accounts, production first, or [] if the site has only one account."""
    if twilio_accounts.only_account():
        return []
    accounts_by_sid = {account.sid: account for account in twilio_accounts.all_accounts()}
    accounts = [accounts_by_sid.get(sid) or Account(sid, auth=("", "")) for sid in account_sids]
    return sorted(accounts, key=lambda account: (not account.is_production, str(account)))


def _summarize(
    plan: Plan, items: Sequence[PlanItem], account_sids: Sequence[str]
) -> dict[str, Any]:
    """Return the figures, as sentences and for the progress bar."""
    counts = Counter(item.state for item in items)
    to_do = counts["planned"]
    to_process = len(items) - counts["skipped"]
    place = titles.format_accounts(account_sids)
    return {
        "state": _plan_state(plan, counts),
        "total": len(items),
        "to_do": to_do,
        "made": counts["made"],
        "settled": to_process - to_do - counts["running"],
        "to_process": to_process,
        "retryable_count": sum(counts[state] for state in _RETRYABLE_STATES),
        "retry_label": _retry_label(counts),
        "can_start": plan.state in ("draft", "stopped") and to_do,
        "takes": _format_duration(to_do),
        "review": _planned_summary(items),
        "outcome": _result_summary(items),
        "start_label": _start_label(items, place),
        "place": place,
        "has_deletions": any(item.change.action == "flow.delete" for item in _included(items)),
        "totals": _account_summaries(plan, items, account_sids),
    }


def _format_duration(seconds: int) -> str:
    if seconds >= 100:
        return f"{round(seconds / 60)} minutes"
    return "1 second" if seconds == 1 else f"{seconds} seconds"


def _plan_state(plan: Plan, counts: Counter[str]) -> tuple[str, str]:
    """Return the label and the CSS class of the state.

    A finished plan names its problems, so that "Finished" alone means that every change was made.
    """
    label, css_class = PLAN_STATES[plan.state]
    if plan.state != "done":
        return label, css_class
    problems = _format_counts(counts, PROBLEM_STATES)
    return (f"{label}: {problems}", "doubt") if problems else (label, "good")


def _retry_label(counts: Counter[str]) -> str:
    return f"Retry {_format_counts(counts, _RETRYABLE_STATES)}…"


def _format_counts(counts: Counter[str], states: Iterable[str]) -> str:
    """Return the counts of these states that are not zero, as in "2 failed, 1 conflict"."""
    return ", ".join(
        f"{counts[state]} {ITEM_STATES[state][0].lower()}" for state in states if counts[state]
    )


def _included(items: Iterable[PlanItem]) -> list[PlanItem]:
    return [item for item in items if item.state != "skipped"]


def _planned_summary(items: Iterable[PlanItem]) -> str:
    """Return the counts of planned changes, as in "3 flows will change, 1 will be created"."""
    counts = Counter(item.change.action for item in items if item.state == "planned")
    parts: list[str] = []
    for action, (future_phrase, _) in _ACTION_PHRASES.items():
        if counts[action]:
            flows = f"{counts[action]:,}" if parts else titles.format_count(counts[action])
            parts.append(f"{flows} {future_phrase}")
    return ", ".join(parts)


def _result_summary(items: Iterable[PlanItem]) -> str:
    """Return the counts of applied changes, as in "3 of 4 flows deleted, 1 of 1 created"."""
    included = _included(items)
    totals = Counter(item.change.action for item in included)
    applied = Counter(item.change.action for item in included if item.state == "made")
    parts: list[str] = []
    for action, (_, past_phrase) in _ACTION_PHRASES.items():
        if totals[action]:
            flows = f"{totals[action]:,}" if parts else titles.format_count(totals[action])
            parts.append(f"{applied[action]:,} of {flows} {past_phrase}")
    return ", ".join(parts) or "No flow was changed"


def _start_label(items: Iterable[PlanItem], place: str) -> str:
    counts = Counter(item.change.action for item in items if item.state == "planned")
    if len(counts) > 1:
        return f"Apply {counts.total():,} changes{place}"
    for action, number in counts.items():
        verb = titles.VERB_BY_ACTION[action].capitalize()
        return f"{verb} {titles.format_count(number)}{place}"
    return ""


def _account_summaries(
    plan: Plan, items: Sequence[PlanItem], account_sids: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the figures of each account, or [] if the plan changes flows of one account only."""
    if len(account_sids) < 2:
        return []
    summaries = []
    for account in affected_accounts(account_sids):
        account_items = [item for item in items if item.change.account_sid == account.sid]
        counts = Counter(item.state for item in account_items)
        if plan.state == "draft":
            text = _planned_summary(account_items)
            if counts["skipped"]:
                text += f", {counts['skipped']} skipped"
        else:
            text = _format_counts(counts, ITEM_STATES)
        summaries.append({"account": account, "text": text})
    return summaries
