"""Reads from Twilio that are older than what the log already has.

Twilio's reads can lag behind its writes: for some seconds, a list or a flow may be shown as it was before. For a minute
after a change of ours that Twilio confirmed, a read that shows the flow as before is "not visible yet". For a minute
after something was observed at Twilio, a read counts only if it can't be older. After that, what is read is believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Q
from django.utils import timezone

from flows.flexapi import schema
from flows.flexapi.errors import Unknown
from flows.flexapi.schema import Snapshot
from flows.models import AuditEvent, Result, Stage

SETTLING: Final = timedelta(seconds=60)
BATCH: Final = 500
# The events that tell how a flow is: our confirmed changes, and what was observed at Twilio.
TELLS_A_STATE: Final = (
    Q(stage=Stage.OUTCOME, result=Result.SUCCEEDED)
    | Q(stage=Stage.RECONCILED, result=Result.APPLIED)
    | Q(stage=Stage.OBSERVED)
)


class StaleRead(Unknown):
    """Twilio answered with less than it has already confirmed or shown. `event` is the one that the answer
    contradicts, `confirmed` the flow as the log has it, `seen` the flow as it was read; None is one that is gone."""

    def __init__(self, event: AuditEvent, *, confirmed: Snapshot | None, seen: Snapshot | None) -> None:
        seconds = max(0, round((timezone.now() - event.at).total_seconds()))
        ago = f"{seconds} second{'' if seconds == 1 else 's'} ago"
        super().__init__(
            f"Twilio doesn't show the last change yet, which it confirmed {ago}"
            if is_own(event)
            else f"Twilio's response is older than what it showed {ago}"
        )
        self.event = event
        self.confirmed = confirmed
        self.seen = seen


def recent_events(sids: Iterable[str], *, at: datetime) -> dict[str, list[AuditEvent]]:
    """Return, of each of these flows that has some, the events that told its state in the minute before `at`, oldest
    first."""
    wanted = list(sids)
    events: dict[str, list[AuditEvent]] = {}
    for start in range(0, len(wanted), BATCH):
        recent = AuditEvent.objects.filter(
            TELLS_A_STATE, target_sid__in=wanted[start : start + BATCH], at__gt=at - SETTLING
        )
        for event in recent.select_related("payload").order_by("seq"):
            events.setdefault(event.target_sid, []).append(event)
    return events


def contradicted(
    events: Sequence[AuditEvent], last: Snapshot | None, read: Snapshot | None
) -> AuditEvent | None:
    """Return the newest of a flow's recent `events` that a read may not contradict yet, or None if the read counts.
    `last` is the flow as the log last has it, `read` as Twilio answered; None is one that Twilio does not have."""
    for event in reversed(events):
        is_too_early = _contradicts_own if is_own(event) else _may_be_older
        if is_too_early(event, last, read):
            return event
    return None


def is_own(event: AuditEvent) -> bool:
    """Return True for a change that this dashboard made and that Twilio showed or confirmed. What a person decided about
    a lost one was not seen at Twilio."""
    was_decided = event.stage == Stage.RECONCILED and bool(event.actor_id)
    return event.stage != Stage.OBSERVED and not was_decided


def is_older(read: Mapping[str, object], known: Mapping[str, object]) -> bool:
    """Return True if Twilio itself dates what was read before what is known. Equal dates prove nothing."""
    read_at, known_at = (schema.moment(one.get("date_updated")) for one in (read, known))
    return read_at is not None and known_at is not None and read_at < known_at


def _contradicts_own(event: AuditEvent, last: Snapshot | None, read: Snapshot | None) -> bool:
    """Return True if the read does not show this change, or may be from before it."""
    if last is None or read is None:
        return last is not read
    if is_older(read, last):
        return True
    names = set(event.changed_fields)
    if "integration_type" in names:
        names.update(entry.name for entry in schema.INTEGRATION_FIELDS)
    if not (contradicting := schema.differing(last, read, names)):
        return False
    # A value that the flow did not have before can't be an old one, if Twilio's date does not say so.
    was = event.payload.before or {}
    return not _are_dated(read, last) or not schema.differing(was, read, contradicting)


def _are_dated(*snapshots: Mapping[str, object]) -> bool:
    return all(schema.moment(snapshot.get("date_updated")) for snapshot in snapshots)


def _may_be_older(event: AuditEvent, last: Snapshot | None, read: Snapshot | None) -> bool:
    """Return True if a read of before the observation would look like this one."""
    if event.stage != Stage.OBSERVED:
        return False
    before, after = event.payload.before, event.payload.after
    if read is None:
        was_created = event.action == "flow.drift" and before is None
        return last is not None and was_created
    if last is None:
        return after is None
    if not schema.writable_changes(last, read):
        return False
    if is_older(read, last):
        return True
    is_as_before = before is not None and not schema.writable_changes(before, read)
    return is_as_before and not is_older(last, read)
