"""The page of one bulk change: its state, its figures, and the form that starts it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.http import HttpResponse
from django.shortcuts import render

from flows.accounts import twilio_accounts
from flows.accounts.permissions import scope_of
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request
from flows.availability.offered_changes import REVERSE_OPERATIONS, AvailableActions
from flows.checks.finding_groups import changes_context
from flows.local_details.actions import LocalDetailsAction
from flows.plans import access, leases, titles
from flows.plans.findings import preview_plan
from flows.plans.forms import PlanStartForm
from flows.plans.items import (
    RETRYABLE_STATUSES,
    ItemStatus,
    PlanItem,
    count_actions,
    count_statuses,
    included_items,
    nonzero_counts,
    plan_items,
    retryable_items,
    with_status,
)
from flows.plans.models import Plan
from flows.plans.paths import preview_paths
from flows.plans.planned_values import changes_twilio
from flows.plans.status import ACTIVE_STATUSES, PlanStatus
from flows.plans.views.plan_rows import ITEM_STATUSES, build_table, status_label
from flows.routing import answer_words
from flows.routing.links import plan_routing_url

_CSS_CLASS_BY_STATUS: Final = {
    PlanStatus.DRAFT: "none",
    PlanStatus.RUNNING: "busy",
    PlanStatus.STOPPING: "doubt",
    PlanStatus.STOPPED: "bad",
    PlanStatus.DONE: "",
}
_PROBLEM_STATUSES: Final = (*RETRYABLE_STATUSES, ItemStatus.UNKNOWN)
# The phrases for flows that an action will affect, and for those that it has affected.
_FUTURE_PHRASES: Final = {
    "flow.update": "will change",
    "flow.create": "will be created",
    "flow.delete": "will be deleted",
    "flow.details": "will change",
}
_PAST_PHRASES: Final = {
    "flow.update": "changed",
    "flow.create": "created",
    "flow.delete": "deleted",
    "flow.details": "changed",
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
    items = _visible_items(plan, scope)
    account_sids = access.account_sids_of_plan(plan.pk)
    permissions = access.permissions_on_plan(request.user, plan, account_sids)
    is_waiting = leases.is_waiting_for_worker(plan)
    summary = _summarize(plan, items, account_sids)
    policy = _policy_context(plan)
    missing_permission = access.missing_permission(plan, request.user)
    is_permitted = permissions.can_act and not missing_permission
    context = {
        "plan": plan,
        "is_live": plan.status in ACTIVE_STATUSES,
        "is_waiting": is_waiting,
        "can_stop": plan.status == PlanStatus.RUNNING or is_waiting,
        "rollbacks": list(plan.rollbacks.exclude(status=PlanStatus.DRAFT)),
        "affected_accounts": affected_accounts(account_sids),
        "form": form or build_start_form(plan),
        "missing_permission": missing_permission,
        "is_offered": is_permitted and summary["can_start"] and policy["is_possible"],
        **policy,
        "can_schedule": not policy["can_request"] and len(account_sids) == 1,
        "can_act": permissions.can_act,
        "can_discard": permissions.can_discard,
        **_follow_up_actions(request, plan),
        **summary,
        **_preview_context(plan, items, account_sids, can_start=bool(summary["can_start"])),
        **build_table(request, plan, items, scope),
    }
    return render(request, template, context, status=status)


def _policy_context(plan: Plan) -> dict[str, Any]:
    """Return why the plan can't be started now, whether it can be requested, and its request."""
    restriction, decision = access.find_restriction(plan), access.judge(plan)
    blocked_reason = restriction or decision.refusal
    can_request = decision.can_request and not restriction
    return {
        "blocked_reason": blocked_reason,
        "can_request": can_request,
        "is_possible": can_request or not blocked_reason,
        "change_request": decision if decision.request_url else None,
    }


def _follow_up_actions(request: Request, plan: Plan) -> dict[str, bool]:
    """Return which follow-ups are available in at least one account of the plan."""
    offers = AvailableActions(request)
    planned = plan.included_changes.order_by()
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


def _preview_context(
    plan: Plan, items: Sequence[PlanItem], account_sids: Iterable[str], *, can_start: bool
) -> dict[str, Any]:
    """Return what starting the plan would change about findings, and about who gets messages."""
    if not can_start or not changes_twilio(items):
        return {"has_finding_changes": False}
    changes = preview_plan(items)
    return {
        "has_finding_changes": True,
        **changes_context(
            changes.worse, changes.better, account_sids, is_incomplete=changes.is_incomplete
        ),
        **answer_words.changes_context(preview_paths(items)),
        "planned_url": plan_routing_url(plan.pk),
    }


def format_plan_status(plan: Plan) -> tuple[str, str]:
    """Return the label and the CSS class of the status."""
    status = PlanStatus(plan.status)
    return status.label, _CSS_CLASS_BY_STATUS[status]


def build_start_form(plan: Plan, *, reason: str | None = None) -> PlanStartForm:
    return PlanStartForm(
        deletes=count_deletions(plan), reason=plan.reason if reason is None else reason
    )


def count_deletions(plan: Plan) -> int:
    """Return the number of flows that starting the plan would delete."""
    return plan.remaining_changes.filter(action="flow.delete").count()


def _visible_items(plan: Plan, scope: twilio_accounts.Scope) -> list[PlanItem]:
    """Return the changes in accounts of the scope, and those of unknown flows."""
    items = plan_items(plan)
    if scope is None:
        return items
    visible_sids = {"", *scope}
    return [item for item in items if item.change.account_sid in visible_sids]


def affected_accounts(account_sids: Sequence[str]) -> list[Account]:
    """Return the accounts, production first, or [] if the site has only one account."""
    if twilio_accounts.only_account():
        return []
    accounts = map(twilio_accounts.account_or_removed, account_sids)
    return sorted(accounts, key=lambda account: (not account.is_production, str(account)))


def _summarize(
    plan: Plan, items: Sequence[PlanItem], account_sids: Sequence[str]
) -> dict[str, Any]:
    """Return the figures, as sentences and for the progress bar."""
    counts = count_statuses(items)
    included = included_items(items)
    remaining_count = counts[ItemStatus.PLANNED]
    included_count = len(included)
    account_suffix = titles.format_accounts(account_sids)
    retryable_counts = count_statuses(retryable_items(plan, items))
    return {
        "status": _plan_result(plan, counts),
        "total_count": len(items),
        "remaining_count": remaining_count,
        "applied_count": counts[ItemStatus.APPLIED],
        "processed_count": included_count - remaining_count - counts[ItemStatus.RUNNING],
        "included_count": included_count,
        "retryable_count": retryable_counts.total(),
        "retry_label": _retry_label(retryable_counts),
        "can_start": plan.status in (PlanStatus.DRAFT, PlanStatus.STOPPED) and remaining_count,
        "duration": _format_duration(remaining_count),
        "planned_summary": _planned_summary(items),
        "result_summary": _result_summary(items),
        "start_label": _start_label(items, account_suffix),
        "account_suffix": account_suffix,
        "has_deletions": "flow.delete" in count_actions(included),
        "is_local": set(count_actions(included)) == {LocalDetailsAction.CHANGE},
        "account_summaries": _account_summaries(plan, items, account_sids),
    }


def _format_duration(seconds: int) -> str:
    if seconds >= 100:
        return f"{round(seconds / 60)} minutes"
    return titles.format_count(seconds, "second")


def _plan_result(plan: Plan, counts: Counter[ItemStatus]) -> tuple[str, str]:
    """Return the label and the CSS class of the state.

    A finished plan names its problems, so that "Finished" alone means that every change was made.
    """
    label, css_class = format_plan_status(plan)
    if plan.status != PlanStatus.DONE:
        return label, css_class
    problems = _format_counts(counts, _PROBLEM_STATUSES)
    return (f"{label}: {problems}", "doubt") if problems else (label, "good")


def _retry_label(counts: Counter[ItemStatus]) -> str:
    return f"Retry {_format_counts(counts, (*RETRYABLE_STATUSES, ItemStatus.PLANNED))}…"


def _format_counts(counts: Counter[ItemStatus], statuses: Iterable[ItemStatus]) -> str:
    """Return the counts of these statuses that are not zero, as in "2 failed, 1 conflict"."""
    return ", ".join(
        f"{number} {status_label(status).lower()}"
        for status, number in nonzero_counts(counts, statuses)
    )


def _planned_summary(items: Iterable[PlanItem]) -> str:
    """Return the counts of planned changes, as in "3 flows will change, 1 will be created"."""
    counts = _count_planned_actions(items)
    phrases = [
        (titles.format_count(number), f"{number:,}", _FUTURE_PHRASES[action])
        for action, number in nonzero_counts(counts, _FUTURE_PHRASES)
    ]
    return _join_phrases(phrases)


def _result_summary(items: Iterable[PlanItem]) -> str:
    """Return the counts of applied changes, as in "3 of 4 flows deleted, 1 of 1 created"."""
    included = included_items(items)
    totals = count_actions(included)
    applied = count_actions(with_status(included, ItemStatus.APPLIED))
    phrases = [
        (
            f"{applied[action]:,} of {titles.format_count(total)}",
            f"{applied[action]:,} of {total:,}",
            _PAST_PHRASES[action],
        )
        for action, total in nonzero_counts(totals, _PAST_PHRASES)
    ]
    return _join_phrases(phrases) or "No flow was changed"


def _join_phrases(phrases: Sequence[tuple[str, str, str]]) -> str:
    """Join phrases of (count with its noun, count, verb). Only the first has the noun."""
    first = [f"{with_noun} {verb}" for with_noun, _, verb in phrases[:1]]
    following = [f"{count} {verb}" for _, count, verb in phrases[1:]]
    return ", ".join(first + following)


def _count_planned_actions(items: Iterable[PlanItem]) -> Counter[str]:
    return count_actions(with_status(items, ItemStatus.PLANNED))


def _start_label(items: Iterable[PlanItem], account_suffix: str) -> str:
    counts = _count_planned_actions(items)
    if not counts:
        return ""
    if len(counts) > 1:
        return f"Apply {counts.total():,} changes{account_suffix}"
    action, number = counts.popitem()
    verb = titles.VERB_BY_ACTION[action].capitalize()
    return f"{verb} {titles.format_count(number)}{account_suffix}"


def _account_summaries(
    plan: Plan, items: Sequence[PlanItem], account_sids: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the figures of each account, or [] if the plan changes flows of one account only."""
    if len(account_sids) < 2:
        return []
    items_by_account: defaultdict[str, list[PlanItem]] = defaultdict(list)
    for item in items:
        items_by_account[item.change.account_sid].append(item)
    return [
        {"account": account, "text": _account_summary(plan, items_by_account[account.sid])}
        for account in affected_accounts(account_sids)
    ]


def _account_summary(plan: Plan, items: Sequence[PlanItem]) -> str:
    counts = count_statuses(items)
    if plan.status != PlanStatus.DRAFT:
        return _format_counts(counts, ITEM_STATUSES)
    text = _planned_summary(items)
    skipped_count = counts[ItemStatus.SKIPPED]
    return f"{text}, {skipped_count} skipped" if skipped_count else text
