"""Flows that Twilio's list lacks or shows wrongly: they are fetched one by one before a conclusion.

Only Twilio's own "not found" for a flow's SID proves its deletion. Each sync fetches a few flows,
at the rate that Twilio allows. The progress is stored for the pages.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from django.utils.text import capfirst

from flows.core.database import BATCH_SIZE
from flows.mirror import stale_reads
from flows.mirror.models import MissingFlow, SyncState
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.errors import FlexError

MAX_CHECKS: Final = 20  # flows that a sync fetches by SID: ten seconds, at Twilio's two a second
CHECK_TIMEOUT: Final = 30.0  # seconds after which a sync fetches no further flow
# A missing flow that was found to exist is not fetched again for this long.
RECHECK_AFTER: Final = stale_reads.CONSISTENCY_WINDOW

# Returns the flow, or None if Twilio says that it has no such flow. Raises FlexError.
FetchFlow = Callable[[str], Redacted | None]


@dataclass(slots=True)
class CheckResults:
    """Twilio's responses for flows fetched by SID. `error` is the failure that ended the checks."""

    present: dict[str, Redacted] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    error: str = ""

    @property
    def count(self) -> int:
        return len(self.present) + len(self.deleted)


@dataclass(frozen=True, slots=True)
class MissingReport:
    """Checks of the flows that a listing lacks.

    `unchecked` is the number of flows not fetched yet, `left_out` of those that still exist.
    """

    checks: CheckResults
    unchecked: int = 0
    left_out: int = 0


def read_listing(
    listing: Iterable[Mapping[str, Any]], mirrored: Mapping[str, Redacted | None]
) -> tuple[dict[str, Redacted | None], set[str]]:
    """Return the flows of a listing, masked, and the SIDs of those that it may show wrongly.

    These are flows that were deleted, that it dates before the mirror's snapshot, or that it has
    twice with different values.
    """
    states: dict[str, Redacted | None] = {}
    suspects: set[str] = set()
    for snapshot in listing:
        sid = snapshot["sid"]
        mirrored_snapshot = mirrored.get(sid)
        if snapshot == mirrored_snapshot:
            # True of most flows, and masking them all would take most of the time.
            listed = mirrored_snapshot
        else:
            listed = redact_fields(snapshot)
            is_outdated = sid in mirrored and (
                mirrored_snapshot is None or stale_reads.is_older(listed, mirrored_snapshot)
            )
            if is_outdated:
                suspects.add(sid)
        if sid in states and states[sid] != listed:
            suspects.add(sid)
        states[sid] = listed
    return states, suspects


def check_by_sid(
    sids: Iterable[str], fetch_flow: FetchFlow, *, limit: int = MAX_CHECKS
) -> CheckResults:
    """Fetch up to `limit` of these flows. The first failure ends the checks."""
    checks = CheckResults()
    deadline = time.monotonic() + CHECK_TIMEOUT
    for sid in itertools.islice(sids, limit):
        if time.monotonic() >= deadline:
            break
        try:
            flow = fetch_flow(sid)
        except FlexError as error:
            checks.error = str(error)
            break
        if flow is None:
            checks.deleted.add(sid)
        else:
            checks.present[sid] = flow
    return checks


def find_recently_changed(sids: Collection[str], *, at: datetime) -> set[str]:
    """Return the flows that a list may lack because they were created or changed a moment ago."""
    recent = stale_reads.recent_events(sids, at=at)
    present = redact_fields({})
    return {
        sid
        for sid, events in recent.items()
        if stale_reads.find_contradiction(events, present, None)
    }


def check_suspect_flows(
    states: MutableMapping[str, Redacted | None],
    suspects: Collection[str],
    fetch_flow: FetchFlow,
    *,
    mirrored: Mapping[str, Redacted | None],
    at: datetime,
) -> CheckResults:
    """Fetch the flows that a listing may show wrongly, and replace their `states` by the result.

    A flow that can't be fetched, or that changed a moment ago, is removed from `states`: the
    mirror keeps its snapshot.
    """
    if not suspects:
        return CheckResults()
    recent = stale_reads.recent_events(suspects, at=at)
    due = (
        sid
        for sid in sorted(suspects)
        if not stale_reads.find_contradiction(recent.get(sid, []), mirrored.get(sid), states[sid])
    )
    checks = check_by_sid(due, fetch_flow)
    for sid in suspects:
        del states[sid]
    states.update(checks.present)
    return checks


def check_missing_flows(
    state: SyncState,
    missing: Collection[str],
    fetch_flow: FetchFlow,
    *,
    limit: int,
    at: datetime,
    refusal: str = "",
) -> MissingReport:
    """Fetch some of the flows that a listing lacks, and store the progress.

    `state` is the account's state before the sync. `refusal` is the reason if Twilio refuses to
    show single flows; then none is fetched.
    """
    if not missing and not state.has_gap:
        return MissingReport(CheckResults())
    unexplained = set(missing) - find_recently_changed(missing, at=at)
    rows = {row.sid: row for row in MissingFlow.objects.filter(account_sid=state.account_sid)}
    if refusal:
        checks = CheckResults(error=refusal)
    else:
        checks = check_by_sid(_order_checks(unexplained, rows, at=at), fetch_flow, limit=limit)
    checked_at = _merge_check_times(unexplained - checks.deleted, rows, checks, at=at)
    unchecked = sum(last_check is None for last_check in checked_at.values())
    report = MissingReport(checks, unchecked, len(checked_at) - unchecked)
    checked_before = _count_checked_before(state, rows, missing)
    _save_missing(state, rows, checked_at, at=at)
    _save_progress(state, report, checked_before)
    return report


def find_unchecked(sids: Collection[str]) -> set[str]:
    """Return the flows that Twilio's list lacks and that have not been fetched by SID yet."""
    unchecked = MissingFlow.objects.filter(sid__in=list(sids), asked_at=None)
    return set(unchecked.values_list("sid", flat=True))


def _order_checks(sids: set[str], rows: Mapping[str, MissingFlow], *, at: datetime) -> list[str]:
    """Return the flows to fetch: the unchecked, longest missing first, then those due again.

    A flow without a row is missing since this sync, which began at the time `at`.
    """
    unchecked: list[tuple[datetime, str]] = []
    due_again: list[tuple[datetime, str]] = []
    for sid in sids:
        row = rows.get(sid)
        if row is None:
            unchecked.append((at, sid))
        elif row.asked_at is None:
            unchecked.append((row.since, sid))
        elif row.asked_at <= at - RECHECK_AFTER:
            due_again.append((row.asked_at, sid))
    return [sid for _, sid in [*sorted(unchecked), *sorted(due_again)]]


def _merge_check_times(
    sids: Collection[str],
    rows: Mapping[str, MissingFlow],
    checks: CheckResults,
    *,
    at: datetime,
) -> dict[str, datetime | None]:
    """Return the time of each flow's last check, None for a flow that was never fetched."""
    earlier_times = {sid: row.asked_at for sid, row in rows.items()}
    times = {sid: earlier_times.get(sid) for sid in sids}
    times |= dict.fromkeys(checks.present.keys() & times.keys(), at)
    return times


def _save_missing(
    state: SyncState,
    rows: Mapping[str, MissingFlow],
    checked_at: Mapping[str, datetime | None],
    *,
    at: datetime,
) -> None:
    """Store exactly the flows that are still missing, with the times of their last checks."""
    resolved = MissingFlow.objects.filter(
        account_sid=state.account_sid, sid__in=rows.keys() - checked_at.keys()
    )
    resolved.delete()
    new = [
        MissingFlow(sid=sid, account_sid=state.account_sid, since=at, asked_at=checked_at[sid])
        for sid in sorted(checked_at.keys() - rows.keys())
    ]
    MissingFlow.objects.bulk_create(new, batch_size=BATCH_SIZE, ignore_conflicts=True)
    changed = []
    for sid in checked_at.keys() & rows.keys():
        row = rows[sid]
        if row.asked_at != checked_at[sid]:
            row.asked_at = checked_at[sid]
            changed.append(row)
    MissingFlow.objects.bulk_update(changed, ["asked_at"], batch_size=BATCH_SIZE)


def _count_checked_before(
    state: SyncState, rows: Mapping[str, MissingFlow], missing: Collection[str]
) -> int:
    """Return the number of flows that earlier syncs checked in the same gap of the list.

    A gap goes on while one of its unchecked flows is missing. After a failed sync, the list can
    have another gap, whose count begins at 0.
    """
    unchecked = {sid for sid, row in rows.items() if row.asked_at is None}
    return 0 if unchecked.isdisjoint(missing) else state.missing_checked


def _save_progress(state: SyncState, report: MissingReport, checked_before: int) -> None:
    """Store the numbers that the pages show while flows are being checked."""
    is_checking = report.unchecked > 0
    SyncState.objects.filter(pk=state.pk).update(
        missing=report.unchecked,
        missing_checked=checked_before + report.checks.count if is_checking else 0,
        left_out=report.left_out,
        check_error=capfirst(report.checks.error) if is_checking else "",
    )
