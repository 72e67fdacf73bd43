"""The state of each flow as the dashboard knew it at a moment of the past, from the audit log.

A flow's state is what the last event that recorded a state says, as for drift. The dashboard knew
no more: a change made elsewhere is recorded only when it is read. So each state says what it is
based on, and why it may have been another.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Max, OuterRef, Q, QuerySet, Subquery

from flows.accounts import twilio_accounts
from flows.audit.models import AuditEvent, Stage
from flows.core.database import split_batches
from flows.history import open_changes
from flows.history.moments import LogPosition
from flows.history.open_changes import OpenThen
from flows.mirror.drift import DELETING_ACTIONS
from flows.mirror.stale_reads import STATE_EVENTS
from flows.redaction.masking import redact
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.values import parse_datetime

EXISTS, DELETED, UNREADABLE, NOT_KNOWN_YET = "exists", "deleted", "unreadable", "not_known_yet"

# Of the event that a state is from. Those of the payload are None if it was removed.
_STATE_COLUMNS: Final = (
    "seq",
    "event_id",
    "target_sid",
    "account_sid",
    "action",
    "at",
    "payload",
    "payload__friendly_name",
    "payload__contact_identity",
    "payload__after",
    "payload__erased_at",
)


@dataclass(frozen=True, slots=True)
class LaterObservation:
    """A change made elsewhere that was read after the moment, and may have happened before it.

    `dated_at` is when Twilio says the flow was last changed, if that is known.
    """

    event_id: UUID
    at: datetime
    dated_at: datetime | None
    is_deletion: bool


@dataclass(frozen=True, slots=True)
class KnownState:
    """A flow as the dashboard knew it at a moment, `at`.

    `kind` is `EXISTS`, `DELETED`, `UNREADABLE` (the content of the event was erased, or Twilio sent
    no state with it) or `NOT_KNOWN_YET`. The event is the one that the state is from. For a flow
    that was not known yet, it is the first later one. `open_change` and `later` are the reasons why
    the state may have been another.
    """

    sid: str
    account_sid: str
    at: datetime
    kind: str
    event_id: UUID
    event_at: datetime
    snapshot: Redacted | None = None
    name: str = ""
    identity: str = ""
    is_erased: bool = False
    open_change: OpenThen | None = None
    later: LaterObservation | None = None

    @property
    def is_uncertain(self) -> bool:
        """True if the flow may have been different at Twilio, or nobody can tell."""
        if self.kind == NOT_KNOWN_YET:
            return self.existed_unrecorded
        return self.kind == UNREADABLE or bool(self.open_change or self.later)

    @property
    def label(self) -> str:
        """The flow's name, or its SID if it has none."""
        return self.name or self.sid

    @property
    def created_at(self) -> datetime | None:
        """Twilio's creation date, or None if it is not known."""
        return parse_datetime(self.snapshot.get("date_created")) if self.snapshot else None

    @property
    def existed_unrecorded(self) -> bool:
        """True if the flow was recorded later, but Twilio's date says that it existed then."""
        is_older = self.created_at is not None and self.created_at <= self.at
        return self.kind == NOT_KNOWN_YET and is_older

    @property
    def is_later_dated_before(self) -> bool:
        """True if Twilio dates the change that was read later before the moment."""
        dated_at = self.later.dated_at if self.later else None
        return dated_at is not None and dated_at <= self.at

    @property
    def values(self) -> Mapping[str, Any]:
        """The fields of the flow. They are empty if it is not known to have existed."""
        return self.snapshot if self.kind == EXISTS and self.snapshot else {}


@dataclass(frozen=True, slots=True)
class _FlowSeqs:
    """The events around a moment of one flow, by `seq`: its state, the next one, the last attempt."""

    state: int | None
    later: int | None
    attempt: int | None


def states_at(
    position: LogPosition, scope: twilio_accounts.Scope = None, sids: Iterable[str] | None = None
) -> dict[str, KnownState]:
    """Return the flows of these accounts by SID, in the state that was known at a moment.

    Without `sids`, these are all flows that the log ever had. Flows that were recorded only later
    are included, as `NOT_KNOWN_YET`.
    """
    seqs = dict(_find_seqs(position, sids))
    changes_by_sid = open_changes.open_at(
        position, [one.attempt for one in seqs.values() if one.attempt is not None]
    )
    later = _load_later([one.later for one in seqs.values() if one.later is not None])
    states = {}
    for row in _load_rows([one.state or one.later or 0 for one in seqs.values()]):
        sid = row["target_sid"]
        if scope is None or row["account_sid"] in scope:
            is_known = seqs[sid].state is not None
            change = changes_by_sid.get(sid)
            states[sid] = _build_state(row, position, change, later.get(sid), is_known=is_known)
    return states


def _find_seqs(
    position: LogPosition, sids: Iterable[str] | None
) -> Iterator[tuple[str, _FlowSeqs]]:
    """Yield the events around the moment of each flow, with its SID.

    The index of a flow's events gives each of them without a search of the log.
    """
    events = _own_events(STATE_EVENTS)
    columns = {
        "state": events.filter(seq__lte=position.seq).order_by("-seq"),
        "later": events.filter(seq__gt=position.seq).order_by("seq"),
        "attempt": _own_events(Q(stage=Stage.ATTEMPT), seq__lte=position.seq).order_by("-seq"),
    }
    annotations = {name: Subquery(rows.values("seq")[:1]) for name, rows in columns.items()}
    for newest in _newest_events(sids):
        rows = newest.annotate(**annotations).values_list("target_sid", *columns)
        for sid, state, later, attempt in rows:
            if state is not None or later is not None:
                yield sid, _FlowSeqs(state, later, attempt)


def _own_events(condition: Q, **filters: Any) -> QuerySet[AuditEvent]:
    """Return the events of the outer query's flow that meet a condition."""
    return AuditEvent.objects.filter(condition, target_sid=OuterRef("target_sid"), **filters)


def _newest_events(sids: Iterable[str] | None) -> Iterator[QuerySet[AuditEvent]]:
    """Yield queries with one row for each of these flows, or of all: the newest event of each."""
    if sids is None:
        # All SIDs of flows, and no others.
        prefix = FLEX_FLOW.sid_prefix
        of_flows = Q(target_sid__gte=prefix, target_sid__lt=prefix[0] + chr(ord(prefix[1]) + 1))
        yield _newest_of(of_flows)
        return
    for batch in split_batches(list(sids)):
        yield _newest_of(Q(target_sid__in=batch))


def _newest_of(condition: Q) -> QuerySet[AuditEvent]:
    grouped = AuditEvent.objects.filter(condition).order_by().values("target_sid")
    newest = grouped.annotate(newest=Max("seq")).values("newest")
    return AuditEvent.objects.filter(seq__in=newest).order_by()


def _load_rows(seqs: Sequence[int]) -> Iterator[Mapping[str, Any]]:
    for batch in split_batches(seqs):
        yield from AuditEvent.objects.filter(seq__in=batch).values(*_STATE_COLUMNS)


def _load_later(seqs: Sequence[int]) -> dict[str, LaterObservation]:
    """Return the changes made elsewhere among these events, by the SID of their flow."""
    observations = {}
    for batch in split_batches(seqs):
        events = AuditEvent.objects.filter(seq__in=batch, stage=Stage.OBSERVED)
        rows = events.values_list(
            "target_sid",
            "event_id",
            "at",
            "action",
            "payload__after__date_updated",
            "payload__after__sid",
            "payload__erased_at",
        )
        for sid, event_id, at, action, updated, after_sid, erased_at in rows:
            is_deletion = action in DELETING_ACTIONS and not after_sid and erased_at is None
            dated_at = parse_datetime(updated)
            observations[sid] = LaterObservation(event_id, at, dated_at, is_deletion)
    return observations


def _build_state(
    row: Mapping[str, Any],
    position: LogPosition,
    open_change: OpenThen | None,
    later: LaterObservation | None,
    *,
    is_known: bool,
) -> KnownState:
    # Masked again: an older version masked less.
    snapshot = redact_fields(row["payload__after"])
    is_erased = row["payload__erased_at"] is not None
    kind = NOT_KNOWN_YET
    if is_known:
        is_readable = row["payload"] is not None and not is_erased
        kind = _kind_of(row["action"], snapshot, is_readable=is_readable)
    return KnownState(
        sid=row["target_sid"],
        account_sid=row["account_sid"],
        at=position.at,
        kind=kind,
        event_id=row["event_id"],
        event_at=row["at"],
        snapshot=snapshot,
        name=redact(row["payload__friendly_name"] or ""),
        identity=redact(row["payload__contact_identity"] or ""),
        is_erased=is_erased,
        open_change=open_change,
        later=later,
    )


def _kind_of(action: str, snapshot: Redacted | None, *, is_readable: bool) -> str:
    """Return what an event says about its flow. A deletion says it without its content, too."""
    if action == FLEX_FLOW.action("delete") and snapshot is None:
        return DELETED
    if not is_readable:
        return UNREADABLE
    if snapshot is not None:
        return EXISTS
    return DELETED if action in DELETING_ACTIONS else UNREADABLE
