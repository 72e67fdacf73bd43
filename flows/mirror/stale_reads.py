"""Reads from Twilio that are older than the state that the log already has.

Twilio's reads can lag behind its writes by some seconds. For a minute after a change of ours was
confirmed, a read that shows the flow as before is "not visible yet". For a minute after a state was
observed at Twilio, a read counts only if it can't be older. After that, every read counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from flows.audit.models import AuditEvent, Result, Stage
from flows.redaction.redacted import Redacted
from flows.twilio.errors import OutcomeUnknown
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.values import parse_datetime

CONSISTENCY_WINDOW: Final = timedelta(seconds=60)
BATCH: Final = 500
# Events that record the state of a flow: our confirmed changes and observations at Twilio.
STATE_EVENTS: Final = (
    Q(stage=Stage.OUTCOME, result=Result.SUCCEEDED)
    | Q(stage=Stage.RECONCILED, result=Result.APPLIED)
    | Q(stage=Stage.OBSERVED)
)


class StaleRead(OutcomeUnknown):
    """A response of Twilio that is older than a state it has confirmed or shown.

    The response contradicts `event`. `confirmed` is the flow as recorded, `seen` the flow as read;
    None is a deleted flow.
    """

    def __init__(
        self, event: AuditEvent, *, confirmed: Redacted | None, seen: Redacted | None
    ) -> None:
        seconds = max(0, round((timezone.now() - event.at).total_seconds()))
        ago = f"{seconds} second{'' if seconds == 1 else 's'} ago"
        super().__init__(
            f"Twilio doesn't show the last change yet, which it confirmed {ago}"
            if is_own_change(event)
            else f"Twilio's response is older than what it showed {ago}"
        )
        self.event = event
        self.confirmed = confirmed
        self.seen = seen


def recent_events(sids: Iterable[str], *, at: datetime) -> dict[str, list[AuditEvent]]:
    """Return the events that recorded the flows' states in the minute before `at`, oldest first.

    Flows without one are omitted.
    """
    all_sids = list(sids)
    events_by_sid: dict[str, list[AuditEvent]] = {}
    for start in range(0, len(all_sids), BATCH):
        recent = AuditEvent.objects.filter(
            STATE_EVENTS,
            target_sid__in=all_sids[start : start + BATCH],
            at__gt=at - CONSISTENCY_WINDOW,
        )
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
        is_too_early = _contradicts_own_change if is_own_change(event) else _may_predate_observation
        if is_too_early(event, last, read):
            return event
    return None


def is_own_change(event: AuditEvent) -> bool:
    """Return True for a change of this dashboard that Twilio confirmed or showed.

    A user's decision about an unknown outcome was never seen at Twilio.
    """
    return event.stage != Stage.OBSERVED and not event.is_decision


def is_older(read: Mapping[str, object], reference: Mapping[str, object]) -> bool:
    """Return True if `date_updated` of the read is earlier. Equal or absent dates prove nothing."""
    read_at = parse_datetime(read.get("date_updated"))
    reference_at = parse_datetime(reference.get("date_updated"))
    return read_at is not None and reference_at is not None and read_at < reference_at


def _contradicts_own_change(
    event: AuditEvent, last: Redacted | None, read: Redacted | None
) -> bool:
    """Return True if the read does not show this change, or may have preceded it."""
    if last is None or read is None:
        return last is not read
    if is_older(read, last):
        return True
    contradicting = FLEX_FLOW.differing_fields(last, read, _affected_fields(event))
    if not contradicting or not _have_dates(read, last):
        return bool(contradicting)
    # A value that the flow did not have before the change can't be an old one.
    before = event.payload.values_before
    return not FLEX_FLOW.differing_fields(before, read, contradicting)


def _affected_fields(event: AuditEvent) -> set[str]:
    """Return the fields that a change can affect. Another integration affects all of its own."""
    names = set(event.changed_fields)
    if "integration_type" in names:
        names.update(entry.name for entry in FLEX_FLOW.nested_fields)
    return names


def _have_dates(*snapshots: Mapping[str, object]) -> bool:
    return all(parse_datetime(snapshot.get("date_updated")) for snapshot in snapshots)


def _may_predate_observation(
    event: AuditEvent, last: Redacted | None, read: Redacted | None
) -> bool:
    """Return True if a read from before the observation could look like this one."""
    if event.stage != Stage.OBSERVED:
        return False
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
    is_as_before = before is not None and not FLEX_FLOW.changed_writable_fields(before, read)
    return is_as_before and not is_older(last, read)
