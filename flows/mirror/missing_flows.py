"""Flows that Twilio's list lacks. Absence takes proof: each is asked for by its SID, a few at every sync and at Twilio's
pace, and only Twilio's own "not found" counts as its deletion. How far the asking has come is stored, for the pages.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from flows.mirror import stale_reads
from flows.mirror.models import MissingFlow, SyncState
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import Snapshot

MAX_CHECKS: Final = 20  # flows that one sync asks for by SID: ten seconds, at Twilio's two a second
CHECK_TIMEOUT: Final = 30.0  # seconds after which a sync asks for no other
RECHECK_AFTER: Final = (
    stale_reads.CONSISTENCY_WINDOW
)  # how long an answer holds that a missing flow exists

# Return the flow, or None if Twilio says that it has no such flow. Raises FlexError.
FetchFlow = Callable[[str], Snapshot | None]


@dataclass(slots=True)
class CheckResults:
    """What Twilio said of flows that were asked for by SID. `error`: why the asking broke off, if it did."""

    present: dict[str, Snapshot] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    error: str = ""

    @property
    def count(self) -> int:
        return len(self.present) + len(self.gone)


@dataclass(frozen=True, slots=True)
class MissingReport:
    """The flows that a listing lacks. `unchecked` have not been asked for yet, `left_out` exist all the same."""

    answers: CheckResults
    unchecked: int = 0
    left_out: int = 0


def check_by_sid(sids: Iterable[str], ask: FetchFlow, *, most: int = MAX_CHECKS) -> CheckResults:
    """Ask for up to `most` of these flows, until one can't be had."""
    answers, until = CheckResults(), time.monotonic() + CHECK_TIMEOUT
    for sid in sids:
        if answers.count >= most or time.monotonic() >= until:
            break
        try:
            flow = ask(sid)
        except FlexError as error:
            answers.error = str(error)
            break
        if flow is None:
            answers.gone.add(sid)
        else:
            answers.present[sid] = flow
    return answers


def find_recently_changed(sids: Collection[str], *, at: datetime) -> set[str]:
    """Return those of these flows that a list can lack because they were created or changed a moment ago."""
    recent = stale_reads.recent_events(sids, at=at)
    return {
        sid for sid, events in recent.items() if stale_reads.find_contradiction(events, {}, None)
    }


def check_suspect_flows(
    listed: MutableMapping[str, Snapshot | None],
    doubted: Collection[str],
    ask: FetchFlow,
    *,
    known: Mapping[str, Snapshot | None],
    at: datetime,
) -> CheckResults:
    """Ask for the flows that a listing is not believed about, and put the answers in their place. Those that can't be
    had, or that changed a moment ago, are left out: they stay as they are `known`."""
    if not doubted:
        return CheckResults()
    recent = stale_reads.recent_events(doubted, at=at)
    due = (
        sid
        for sid in sorted(doubted)
        if not stale_reads.find_contradiction(recent.get(sid, []), known.get(sid), listed[sid])
    )
    answers = check_by_sid(due, ask)
    for sid in doubted:
        del listed[sid]
    listed.update(answers.present)
    return answers


def check_missing_flows(
    state: SyncState,
    missing: Collection[str],
    ask: FetchFlow,
    *,
    most: int,
    at: datetime,
    refusal: str = "",
) -> MissingReport:
    """Ask for some of the flows that a listing lacks, and store how far this has come. `state` is the account's, as it
    was before the sync. `refusal`: why Twilio can't be asked."""
    has_gap = bool(state.missing or state.left_out)
    if not missing and not has_gap:
        return MissingReport(CheckResults())
    wanted = set(missing) - find_recently_changed(missing, at=at)
    rows = {row.sid: row for row in MissingFlow.objects.filter(account_sid=state.account_sid)}
    answers = CheckResults(error=refusal)
    if not refusal:
        answers = check_by_sid(_order_checks(wanted, rows, at=at), ask, most=most)
    left = wanted - answers.gone
    asked_at = {sid: rows[sid].asked_at for sid in left & rows.keys()} | dict.fromkeys(
        answers.present, at
    )
    unchecked = sum(asked_at.get(sid) is None for sid in left)
    gap = MissingReport(answers, unchecked, len(left) - unchecked)
    _save_missing(state, rows, {sid: asked_at.get(sid) for sid in left}, at=at)
    checked = (state.missing_checked if state.missing else 0) + answers.count
    SyncState.objects.filter(pk=state.pk).update(
        missing=unchecked,
        missing_checked=checked if unchecked else 0,
        left_out=gap.left_out,
        check_error=_capitalize(answers.error) if unchecked else "",
    )
    return gap


def find_unchecked(sids: Collection[str]) -> set[str]:
    """Return those of these flows that Twilio's list lacks and that have not been asked for yet."""
    unchecked = MissingFlow.objects.filter(sid__in=list(sids), asked_at=None)
    return set(unchecked.values_list("sid", flat=True))


def _order_checks(
    wanted: Collection[str], rows: Mapping[str, MissingFlow], *, at: datetime
) -> list[str]:
    """Return the flows to ask for: first those that never were, the longest missing first."""
    new = [sid for sid in wanted if sid not in rows]
    unasked = [row for sid, row in rows.items() if sid in wanted and row.asked_at is None]
    asked = [
        (row.asked_at, row.sid)
        for sid, row in rows.items()
        if sid in wanted and row.asked_at is not None and row.asked_at <= at - RECHECK_AFTER
    ]
    unasked.sort(key=lambda row: (row.since, row.sid))
    return [*(row.sid for row in unasked), *sorted(new), *(sid for _, sid in sorted(asked))]


def _save_missing(
    state: SyncState,
    rows: Mapping[str, MissingFlow],
    left: Mapping[str, datetime | None],
    *,
    at: datetime,
) -> None:
    """Make the stored flows equal to those that are `left`, each with the time when it last was found to exist."""
    MissingFlow.objects.filter(
        account_sid=state.account_sid, sid__in=rows.keys() - left.keys()
    ).delete()
    new = [
        MissingFlow(sid=sid, account_sid=state.account_sid, since=at, asked_at=asked_at)
        for sid, asked_at in left.items()
        if sid not in rows
    ]
    MissingFlow.objects.bulk_create(new, batch_size=500, ignore_conflicts=True)
    changed = [
        rows[sid]
        for sid, asked_at in left.items()
        if sid in rows and rows[sid].asked_at != asked_at
    ]
    for row in changed:
        row.asked_at = left[row.sid]
    MissingFlow.objects.bulk_update(changed, ["asked_at"], batch_size=500)


def _capitalize(error: str) -> str:
    return error[:1].upper() + error[1:]
