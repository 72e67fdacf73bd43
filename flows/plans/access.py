"""Who may see a bulk change and act on it. What is skipped takes no permission: only the flows that it changes count.
Its maker always sees a draft of theirs, and can discard it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Count, Q, QuerySet

from flows.accounts import twilio_accounts
from flows.plans.models import Plan, PlannedChange

# What a plan does or did: all but what was skipped before it was started.
EFFECTIVE_CHANGES: Final = Q(skipped="") | Q(done_at__isnull=False)
_VIEW_PERMISSION, _CHANGE_PERMISSION = "flows.view_flow", "flows.change_flow"


@dataclass(frozen=True, slots=True)
class PlanPermissions:
    """What a user may do with a bulk change: look at it, act on it (start, stop, resume, retry, roll back), discard
    it while it is a draft."""

    can_see: bool
    can_act: bool
    can_discard: bool


def account_sids_of_plan(plan_id: uuid.UUID) -> list[str]:
    """The accounts whose flows a plan changes."""
    planned = PlannedChange.objects.filter(EFFECTIVE_CHANGES, plan=plan_id).exclude(account_sid="")
    return list(planned.order_by().values_list("account_sid", flat=True).distinct())


def account_sids_by_plan(plans: Sequence[Plan]) -> dict[uuid.UUID, list[str]]:
    """The same of several plans, by their ids."""
    planned = PlannedChange.objects.filter(EFFECTIVE_CHANGES, plan__in=plans).exclude(
        account_sid=""
    )
    found: dict[uuid.UUID, list[str]] = {plan.pk: [] for plan in plans}
    for plan_id, account_sid in planned.order_by().values_list("plan", "account_sid").distinct():
        found[plan_id].append(account_sid)
    return found


def permissions_on_plan(user: User, plan: Plan, account_sids: list[str]) -> PlanPermissions:
    """The powers of a user over a plan that changes flows of these accounts."""
    is_own_draft = plan.state == "draft" and plan.made_by == user.get_username()[:150]
    can_act = _has_permission_on_all(user, _CHANGE_PERMISSION, account_sids)
    return PlanPermissions(
        can_see=is_own_draft or _has_permission_on_all(user, _VIEW_PERMISSION, account_sids),
        can_act=can_act,
        can_discard=is_own_draft or can_act,
    )


def visible_plans(user: User, scope: twilio_accounts.Scope) -> QuerySet[Plan]:
    """The plans that a user may see, each with the number of its `flows`: all of one, or nothing, since its figures
    would tell of the rest. `scope`: the accounts that they see."""
    counted = Q(changes__skipped="") | Q(changes__done_at__isnull=False)
    plans = Plan.objects.annotate(flows=Count("changes", filter=counted))
    if scope is None:
        return plans
    beyond = (
        PlannedChange.objects.filter(EFFECTIVE_CHANGES)
        .exclude(account_sid__in=["", *scope])
        .values("plan")
    )
    return plans.filter(~Q(pk__in=beyond) | Q(made_by=user.get_username()[:150], started_at=None))


def _has_permission_on_all(user: User, permission: str, account_sids: list[str]) -> bool:
    return all(user.has_perm(permission, sid or None) for sid in account_sids or [""])  # type: ignore[arg-type]
