"""External changes for the inbox: the net change of each flow, and groups of similar ones.

Many can be accepted at once, with one reason and in one transaction.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any, Final

from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.audit.models import AuditEvent, OpenDrift
from flows.mirror import drift

GROUP_WINDOW: Final = timedelta(seconds=60)  # between similar changes of one group
CHANGED, CREATED, DELETED = "changed", "made", "deleted"


@dataclass(frozen=True, slots=True)
class ExternalChange:
    """The unresolved drift events of one flow, in order."""

    events: list[AuditEvent]

    @property
    def first(self) -> AuditEvent:
        return self.events[0]

    @property
    def last(self) -> AuditEvent:
        return self.events[-1]

    @property
    def kind(self) -> str:
        """The net result of all events: CHANGED, CREATED or DELETED."""
        if self.last.payload.after is None:
            return DELETED
        return CREATED if self.first.payload.before is None else CHANGED

    @property
    def values(self) -> dict[str, tuple[Any, Any]]:
        """The fields of a changed flow that differ in the end, as (before, after)."""
        if self.kind != CHANGED:
            return {}
        before, after = drift.net_change(self.events)
        return {
            name: (before.get(name), after.get(name))
            for name in drift.changes_between(before, after)
        }


def group_similar(changes: Iterable[ExternalChange]) -> list[list[ExternalChange]]:
    """Group similar changes of one account that were found at about the same time.

    Changes are similar if the same fields have the same new values, or if all flows were created or
    all deleted. The latest group comes first, and in it the latest flow.
    """
    groups_by_key: dict[str, list[list[ExternalChange]]] = {}
    for change in sorted(changes, key=lambda change: -change.last.seq):
        groups = groups_by_key.setdefault(_grouping_key(change), [])
        if groups and _is_within_window(groups[-1][-1], change):
            groups[-1].append(change)
        else:
            groups.append([change])
    all_groups = chain.from_iterable(groups_by_key.values())
    return sorted(all_groups, key=lambda members: -members[0].last.seq)


def load_pending(event_ids: Iterable[uuid.UUID]) -> list[ExternalChange]:
    """Return the unresolved external changes up to these events.

    Each of them is the last event of its flow that the user saw.
    """
    visible_events = OpenDrift.objects.filter(event__event_id__in=list(event_ids))
    last_event_by_flow = dict(visible_events.values_list("target_sid", "event"))
    items = (
        OpenDrift.objects.filter(target_sid__in=last_event_by_flow)
        .select_related("event__payload")
        .order_by("event")
    )
    events_by_flow: dict[str, list[AuditEvent]] = {}
    for item in items:
        if item.pk <= last_event_by_flow[item.target_sid]:
            events_by_flow.setdefault(item.target_sid, []).append(item.event)
    return [ExternalChange(events) for events in events_by_flow.values()]


def accept_all(changes: Sequence[ExternalChange], *, reason: str, actor: Actor) -> list[AuditEvent]:
    """Accept all of these up to their last event, or none. Raise `NotRecorded`.

    One event per flow is appended.
    """
    with audit_log.transaction() as log:
        return [
            drift.append_acceptance(log, event=change.last, reason=reason, actor=actor)
            for change in changes
        ]


def _is_within_window(newer: ExternalChange, older: ExternalChange) -> bool:
    return abs(newer.last.at - older.last.at) <= GROUP_WINDOW


def _grouping_key(change: ExternalChange) -> str:
    """Return a key that similar changes share. A change without a net result has its own."""
    after: Mapping[str, Any] = {name: value for name, (_, value) in change.values.items()}
    has_no_result = change.kind == CHANGED and not after
    own_sid = change.last.target_sid if has_no_result else ""
    key = [change.last.account_sid, change.kind, own_sid, after]
    return json.dumps(key, sort_keys=True, default=str)
