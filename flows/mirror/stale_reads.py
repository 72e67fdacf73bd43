"""Reads from Twilio that are older than the state that the log already has.

Twilio's reads can lag behind its writes by some seconds. For a minute after a change of ours was
confirmed, a read that shows the flow as before is "not visible yet". For a minute after a state was
observed at Twilio, a read counts only if it can't be older. After that, every read counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.models import AuditEvent, Result, Stage
from flows.core.database import split_batches
from flows.redaction.redacted import Redacted
from flows.twilio.errors import OutcomeUnknown
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.values import parse_datetime

CONSISTENCY_WINDOW: Final = timedelta(seconds=60)
# Events that record the state of a flow: our confirmed changes and observations at Twilio.
STATE_EVENTS: Final = (
    Q(stage=Stage.OUTCOME, result=Result.SUCCEEDED)
    | Q(stage=Stage.RECONCILED, result=Result.APPLIED)
    | Q(stage=Stage.OBSERVED)
)


@dataclass(frozen=True, slots=True)
class ReadStart:
    """Start of a read from Twilio: the log's last event, and the time."""

    seq: int
    at: datetime

    @classmethod
    def capture(cls) -> ReadStart:
        return cls(audit_log.last_seq(), timezone.now())


class StaleRead(OutcomeUnknown):
    """A response of Twilio that is older than a state it has confirmed or shown.

    The response contradicts `event`. `confirmed` is the flow as recorded, `seen` the flow as read;
    None is a deleted flow.
    """

    def __init__(
        self, event: AuditEvent, *, confirmed: Redacted | None, seen: Redacted | None
    ) -> None:
        super().__init__(_describe_staleness(event))
        self.event = event
        self.confirmed = confirmed
        self.seen = seen


def _describe_staleness(event: AuditEvent) -> str:
    seconds = max(0, round((timezone.now() - event.at).total_seconds()))
    ago = "1 second ago" if seconds == 1 else f"{seconds} seconds ago"
    if is_own_change(event):
        return f"Twilio doesn't show the last change yet, which it confirmed {ago}"
    return f"Twilio's response is older than what it showed {ago}"


def recent_events(sids: Iterable[str], *, at: datetime) -> dict[str, list[AuditEvent]]:
    """Return the events that recorded the flows' states in the minute before `at`, oldest first.

    Flows without one are omitted.
    """
    state_events = AuditEvent.objects.filter(STATE_EVENTS, at__gt=at - CONSISTENCY_WINDOW)
    events_by_sid: dict[str, list[AuditEvent]] = {}
    for batch in split_batches(list(sids)):
        recent = state_events.filter(target_sid__in=batch)
        for event in recent.select_related("payload").order_by("seq"):
            events_by_sid.setdefault(event.target_sid, []).append(event)
    return events_by_sid


def find_contradiction(
    events: Sequence[AuditEvent], last: Redacted | None, read: Redacted | None
) -> AuditEvent | None:
    """Return the newest recent event of a flow that a read may not contradict yet, or None.

    `last` is the flow as last recorded, `read` as Twilio returned it. None is a flow that Twilio
    does not have. If the result is None, the read counts.
    """
    for event in reversed(events):
        if _is_too_early(event, last, read):
            return event
    return None


def _is_too_early(event: AuditEvent, last: Redacted | None, read: Redacted | None) -> bool:
    """Return True if a read does not prove yet that the flow has changed since the event."""
    if is_own_change(event):
        return _contradicts_own_change(event, last, read)
    if event.stage == Stage.OBSERVED:
        return _may_predate_observation(event, last, read)
    return False  # a user's decision


def is_own_change(event: AuditEvent) -> bool:
    """Return True for a change of this dashboard that Twilio confirmed or showed.

    A user's decision about an unknown outcome was never seen at Twilio.
    """
    return event.stage != Stage.OBSERVED and not event.is_decision


def is_older(read: Mapping[str, object], reference: Mapping[str, object]) -> bool:
    """Return True if `date_updated` of the read is earlier. Equal or absent dates prove nothing."""
    read_at, reference_at = _updated_at(read), _updated_at(reference)
    return read_at is not None and reference_at is not None and read_at < reference_at


def _updated_at(snapshot: Mapping[str, object]) -> datetime | None:
    return parse_datetime(snapshot.get("date_updated"))


def _contradicts_own_change(
    event: AuditEvent, last: Redacted | None, read: Redacted | None
) -> bool:
    """Return True if the read does not show this change, or may have preceded it."""
    if last is None or read is None:
        return last is not read
    if is_older(read, last):
        return True
    affected_fields = FLEX_FLOW.dependent_names(event.changed_fields)
    contradicting = FLEX_FLOW.differing_fields(last, read, affected_fields)
    if not contradicting:
        return False
    if _updated_at(read) is None or _updated_at(last) is None:
        return True
    # A value that the flow did not have before the change can't be an old one.
    return not FLEX_FLOW.differing_fields(event.payload.values_before, read, contradicting)


def _may_predate_observation(
    event: AuditEvent, last: Redacted | None, read: Redacted | None
) -> bool:
    """Return True if a read from before the observation could look like this one."""
    if last is None:
        return read is not None and event.payload.after is None
    if read is None:
        return event.action == "flow.drift" and event.payload.before is None
    if not FLEX_FLOW.changed_writable_fields(last, read):
        return False
    return is_older(read, last) or _may_show_former_state(event, last, read)


def _may_show_former_state(event: AuditEvent, last: Redacted, read: Redacted) -> bool:
    """Return True if the read has the values from before the event, and no later date."""
    before = event.payload.before
    if before is None or FLEX_FLOW.changed_writable_fields(before, read):
        return False
    return not is_older(last, read)
