"""Leases: at most one run makes the changes of a plan at a time.

A run renews its lease before each change. A run whose lease has expired is taken for dead, and
another one takes the plan over. That doesn't change the plan's status.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from flows.plans.models import Plan
from flows.plans.status import ACTIVE_STATUSES

LEASE_TIMEOUT: Final = timedelta(minutes=2)  # no single change takes longer
PICKUP_TIMEOUT: Final = timedelta(seconds=10)


def acquire_lease(plan: Plan, lease_id: uuid.UUID) -> bool:
    """Take the lease of an active plan. Return False if another run holds it."""
    updated = idle_plan(plan).update(lease_id=lease_id, heartbeat_at=timezone.now())
    return bool(updated)


def renew_lease(plan: Plan, lease_id: uuid.UUID) -> bool:
    """Record a heartbeat. Return False if the run has lost its lease."""
    return bool(leased_plan(plan, lease_id).update(heartbeat_at=timezone.now()))


def release_lease(plan: Plan, lease_id: uuid.UUID) -> bool:
    """Give the lease up for the next run. Return False if the run has lost it."""
    return bool(leased_plan(plan, lease_id).update(lease_id=None))


def leased_plan(plan: Plan, lease_id: uuid.UUID) -> QuerySet[Plan]:
    """Return a query for the plan that is empty if the run has lost its lease."""
    return Plan.objects.filter(pk=plan.pk, lease_id=lease_id, status__in=ACTIVE_STATUSES)


def idle_plan(plan: Plan) -> QuerySet[Plan]:
    """Return a query for an active plan that is empty while a run holds its lease."""
    is_idle = Q(lease_id=None) | _has_no_heartbeat()
    return Plan.objects.filter(is_idle, pk=plan.pk, status__in=ACTIVE_STATUSES)


def abandoned_plan(plan: Plan) -> QuerySet[Plan]:
    """Return a query for an active plan that is empty while there is a heartbeat."""
    return Plan.objects.filter(_has_no_heartbeat(), pk=plan.pk, status__in=ACTIVE_STATUSES)


def is_waiting_for_worker(plan: Plan) -> bool:
    """Return True if an active plan has had no worker for longer than a pickup takes."""
    if plan.status not in ACTIVE_STATUSES:
        return False
    if plan.heartbeat_at is None:
        return True
    # A worker that holds the lease has until the lease expires.
    timeout = LEASE_TIMEOUT if plan.lease_id else PICKUP_TIMEOUT
    return plan.heartbeat_at < timezone.now() - timeout


def _has_no_heartbeat() -> Q:
    return Q(heartbeat_at=None) | Q(heartbeat_at__lt=timezone.now() - LEASE_TIMEOUT)
