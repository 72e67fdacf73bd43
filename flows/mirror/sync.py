"""Sync of an account: all its flows are read from Twilio, compared with the mirror and stored.

One sync of an account runs at a time. Its lease and its result are in the account's `SyncState`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import capfirst

from flows.audit import audit_log
from flows.availability import restrictions
from flows.core.database import short_lock_timeout
from flows.mirror import first_contact, flow_reads, flow_rows, mirror, missing_flows
from flows.mirror.missing_flows import CheckResults
from flows.mirror.models import Flow, SyncState
from flows.mirror.stale_reads import ReadStart
from flows.redaction.redacted import Redacted
from flows.twilio.errors import FlexError, OutcomeUnknown
from flows.twilio.resource import Snapshot

SYNC_LEASE = timedelta(minutes=2)  # a sync that has run for longer is taken for dead
STALE_AFTER = timedelta(seconds=30)
# A list is believed if it lacks fewer existing flows: paging can lose some while flows change.
MISSING_THRESHOLD = 5


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Result of a complete sync, in numbers of flows.

    `unchecked` and `left_out` are missing from Twilio's list. The first have not been fetched by
    SID yet, the second still exist. `names` is the number of changed names, if names were read.
    """

    flows: int
    created: int
    changed: int
    deleted: int
    unchecked: int = 0
    left_out: int = 0
    names: int = 0

    @property
    def has_changes(self) -> bool:
        return bool(self.created or self.changed or self.deleted or self.names)


class SyncBusy(Exception):
    """Another sync of the account is running."""


def sync_account(account_sid: str) -> SyncReport:
    """Read all flows of an account from Twilio, record the differences and store them.

    Raise `SyncBusy` if another sync of the account is running. A `FlexError` while listing leaves
    the flows as they are, and is stored in the account's `SyncState` for the pages.
    """
    with short_lock_timeout():
        lease = _SyncLease.claim(account_sid)
    try:
        read = ReadStart(audit_log.last_seq(), lease.started_at)
        report = _apply_listing(flow_reads.list_flows(account_sid), read, lease.state)
    except BaseException as error:
        lease.release(failed_at=timezone.now(), error=_describe_error(account_sid, error))
        raise
    if mirror.needs_baseline(account_sid):
        _state_query(account_sid).update(baseline_at=lease.started_at)
    lease.release(synced_at=timezone.now(), failed_at=None, error="", flows=report.flows)
    return report


def sync_state(account_sid: str) -> SyncState:
    """Return the stored sync state of an account, or an empty one if it was never synced."""
    return _state_query(account_sid).first() or SyncState(account_sid=account_sid)


def needs_sync(state: SyncState, *, at: datetime | None = None) -> bool:
    """Return True if the list page should sync by itself: the last sync or failure is old."""
    last_end = max(filter(None, (state.synced_at, state.failed_at)), default=None)
    return last_end is None or (at or timezone.now()) - last_end > STALE_AFTER


@dataclass(frozen=True, slots=True)
class _SyncLease:
    """The right to sync an account. `state` is the account's state before this sync."""

    state: SyncState
    started_at: datetime

    @classmethod
    def claim(cls, account_sid: str) -> _SyncLease:
        """Start a sync. Raise `SyncBusy` if one is running."""
        started_at = timezone.now()
        state, _ = SyncState.objects.get_or_create(account_sid=account_sid)
        is_free = Q(started_at=None) | Q(started_at__lt=started_at - SYNC_LEASE)
        if not _state_query(account_sid).filter(is_free).update(started_at=started_at):
            raise SyncBusy
        return cls(state, started_at)

    def release(self, **values: Any) -> None:
        """End the sync and store `values` in its state, unless another sync has replaced it."""
        own_state = _state_query(self.state.account_sid).filter(started_at=self.started_at)
        own_state.update(started_at=None, **values)


def _state_query(account_sid: str) -> QuerySet[SyncState]:
    return SyncState.objects.filter(account_sid=account_sid)


def _apply_listing(listing: Iterable[Snapshot], read: ReadStart, state: SyncState) -> SyncReport:
    """Record and store how a listing differs from the mirror.

    Flows that are missing from it or look older than the mirror are first fetched by SID.
    """
    account_sid = state.account_sid
    mirrored = flow_rows.load_snapshots(Flow.objects.filter(account_sid=account_sid))
    states, suspects = missing_flows.read_listing(listing, mirrored)
    listed_count = len(states)
    existing = {sid for sid, snapshot in mirrored.items() if snapshot is not None}
    missing = existing - states.keys()
    refusal = _fetch_refusal(account_sid) if missing or suspects else ""
    fetch_flow = partial(flow_reads.fetch_existing, account_sid)
    suspect_checks = CheckResults()
    if not refusal:
        suspect_checks = missing_flows.check_suspect_flows(
            states, suspects, fetch_flow, mirrored=mirrored, at=read.at
        )
    gap = missing_flows.check_missing_flows(
        state,
        missing,
        fetch_flow,
        limit=missing_flows.MAX_CHECKS - suspect_checks.count,
        at=read.at,
        refusal=refusal,
    )
    missing_states = {**gap.checks.present, **dict.fromkeys(gap.checks.deleted)}
    if gap.left_out >= MISSING_THRESHOLD:
        mirror.record_and_store(missing_states, read, account_sid, mirrored)
        raise OutcomeUnknown(flow_reads.INCOMPLETE_LIST)
    states |= missing_states
    stored = mirror.record_and_store(
        states, read, account_sid, mirrored | _load_unmirrored(states, mirrored)
    )
    deleted = {sid for sid in stored if states[sid] is None}
    return SyncReport(
        flows=listed_count + len(gap.checks.present),
        created=len(stored - existing - deleted),
        changed=len(stored & existing - deleted),
        deleted=len(deleted),
        unchecked=gap.unchecked,
        left_out=gap.left_out,
    )


def _fetch_refusal(account_sid: str) -> str:
    """Return the reason if Twilio refuses to show single flows, or ""."""
    availability = restrictions.account_availability(account_sid)
    restriction = availability.restriction_of("fetch")
    return restriction.sentence if restriction else ""


def _load_unmirrored(
    states: Mapping[str, Redacted | None], mirrored: Mapping[str, Redacted | None]
) -> dict[str, Redacted | None]:
    """Return the snapshots of flows that the mirror may have under another account."""
    unmirrored = states.keys() - mirrored.keys()
    return flow_rows.load_snapshots(flow_rows.query_flows(unmirrored)) if unmirrored else {}


def _describe_error(account_sid: str, error: BaseException) -> str:
    if not isinstance(error, FlexError):
        return "Internal error"
    return first_contact.explain_failure(account_sid, error) or capfirst(str(error))
