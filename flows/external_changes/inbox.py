"""External changes as the inbox shows them: what the drift of a flow comes to, and which flows changed alike. Many can be
accepted at once, with one reason and in one transaction.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from flows.audit.audit_batch import append_batch
from flows.audit.audit_log import Actor
from flows.audit.models import AuditEvent, OpenDrift
from flows.mirror import drift

GROUP_WINDOW: Final = timedelta(seconds=60)  # alike and found within this of each other: one group
CHANGED, CREATED, DELETED = "changed", "made", "deleted"


@dataclass(frozen=True, slots=True)
class ExternalChange:
    """What was found of one flow since somebody last dealt with it: its events in order."""

    events: list[AuditEvent]

    @property
    def first(self) -> AuditEvent:
        return self.events[0]

    @property
    def last(self) -> AuditEvent:
        return self.events[-1]

    @property
    def kind(self) -> str:
        """changed, made or deleted: what it comes to, from the first event to the last."""
        if self.last.payload.after is None:
            return DELETED
        return CREATED if self.first.payload.before is None else CHANGED

    @property
    def values(self) -> dict[str, tuple[Any, Any]]:
        """The fields that differ in the end, each with its value before and after."""
        if self.kind != CHANGED:
            return {}
        before, after = drift.net_change(self.events)
        return {
            name: (before.get(name), after.get(name))
            for name in drift.changes_between(before, after)
        }


def group_similar(found: Iterable[ExternalChange]) -> list[list[ExternalChange]]:
    """Put together what happened alike at the same time in one account: the same fields with the same new values, or
    flows that were all created, or all deleted. The latest group comes first, and its latest flow."""
    groups: dict[str, list[list[ExternalChange]]] = {}
    for change in sorted(found, key=lambda change: -change.last.seq):
        alike = groups.setdefault(_grouping_key(change), [])
        if alike and abs(alike[-1][-1].last.at - change.last.at) <= GROUP_WINDOW:
            alike[-1].append(change)
        else:
            alike.append([change])
    together = [members for alike in groups.values() for members in alike]
    return sorted(together, key=lambda members: -members[0].last.seq)


def load_pending(event_ids: Iterable[uuid.UUID]) -> list[ExternalChange]:
    """Return what is in the inbox up to these events, each the last that somebody saw of its flow."""
    seen = OpenDrift.objects.filter(event__event_id__in=list(event_ids)).values_list(
        "target_sid", "event"
    )
    until = dict(seen)
    items = (
        OpenDrift.objects.filter(target_sid__in=until)
        .select_related("event__payload")
        .order_by("event")
    )
    flows: dict[str, list[AuditEvent]] = {}
    for item in items:
        if item.pk <= until[item.target_sid]:
            flows.setdefault(item.target_sid, []).append(item.event)
    return [ExternalChange(events) for events in flows.values()]


def accept_all(changes: Sequence[ExternalChange], *, reason: str, actor: Actor) -> list[AuditEvent]:
    """Accept all of these, up to the last event of each: one event a flow, all or none. Raises `NotRecorded`."""
    return append_batch(
        [
            drift.build_acceptance(event=change.last, reason=reason, actor=actor)
            for change in changes
        ]
    )


def _grouping_key(change: ExternalChange) -> str:
    after: Mapping[str, Any] = {name: value for name, (_, value) in change.values.items()}
    alone = change.last.target_sid if change.kind == CHANGED and not after else ""
    return json.dumps(
        [change.last.account_sid, change.kind, alone, after], sort_keys=True, default=str
    )
