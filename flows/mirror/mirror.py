"""The mirror: Twilio's flows in the state that the audit log last recorded.

`fetch` reads one flow, and `apply_result` stores the outcome of a change. Differences go to the log
first (drift.py) and are stored afterwards. sync.py does the same for all flows of an account.
Nothing in this module changes a flow at Twilio.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping

from django.db import Error, transaction
from django.utils import timezone

from flows.accounts.clients import READ_DEADLINE
from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.core.database import close_lost_connection, short_lock_timeout
from flows.mirror import drift, first_contact, flow_reads, flow_rows, readonly_fields

# A migration imports `extract_columns` from here.
from flows.mirror.flow_rows import extract_columns as extract_columns
from flows.mirror.models import Flow, SyncState
from flows.mirror.stale_reads import ReadStart
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.errors import FlexError
from flows.twilio.resource import Snapshot

log = logging.getLogger(__name__)


def fetch(
    sid: str, *, account_sid: str, deadline: float = READ_DEADLINE, must_record: bool = False
) -> Snapshot:
    """Return a flow as Twilio has it now, unmasked, and record how it differs from the log.

    A 404 is recorded too. With `must_record`, raise `NotRecorded` if a difference can't be
    recorded: a change that follows would hide it. Raise `StaleRead` if Twilio does not show yet
    what it confirmed or showed a moment ago.
    """
    read = ReadStart.capture()
    try:
        snapshot = flow_reads.fetch_flow(account_sid, sid, deadline=deadline)
    except FlexError as error:
        if flow_reads.is_not_found(error):
            drift.reject_stale_read(sid, None, read)
            _record_deletion(sid, read, account_sid)
        raise
    first_contact.record_response(account_sid, "fetch", None)
    masked = redact_fields(snapshot)
    drift.reject_stale_read(sid, masked, read)
    with _suppress_write_errors(must_record=must_record):
        _record_flow(sid, masked, read, account_sid)
    return snapshot


def mark_deleted(sid: str, *, account_sid: str, read_seq: int) -> None:
    """Record and store a deletion. Twilio's 404 answered a request sent after event `read_seq`."""
    _record_deletion(sid, ReadStart(read_seq, timezone.now()), account_sid)


def _record_deletion(sid: str, read: ReadStart, account_sid: str) -> None:
    """Record a deletion, unless Twilio refuses to list flows: then a 404 proves nothing."""
    with _suppress_write_errors():
        availability = restrictions.account_availability(account_sid)
        if availability.restriction_of("list") is None:
            _record_flow(sid, None, read, account_sid)


def _record_flow(sid: str, snapshot: Redacted | None, read: ReadStart, account_sid: str) -> None:
    mirrored = flow_rows.load_snapshots(flow_rows.query_flows([sid]))
    record_and_store({sid: snapshot}, read, account_sid, mirrored)


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


def needs_baseline(account_sid: str) -> bool:
    """Return True until the first complete sync of an account has recorded all of its flows."""
    states = SyncState.objects.filter(account_sid=account_sid)
    return not states.exclude(baseline_at=None).exists()


def record_and_store(
    states: Mapping[str, Redacted | None],
    read: ReadStart,
    account_sid: str,
    mirrored: Mapping[str, Redacted | None],
) -> set[str]:
    """Record how these states differ from the mirror, store them, and return the stored SIDs."""
    is_baseline = needs_baseline(account_sid)
    differing = flow_rows.select_differing(states, mirrored)
    to_record = differing
    if is_baseline:  # also records flows that are the same
        existing = {sid: snapshot for sid, snapshot in states.items() if snapshot is not None}
        to_record = {**existing, **differing}
    if not to_record:
        return set()
    recorded_seqs = drift.record_differences(
        to_record,
        read,
        account_sid=account_sid,
        is_baseline=is_baseline,
        mirrored_snapshots=mirrored,
    )
    to_store = recorded_seqs.keys() & differing.keys()
    with transaction.atomic():
        # Locks the rows, so that `apply_result` waits.
        rows = flow_rows.query_flows(to_store).order_by("sid")
        list(rows.select_for_update().values_list("sid"))
        to_store -= _find_superseded(to_store, recorded_seqs)
        snapshots = {sid: states[sid] for sid in to_store}
        flow_rows.save_snapshots(snapshots, account_sid)
    return to_store


def _find_superseded(sids: set[str], recorded_seqs: Mapping[str, int]) -> set[str]:
    """Return the flows with an event that was recorded meanwhile, and is newer than this read."""
    latest = drift.last_recorded_seqs(sids)
    return {sid for sid, seq in latest.items() if seq > recorded_seqs[sid]}
