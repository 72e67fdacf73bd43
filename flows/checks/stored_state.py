"""An account as the rules see it, read from the mirror and the names."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Min, Q

from flows.checks.account_rules import AccountState
from flows.checks.left_hosts import find_left_hosts
from flows.mirror.models import Flow
from flows.names.load_handling import load_surroundings
from flows.names.lookup import Name
from flows.names.models import NameReading, ResourceName


def load_state(account_sid: str) -> AccountState:
    """Return all flows of an account, all names, and what surrounds them, in a few queries."""
    flows = Flow.objects.filter(account_sid=account_sid, gone_at=None)
    rows = flows.order_by("sid").values_list("sid", "resource", "mirrored_at")
    snapshots = {}
    changed_at = {}
    for sid, snapshot, mirrored_at in rows:
        snapshots[sid] = snapshot
        changed_at[sid] = mirrored_at
    names, references = load_names(account_sid, Q())
    readings = load_readings(account_sid)
    return AccountState(
        flows=snapshots,
        names=names,
        references=references,
        complete=readings.keys(),
        read_at=readings,
        changed_at=changed_at,
        surroundings=load_surroundings(account_sid),
        left_hosts=find_left_hosts(account_sid),
    )


def load_names(account_sid: str, condition: Q) -> tuple[dict[str, Name], dict[str, str]]:
    """Return the names of these objects at Twilio, and their numbers, by SID."""
    rows = ResourceName.objects.filter(condition, account_sid=account_sid).values_list(
        "sid", "resource", "name", "status", "parent_sid", "gone_at", "revision", "reference"
    )
    names: dict[str, Name] = {}
    references: dict[str, str] = {}
    for sid, resource, name, status, parent_sid, gone_at, revision, reference in rows:
        names[sid] = Name(sid, resource, name, status, parent_sid, gone_at is not None, revision)
        references[sid] = reference
    return names, references


def load_readings(account_sid: str) -> dict[str, datetime]:
    """Return when each resource was read whose objects are all known, by its name."""
    readings = NameReading.objects.filter(
        account_sid=account_sid, failed_at=None, read_at__isnull=False
    )
    return {
        resource: read_at
        for resource, read_at in readings.values_list("resource", "read_at")
        if read_at is not None
    }


def oldest_reading(account_sids: Collection[str]) -> datetime | None:
    """Return the time of the oldest names that the checks use, or None if there are none."""
    readings = NameReading.objects.filter(account_sid__in=account_sids, failed_at=None)
    oldest: datetime | None = readings.aggregate(at=Min("read_at"))["at"]
    return oldest
