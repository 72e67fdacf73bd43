"""Bulk changes that are not finished: in progress, stopped with flows left, or one's own draft."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.utils import timezone

from flows.accounts.twilio_accounts import Scope
from flows.plans import access, leases
from flows.plans.models import Plan
from flows.plans.status import ACTIVE_STATUSES, PlanStatus

MAX_PLANS: Final = 5
# Older drafts, and older bulk changes that someone stopped, need no attention.
MAX_AGE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class UnfinishedPlan:
    """A bulk change with the number of flows that it has not processed yet."""

    plan: Plan
    flows_left: int

    @property
    def is_waiting(self) -> bool:
        """Return True if it is in progress, but no worker makes its changes."""
        return leases.is_waiting_for_worker(self.plan)


def load_unfinished_plans(user: User, scope: Scope) -> tuple[list[UnfinishedPlan], bool]:
    """Return the latest ones that the user may see, and whether there are more.

    It takes one query. `scope` holds the accounts that the user may see.
    """
    oldest = timezone.now() - MAX_AGE
    is_unfinished = (
        Q(status__in=ACTIVE_STATUSES)
        | Q(status=PlanStatus.STOPPED, ended_at__gte=oldest)
        | Q(status=PlanStatus.DRAFT, created_by=user.get_username()[:150], created_at__gte=oldest)
    )
    is_left = Q(changes__skip_reason="", changes__done_at=None)
    visible = access.filter_visible(Plan.objects.filter(is_unfinished), user, scope)
    counted = visible.annotate(left=Count("changes", filter=is_left)).filter(left__gt=0)
    rows = list(counted.order_by("-created_at")[: MAX_PLANS + 1])
    latest = [UnfinishedPlan(plan, plan.left) for plan in rows[:MAX_PLANS]]
    return latest, len(rows) > MAX_PLANS
