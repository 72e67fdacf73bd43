"""Permissions on bulk changes: to see one, act on it, discard it, and run each of its changes.

Skipped flows need no permission: only the flows that a bulk change affects count. Users always see
their own drafts and can discard them. An API token has less than its user may do, so there the
permissions count for own drafts as well.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission, has_permission_anywhere
from flows.availability import restrictions
from flows.changes import change_guard
from flows.local_details.actions import LocalDetailsAction
from flows.plans.models import Plan, PlannedChange
from flows.plans.status import PlanStatus

# All changes of a plan except those that were skipped before it was started.
EFFECTIVE_CHANGES: Final = Q(skip_reason="") | Q(done_at__isnull=False)
PERMISSION_BY_ACTION: Final = {
    "flow.create": "flows.add_flow",
    "flow.update": "flows.change_flow",
    "flow.delete": "flows.delete_flow",
    "flow.details": "flows.change_flow",
}
_VIEW_PERMISSION, _CHANGE_PERMISSION = "flows.view_flow", "flows.change_flow"


@dataclass(frozen=True, slots=True)
class PlanPermissions:
    """A user's permissions on one bulk change.

    `can_act` covers start, stop, resume, retry and rollback.
    """

    can_see: bool
    can_act: bool
    can_discard: bool


def planned_owner(change_id: uuid.UUID) -> QuerySet[PlannedChange, uuid.UUID]:
    """Find the plan of a change (`flows.audit.reserved_ids`)."""
    return (
        PlannedChange.objects.filter(change_id=change_id).order_by().values_list("plan", flat=True)
    )


def account_sids_of_plan(plan_id: uuid.UUID) -> list[str]:
    """Return the accounts whose flows a plan changes."""
    changes = PlannedChange.objects.filter(EFFECTIVE_CHANGES, plan=plan_id).exclude(account_sid="")
    return list(changes.order_by().values_list("account_sid", flat=True).distinct())


def account_sids_by_plan(plans: Sequence[Plan]) -> dict[uuid.UUID, list[str]]:
    """Return the accounts whose flows each plan changes, by the plan's id."""
    changes = PlannedChange.objects.filter(EFFECTIVE_CHANGES, plan__in=plans)
    pairs = changes.exclude(account_sid="").order_by().values_list("plan", "account_sid").distinct()
    account_sids: dict[uuid.UUID, list[str]] = {plan.pk: [] for plan in plans}
    for plan_id, account_sid in pairs:
        account_sids[plan_id].append(account_sid)
    return account_sids


def only_account_sid(account_sids: Sequence[str]) -> str:
    """Return the account of a request that is about one account only, else ""."""
    return account_sids[0] if len(account_sids) == 1 else ""


def permissions_on_plan(user: User, plan: Plan, account_sids: list[str]) -> PlanPermissions:
    """Return a user's permissions on a plan that changes flows of these accounts."""
    is_own_draft = (
        not _has_token(user)
        and plan.status == PlanStatus.DRAFT
        and plan.created_by == user.get_username()[:150]
    )
    can_act = _has_permission_on_all(user, _CHANGE_PERMISSION, account_sids)
    return PlanPermissions(
        can_see=is_own_draft or _has_permission_on_all(user, _VIEW_PERMISSION, account_sids),
        can_act=can_act,
        can_discard=is_own_draft or can_act,
    )


def visible_plans(user: User, scope: twilio_accounts.Scope) -> QuerySet[Plan]:
    """Return the plans that a user may see, each annotated with `flows`, its number of flows.

    `scope` holds the accounts that the user may see.
    """
    effective = Q(changes__skip_reason="") | Q(changes__done_at__isnull=False)
    plans = Plan.objects.annotate(flows=Count("changes", filter=effective))
    return filter_visible(plans, user, scope)


def filter_visible(
    plans: QuerySet[Plan], user: User, scope: twilio_accounts.Scope
) -> QuerySet[Plan]:
    """Return those of the plans that a user may see, who may see the accounts of `scope`.

    A plan that also changes flows of another account is omitted as a whole, because its figures
    would give those flows away.
    """
    if scope is None:
        return plans
    changes_out_of_scope = PlannedChange.objects.filter(EFFECTIVE_CHANGES).exclude(
        account_sid__in=["", *scope]
    )
    is_in_scope = ~Q(pk__in=changes_out_of_scope.values("plan"))
    if _has_token(user):
        return plans.filter(is_in_scope)
    is_own_draft = Q(created_by=user.get_username()[:150], status=PlanStatus.DRAFT)
    return plans.filter(is_in_scope | is_own_draft)


def filter_by_account(plans: QuerySet[Plan], account_sid: str) -> QuerySet[Plan]:
    """Return those of the plans that change flows of an account."""
    changes = PlannedChange.objects.filter(EFFECTIVE_CHANGES, account_sid=account_sid)
    return plans.filter(pk__in=changes.values("plan"))


def missing_permission(plan: Plan, user: User) -> str:
    """Return a permission that the user lacks to run all of the plan, or "" if none is missing."""
    for action, account_sid in _actions_by_account(plan.included_changes):
        if not has_change_permission(user, action, account_sid):
            return PERMISSION_BY_ACTION[action]
    return ""


def find_restriction(plan: Plan) -> str:
    """Return why Twilio or the read-only mode of an account refuses remaining changes, or ""."""
    for action, account_sid in _actions_by_account(plan.remaining_changes):
        restriction = restrictions.find_restriction(account_sid, action.removeprefix("flow."))
        if restriction:
            return restriction.sentence
    return ""


def judge(plan: Plan) -> change_guard.BulkDecision:
    """Return what the policies of the accounts decide about the changes that a start would make."""
    is_startable = plan.status in (PlanStatus.DRAFT, PlanStatus.STOPPED)
    remaining = plan.remaining_changes if is_startable else PlannedChange.objects.none()
    items = remaining.exclude(action=LocalDetailsAction.CHANGE).order_by("position")
    changes = (
        change_guard.BulkItem(
            account_sid=change.account_sid,
            operation=change.action.removeprefix("flow."),
            before=change.before,
            requested=change.requested,
        )
        for change in items.iterator()
    )
    return change_guard.guard().judge_bulk(plan.pk, changes)


def has_change_permission(user: User, action: str, account_sid: str) -> bool:
    """Return True if the user may do `action` (such as "flow.update") in this account."""
    permission = PERMISSION_BY_ACTION[action]
    return has_permission(user, permission, account_sid or twilio_accounts.ALL_ACCOUNTS)


def _actions_by_account(
    changes: QuerySet[PlannedChange],
) -> QuerySet[PlannedChange, tuple[str, str]]:
    return changes.order_by().values_list("action", "account_sid").distinct()


def _has_token(user: User) -> bool:
    """Return True for the user of a request that came with an API token."""
    return getattr(user, "token_limits", None) is not None


def _has_permission_on_all(user: User, permission: str, account_sids: list[str]) -> bool:
    """Return True for each of the accounts, or for any account if the plan changes no flow."""
    if not account_sids:
        return has_permission_anywhere(user, permission)
    return all(has_permission(user, permission, sid) for sid in account_sids)
