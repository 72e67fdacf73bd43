"""The signal about bulk changes that have ended. Upper packages receive it (flows/apps.py)."""

from __future__ import annotations

from typing import Final

from django.dispatch import Signal

from flows.plans.models import Plan
from flows.plans.status import ENDED_STATUSES

# A bulk change is finished or stopped. Has `plan_id`.
plan_ended: Final = Signal()


def announce_end(plan: Plan) -> None:
    """Send the signal if the plan has ended. A receiver that fails never fails the plan."""
    if Plan.objects.filter(pk=plan.pk, status__in=ENDED_STATUSES).exists():
        plan_ended.send_robust(None, plan_id=plan.pk)
