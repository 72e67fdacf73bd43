"""The mirror: Twilio's flows in the state that the audit log last recorded.

`sync` lists all flows of an account and compares them, `fetch` reads one flow. Differences go to
the log first (drift.py) and are stored afterwards. `apply_result` stores the outcome of a change.
Nothing in this module changes a flow at Twilio.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from flows.accounts.clients import READ_DEADLINE, resource_client
from flows.audit import audit_log
from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.core.database import close_lost_connection, short_lock_timeout
from flows.mirror import drift, first_contact, flow_rows, missing_flows, readonly_fields

# A migration imports `extract_columns` from here.
from flows.mirror.flow_rows import extract_columns as extract_columns
from flows.mirror.missing_flows import CheckResults
from flows.mirror.models import Flow, SyncState
from flows.mirror.stale_reads import StaleRead
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.errors import FlexError, OutcomeUnknown
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot

log = logging.getLogger(__name__)

SYNC_LEASE = timedelta(minutes=2)  # a sync that has run for longer is taken for dead
STALE_AFTER = timedelta(seconds=30)
SYNC_DEADLINE = 30.0  # seconds for a page of 1,000 flows
# Twilio's own codes. A 404 without one may come from a proxy or a wrong address.
NOT_FOUND_CODES = frozenset({20404, 45205})
# A list is believed if it lacks fewer existing flows: paging can lose some while flows change.
MISSING_THRESHOLD = 5
INCOMPLETE_LIST = "Twilio's list of flows leaves out flows that it still has"


@dataclass(frozen=True, slots=True)
class SyncReport:
    """Result of a complete sync, in numbers of flows.

    The last two are missing from Twilio's list: `unchecked` have not been fetched by SID yet,
    `left_out` still exist.
    """

    flows: int
    created: int
    changed: int
    deleted: int
    unchecked: int = 0
    left_out: int = 0

    @property
    def moved(self) -> bool:
        return bool(self.created or self.changed or self.deleted)


class SyncBusy(Exception):
    """Another sync of the account is running."""


def sync(account_sid: str) -> SyncReport:
    """Read all flows of an account from Twilio, record the differences and store them.

    Raise `SyncBusy` if another sync of the account is running. A `FlexError` while listing leaves
    the flows as they are, and is stored in the account's `SyncState` for the pages.
    """
    account_mirror = AccountMirror(account_sid)
    with short_lock_timeout():
        started_at = account_mirror.claim()
    try:
        read = _ReadStart(audit_log.last_seq(), started_at)
        report = _apply_listing(account_mirror.list_flows(), read, account_mirror)
    except BaseException as error:
        account_mirror.release(
            started_at, failed_at=timezone.now(), error=_describe_error(account_sid, error)
        )
        raise
    if account_mirror.needs_baseline():
        account_mirror.state_query().update(baseline_at=started_at)
    account_mirror.release(
        started_at, synced_at=timezone.now(), failed_at=None, error="", flows=report.flows
    )
    return report


def sync_state(account_sid: str) -> SyncState:
    """Return the stored sync state of an account, or an empty one if it was never synced."""
    account_mirror = AccountMirror(account_sid)
    return account_mirror.state_query().first() or SyncState(account_sid=account_sid)


def is_stale(state: SyncState, *, at: datetime | None = None) -> bool:
    """Return True if the list page should sync by itself: the last sync or failure is old."""
    last_end = max(filter(None, (state.synced_at, state.failed_at)), default=None)
    return last_end is None or (at or timezone.now()) - last_end > STALE_AFTER


def fetch(
    sid: str, *, account_sid: str, deadline: float = READ_DEADLINE, must_record: bool = False
) -> Snapshot:
    """Return a flow as Twilio has it now, unmasked, and record how it differs from the log.

    A 404 is recorded too. With `must_record`, raise `NotRecorded` if a difference can't be
    recorded: a change that follows would hide it. Raise `StaleRead` if Twilio does not show yet
    what it confirmed or showed a moment ago.
    """
    read = _ReadStart.capture()
    account_mirror = AccountMirror(account_sid)
    try:
        snapshot = resource_client(FLEX_FLOW, account_mirror.account_sid, deadline=deadline).fetch(
            sid
        )
    except FlexError as error:
        first_contact.record_response(account_mirror.account_sid, "fetch", error)
        if is_not_found(error):
            drift.reject_stale_read(sid, None, read_seq=read.seq, at=read.at)
            _record_deletion(sid, read, account_mirror)
        raise
    first_contact.record_response(account_mirror.account_sid, "fetch", None)
    masked = redact_fields(snapshot)
    drift.reject_stale_read(sid, masked, read_seq=read.seq, at=read.at)
    with _suppress_write_errors(must_record=must_record):
        mirrored = flow_rows.load_snapshots(flow_rows.query_flows([sid]))
        _record_and_apply({sid: masked}, read, account_mirror, mirrored)
    return snapshot


def fetch_all(account_sid: str) -> list[Redacted]:
    """Return all flows of an account as Twilio has them now, masked, without storing them.

    Raise `OutcomeUnknown` if the list lacks a flow that exists: nothing can be concluded from it.
    """
    account_mirror, read = AccountMirror(account_sid), _ReadStart.capture()
    snapshots = {
        snapshot["sid"]: redact_fields(snapshot) for snapshot in account_mirror.list_flows()
    }
    mirrored = Flow.objects.filter(account_sid=account_sid, gone_at=None)
    missing = set(mirrored.values_list("sid", flat=True)) - snapshots.keys()
    if missing:
        missing -= missing_flows.find_recently_changed(missing, at=read.at)
        checks = missing_flows.check_by_sid(sorted(missing), account_mirror.fetch_flow)
        if len(checks.deleted) < len(missing):
            raise OutcomeUnknown(
                INCOMPLETE_LIST
                if checks.present
                else "Twilio's list lacks flows that could not be checked"
            )
    return list(snapshots.values())


def mark_deleted(sid: str, *, account_sid: str, read_seq: int) -> None:
    """Record and store a deletion. Twilio's 404 answered a request sent after event `read_seq`."""
    account_mirror = AccountMirror(account_sid)
    _record_deletion(sid, _ReadStart(read_seq, timezone.now()), account_mirror)


def _record_deletion(sid: str, read: _ReadStart, account_mirror: AccountMirror) -> None:
    """Record a deletion, unless Twilio refuses to list flows: then a 404 proves nothing."""
    with _suppress_write_errors():
        availability = restrictions.account_availability(account_mirror.account_sid)
        if availability.restriction_of("list") is None:
            mirrored = flow_rows.load_snapshots(flow_rows.query_flows([sid]))
            _record_and_apply({sid: None}, read, account_mirror, mirrored)


def apply_result(snapshot: Redacted | None, event: AuditEvent) -> None:
    """Store the result of a change that `event` recorded, unless the log has a newer state.

    None means that the flow was deleted: its row keeps the last values.
    """
    sid = event.target_sid
    with _suppress_write_errors(), transaction.atomic():
        list(Flow.objects.select_for_update().filter(sid=sid))
        latest = drift.last_recorded_states([sid]).get(sid)
        if latest is None or latest.seq <= event.seq or drift.is_same(latest.snapshot, snapshot):
            flow_rows.save_snapshots({sid: snapshot}, event.account_sid)
    if snapshot is not None:
        with _suppress_write_errors():
            readonly_fields.record_new_fields(event.account_sid, [(event.payload.before, snapshot)])


def flow_from_snapshot(snapshot: Redacted, account_sid: str) -> Flow:
    """Return a snapshot as an unsaved row of the mirror, for pages that show what was just read."""
    return flow_rows.build_row(snapshot, account_sid, timezone.now())


def is_not_found(error: FlexError | None) -> bool:
    """Return True if Twilio has no such flow, or confirmed its deletion a moment ago."""
    if isinstance(error, StaleRead):
        return error.confirmed is None
    return error is not None and error.status == 404 and error.code in NOT_FOUND_CODES


@contextlib.contextmanager
def _suppress_write_errors(*, must_record: bool = False) -> Iterator[None]:
    """Log an error while storing instead of raising it, and wait only briefly for a lock.

    The user still gets Twilio's response; the next read stores it. With `must_record`, wait as
    usual and raise `NotRecorded`.
    """
    try:
        with contextlib.nullcontext() if must_record else short_lock_timeout():
            yield
    except Exception as error:
        close_lost_connection()
        if must_record and isinstance(error, Error | NotRecorded):
            raise NotRecorded("external changes cannot be recorded") from error
        # Only the type: a database's message can quote the row.
        log.error("the mirror could not store Twilio's response: %s", type(error).__name__)


@dataclass(frozen=True, slots=True)
class _ReadStart:
    """Start of a read from Twilio: the last `seq` of the log, and the time."""

    seq: int
    at: datetime

    @classmethod
    def capture(cls) -> _ReadStart:
        return cls(audit_log.last_seq(), timezone.now())


@dataclass(slots=True)
class AccountMirror:
    """The mirror of one account: its reads from Twilio, and the lease of its running sync."""

    account_sid: str
    state: SyncState = field(init=False)  # before this sync

    def __post_init__(self) -> None:
        self.state = SyncState(account_sid=self.account_sid)

    def fetch_flow(self, sid: str) -> Redacted | None:
        """Return one flow, masked, or None if Twilio says that it has no such flow."""
        try:
            snapshot = resource_client(FLEX_FLOW, self.account_sid, deadline=READ_DEADLINE).fetch(
                sid
            )
        except FlexError as error:
            first_contact.record_response(self.account_sid, "fetch", error)
            if is_not_found(error):
                return None
            raise
        return redact_fields(snapshot)

    def list_flows(self) -> Iterator[Snapshot]:
        """Request all flows at once and return them one by one, unmasked.

        A `FlexError` may come after some of them.
        """
        pages = resource_client(FLEX_FLOW, self.account_sid, deadline=SYNC_DEADLINE).list()

        def record_while_reading() -> Iterator[Snapshot]:
            try:
                yield from pages
            except FlexError as error:
                first_contact.record_response(self.account_sid, "list", error)
                raise
            first_contact.record_response(self.account_sid, "list", None)

        return record_while_reading()

    def state_query(self) -> QuerySet[SyncState]:
        return SyncState.objects.filter(account_sid=self.account_sid)

    def claim(self) -> datetime:
        """Start a sync and return its start. Raise `SyncBusy` if one is running."""
        started_at = timezone.now()
        self.state, _ = SyncState.objects.get_or_create(account_sid=self.account_sid)
        is_free = Q(started_at=None) | Q(started_at__lt=started_at - SYNC_LEASE)
        if not self.state_query().filter(is_free).update(started_at=started_at):
            raise SyncBusy
        return started_at

    def release(self, started_at: datetime, **values: Any) -> None:
        """End the sync and store `values` in its state, unless another sync has replaced it."""
        self.state_query().filter(started_at=started_at).update(started_at=None, **values)

    def needs_baseline(self) -> bool:
        return not self.state_query().exclude(baseline_at=None).exists()


def _apply_listing(
    listing: Iterable[Snapshot], read: _ReadStart, account_mirror: AccountMirror
) -> SyncReport:
    """Record and store how a listing differs from the mirror.

    Flows that are missing from it or look older than the mirror are first fetched by SID.
    """
    rows = Flow.objects.filter(account_sid=account_mirror.account_sid)
    mirrored = flow_rows.load_snapshots(rows)
    states, suspects = missing_flows.read_listing(listing, mirrored)
    listed_count = len(states)
    existing = {sid for sid, snapshot in mirrored.items() if snapshot is not None}
    missing = existing - states.keys()
    restriction = None
    if missing or suspects:
        availability = restrictions.account_availability(account_mirror.account_sid)
        restriction = availability.restriction_of("fetch")
    suspect_checks = CheckResults()
    if restriction is None:
        suspect_checks = missing_flows.check_suspect_flows(
            states, suspects, account_mirror.fetch_flow, mirrored=mirrored, at=read.at
        )
    gap = missing_flows.check_missing_flows(
        account_mirror.state,
        missing,
        account_mirror.fetch_flow,
        limit=missing_flows.MAX_CHECKS - suspect_checks.count,
        at=read.at,
        refusal=restriction.sentence if restriction else "",
    )
    missing_states = {**gap.checks.present, **dict.fromkeys(gap.checks.deleted)}
    if gap.left_out >= MISSING_THRESHOLD:
        _record_and_apply(missing_states, read, account_mirror, mirrored)
        raise OutcomeUnknown(INCOMPLETE_LIST)
    states |= missing_states
    unmirrored = states.keys() - mirrored.keys()
    if unmirrored:  # the mirror may have them under another account
        mirrored |= flow_rows.load_snapshots(flow_rows.query_flows(unmirrored))
    stored = _record_and_apply(states, read, account_mirror, mirrored)
    deleted = {sid for sid in stored if states[sid] is None}
    return SyncReport(
        flows=listed_count + len(gap.checks.present),
        created=len(stored - existing - deleted),
        changed=len(stored & existing - deleted),
        deleted=len(deleted),
        unchecked=gap.unchecked,
        left_out=gap.left_out,
    )


def _record_and_apply(
    states: Mapping[str, Redacted | None],
    read: _ReadStart,
    account_mirror: AccountMirror,
    mirrored: Mapping[str, Redacted | None],
) -> set[str]:
    """Record how these states differ from the mirror, store them, and return the stored SIDs."""
    is_baseline = account_mirror.needs_baseline()
    differing = flow_rows.select_differing(states, mirrored)
    if is_baseline:  # also records flows that are the same
        differing = {
            sid: snapshot
            for sid, snapshot in states.items()
            if snapshot is not None or sid in differing
        }
    if not differing:
        return set()
    recorded_seqs = drift.record_differences(
        differing,
        account_sid=account_mirror.account_sid,
        read_seq=read.seq,
        is_baseline=is_baseline,
        mirrored_snapshots=mirrored,
        at=read.at,
    )
    to_store = {sid for sid in recorded_seqs if mirrored.get(sid) != differing[sid]}
    with transaction.atomic():
        # Locks the rows, so that `apply_result` waits.
        rows = flow_rows.query_flows(to_store).order_by("sid")
        list(rows.select_for_update().values_list("sid"))
        to_store -= _find_superseded(to_store, recorded_seqs)
        snapshots = {sid: differing[sid] for sid in to_store}
        flow_rows.save_snapshots(snapshots, account_mirror.account_sid)
    return to_store


def _find_superseded(sids: set[str], recorded_seqs: Mapping[str, int]) -> set[str]:
    """Return the flows with an event that was recorded meanwhile, and is newer than this read."""
    latest = drift.last_recorded_states(sids)
    return {sid for sid, state in latest.items() if state.seq > recorded_seqs[sid]}


def _describe_error(account_sid: str, error: BaseException) -> str:
    if not isinstance(error, FlexError):
        return "Internal error"
    explanation = first_contact.explain_failure(account_sid, error)
    if explanation:
        return explanation
    sentence = str(error)
    return sentence[:1].upper() + sentence[1:]
