"""The latest changes of a flow on a line of time, for the flow's page."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString

from flows.audit import event_text
from flows.audit.models import AuditEvent
from flows.core import charts, time_text
from flows.core.safe_text import visible


def draw_history(history: Sequence[AuditEvent], now: datetime) -> SafeString | None:
    """Return a mark for each event between the oldest and now, or None for fewer than two.

    `history` are the current outcomes of changes. A mark stands where its change started.
    """
    if len(history) < 2:
        return None
    start = min(_started_at(event) for event in history)
    length = max((now - start).total_seconds(), 1)
    marks = []
    for event in history:
        position = (_started_at(event) - start).total_seconds() / length
        url = reverse("audit:detail", args=[event.event_id])
        marks.append(charts.Mark(_describe(event), url, event_text.shape(event), min(position, 1)))
    return charts.timeline(marks)


def _started_at(event: AuditEvent) -> datetime:
    started_at: datetime = event.entry.start.at
    return started_at


def _describe(event: AuditEvent) -> SafeString:
    """Return an event for a tooltip: its action, result, user and time."""
    parts = (
        event_text.headline(event),
        event_text.ending(event),
        event_text.actor_name(event.entry.start),
        time_text.timestamp(_started_at(event)),
    )
    # `visible` has escaped the text, and a tooltip can't show its markup.
    return SafeString(" · ".join(strip_tags(visible(part)) for part in parts))
