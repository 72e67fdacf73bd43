"""Leases: at most one run makes steps in an account at a time, so one number is switched over at once.

A run renews its lease before each step. A run whose lease has expired is taken for dead, and another
one takes over where the log says that it was.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from django.db.models import Q, QuerySet
from django.utils import timezone

from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.migration.models import MigrationLease

LEASE_TIMEOUT: Final = ATTEMPT_TIMEOUT  # no single step takes longer
PICKUP_TIMEOUT: Final = timedelta(seconds=10)


def acquire_lease(account_sid: str, lease_id: uuid.UUID) -> bool:
    """Take the lease of an account. Return False if another run holds it."""
    MigrationLease.objects.get_or_create(account_sid=account_sid)
    return _take(_idle_leases(account_sid), lease_id)


def renew_lease(account_sid: str, lease_id: uuid.UUID) -> bool:
    """Record a heartbeat. Return False if the run has lost its lease."""
    return _take(_held_leases(account_sid, lease_id), lease_id)


def release_lease(account_sid: str, lease_id: uuid.UUID) -> None:
    """Give the lease up for the next run."""
    _held_leases(account_sid, lease_id).update(lease_id=None)


def is_held(account_sid: str) -> bool:
    """Return True if a run that is alive holds the lease of an account."""
    leases = MigrationLease.objects.filter(account_sid=account_sid).exclude(lease_id=None)
    return leases.filter(heartbeat_at__gte=timezone.now() - LEASE_TIMEOUT).exists()


def _take(leases: QuerySet[MigrationLease], lease_id: uuid.UUID) -> bool:
    return bool(leases.update(lease_id=lease_id, heartbeat_at=timezone.now()))


def _held_leases(account_sid: str, lease_id: uuid.UUID) -> QuerySet[MigrationLease]:
    return MigrationLease.objects.filter(account_sid=account_sid, lease_id=lease_id)


def _idle_leases(account_sid: str) -> QuerySet[MigrationLease]:
    has_expired = Q(heartbeat_at__lt=timezone.now() - LEASE_TIMEOUT)
    is_idle = Q(lease_id=None) | Q(heartbeat_at=None) | has_expired
    return MigrationLease.objects.filter(is_idle, account_sid=account_sid)


def expire(account_sid: str) -> None:
    """Take a lease from a run that can't be alive."""
    MigrationLease.objects.filter(account_sid=account_sid).update(lease_id=None)
