"""The inbox of what was found at Twilio and nobody made here: accept it, or undo it by an ordinary change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from flows import words
from flows.flexapi import schema
from flows.invisible import trimmed
from flows.models import AuditEvent, OpenDrift
from flows.services import drift
from flows.services.audit import NotRecorded
from flows.views.requests import Request, actor_of, permitted

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one flow since somebody last dealt with it."""

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
            return "deleted"
        return "made" if self.first.payload.before is None else "changed"

    @property
    def rows(self) -> list[dict[str, Any]]:
        if self.kind != "changed":
            return []
        before, after = drift.net_of(self.events)
        return [
            {
                "label": words.label(name),
                "before": words.shown(name, before.get(name)),
                "after": words.shown(name, after.get(name)),
            }
            for name in drift.changes_between(before, after)
        ]

    @property
    def undo_url(self) -> str:
        """The ordinary page that would undo it: edit, delete, or make anew; empty if there is nothing to undo."""
        sid, first = self.last.target_sid, self.first
        if self.kind == "made":
            return f"{reverse('flows:delete', args=[sid])}?{urlencode({'undo': first.event_id})}"
        if first.payload.before is None or (self.kind == "changed" and not self.rows):
            return ""
        page = reverse("flows:new") if self.kind == "deleted" else reverse("flows:edit", args=[sid])
        return f"{page}?{urlencode({'restore': first.event_id, 'state': 'before'})}"

    @property
    def is_a_flow(self) -> bool:
        return schema.is_sid("FO", self.last.target_sid)


@require_GET
@permitted("flows.view_flow", action="flow.view")
def drift_inbox(request: Request) -> HttpResponse:
    found = [Found(events) for events in drift.inbox(request.scope)]
    context = {"found": found[:MOST_SHOWN], "more": max(0, len(found) - MOST_SHOWN)}
    return render(request, "flows/drift.html", context)


@require_POST
@permitted("flows.change_flow", action="flow.accept")
def drift_accept(request: Request, event_id: str) -> HttpResponse:
    """Accepts what was found of a flow up to this event. What was found later stays in the inbox."""
    event = get_object_or_404(
        AuditEvent.objects.select_related("payload"), event_id=event_id, action="flow.drift"
    )
    if not OpenDrift.objects.filter(event=event).exists():
        messages.info(request, "Somebody has dealt with this already.")
        return redirect("flows:drift")
    try:
        drift.accept(event=event, reason=trimmed(request.POST.get("reason", "")), actor=actor_of(request))
    except NotRecorded:
        messages.error(request, "The audit log can't be written just now, so nothing was accepted.")
        return redirect("flows:drift")
    messages.success(request, "Accepted, and on record. The flow stays as it is at Twilio.")
    return redirect("flows:drift")
