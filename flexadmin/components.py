"""Every part of the pages side by side, in all its states: for whoever works on them. The address exists under DEBUG
only (urls.py). What is shown is made up; each part is drawn by the template that the pages use, never by a copy.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.contrib.messages import constants
from django.contrib.messages.storage.base import Message
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from flows import search
from flows.flexapi import schema
from flows.flexapi.errors import NeverSent, Refused
from flows.forms import DeleteForm, FlowForm, SwitchForm
from flows.models import AuditEvent, AuditPayload, Flow, Plan, Result, Stage, SyncState
from flows.services.freshness import Freshness
from flows.views import problems
from flows.views.flows import COLUMNS

SID: Final = "FO" + "0123456789abcdef" * 2
OTHER_SID: Final = "FO" + "fedcba9876543210" * 2
TIMELINE: Final = "Timeline"  # its parts are the items of one list
BUTTONS: Final = ("main", "", "danger", "danger-quiet", "quiet", "small")
LEVELS: Final = (
    (constants.SUCCESS, "Turned off “Support Berlin”. Confirmed by Twilio."),
    (constants.INFO, "No changes to save: the flow already has these settings. Nothing was sent."),
    (constants.WARNING, "Twilio saved a different value for Retry count than you requested."),
    (constants.ERROR, "This flow was deleted at Twilio. It can't be changed."),
)

Part = tuple[str, str, dict[str, Any]]  # what it shows, its template, what that takes


@dataclass(frozen=True, slots=True)
class Section:
    """One component: its states, drawn."""

    title: str
    states: list[tuple[str, SafeString]]

    @property
    def is_timeline(self) -> bool:
        return self.title == TIMELINE


def components(request: HttpRequest) -> HttpResponse:
    sections = [
        Section(title, [(name, render_to_string(path, context, request)) for name, path, context in parts])
        for title, parts in _parts()
    ]
    return render(request, "components.html", {"buttons": BUTTONS, "sections": sections})


def _parts() -> Iterator[tuple[str, list[Part]]]:
    flow, off, unset = _flow(), _flow(enabled=False), _flow(enabled=None, contact_identity="")
    gone, other = _flow(gone_at=timezone.now()), _flow(sid=OTHER_SID, friendly_name="Support Paris")
    yield "Field", [*_fields()]
    yield "Errors of a form", [("Summary", "_errors.html", {"form": _wrong(), "problem": None})]
    yield (
        "Status",
        [
            (name, "_status.html", {"flow": each})
            for name, each in (("On", flow), ("Off", off), ("Not set", unset), ("Deleted", gone))
        ],
    )
    yield "Result", [(event.result, "_result.html", {"event": event}) for event in _events()]
    yield "SID", [("Of a flow", "_sid.html", {"sid": SID, "is_flow": True})]
    yield (
        "Notice",
        [
            (constants.DEFAULT_TAGS[level], "_messages.html", {"messages": [Message(level, text)]})
            for level, text in LEVELS
        ],
    )
    yield "Problem", [("Refused", "_problem.html", {"problem": _refused()}), *_more_problems()]
    yield (
        "Table, flags, chips, pagination",
        [("Flows", "flows/_results.html", _results(flow, off, unset, gone))],
    )
    yield "Last sync", [*_copies()]
    yield "Empty state", [("With a next step", "_empty.html", _empty())]
    switch = {"form": SwitchForm(initial=_initial()), "collisions": []}
    yield (
        "Dialog",
        [
            ("With every part", "_dialog.html", {
                "shown": "flows/_switch.html", "in_dialog": True, "flow": off, "target": True,
                "form": SwitchForm(initial=_initial(), auto_id="switch_%s"), "collisions": [other], "problem": _refused(),
            }),
            ("As a page", "flows/_switch.html", {**switch, "flow": flow, "target": False}),
        ],
    )  # fmt: skip
    event = _events()[0]
    yield (
        "Toast",
        [
            ("With undo", "_toast.html", {
                "messages": [Message(*LEVELS[0])], "event": event, "sid": SID, "undo": SwitchForm(initial=_initial(), auto_id=False),
            }),
            ("Without undo", "_toast.html", {"messages": [Message(*LEVELS[1])], "sid": SID}),
        ],
    )  # fmt: skip
    yield "Compare", [("A change", "audit/_compare.html", _compared(event)), _conflict(flow)]
    yield (
        "Message route",
        [("On", "flows/_route.html", {"flow": flow}), ("Off", "flows/_route.html", {"flow": off})],
    )
    yield TIMELINE, [(event.result, "_event.html", {"event": event}) for event in _events()]
    yield "Progress", [("A stopped bulk change", "flows/_plan.html", _plan())]


def _flow(**fields: Any) -> Flow:
    values: dict[str, Any] = {
        "sid": SID,
        "friendly_name": "Support Berlin",
        "channel_type": "sms",
        "contact_identity": "+4915550100200",
        "enabled": True,
        "integration_type": "studio",
        "date_updated": timezone.now() - timedelta(hours=3),
        **fields,
    }
    flow = Flow(**values, resource={"integration_type": "studio", "integration_flow_sid": "FW" + "1" * 32})
    flow.warnings = [] if flow.enabled else ["No contact identity"]  # type: ignore[attr-defined]
    flow.has_drifted = flow.enabled is None  # type: ignore[attr-defined]
    flow.open_change = None  # type: ignore[attr-defined]
    return flow


def _events() -> list[AuditEvent]:
    """One of each result. What somebody typed is in it: a web address, and a character that nobody sees."""
    events = []
    for number, result in enumerate(["succeeded", *(each for each in Result.values if each != "succeeded")]):
        event = AuditEvent(
            seq=number + 1, event_id=uuid.uuid4(), stage=Stage.OUTCOME, action="flow.update", result=result,
            at=timezone.now() - timedelta(days=number), actor_label="omar", actor_role="operator", target_sid=SID,
            changed_fields=["enabled"], reason="Holidays\u202e, see https://tickets.example.com/42",
        )  # fmt: skip
        AuditPayload(
            event=event,
            friendly_name="Support Berlin",
            before={"enabled": True},
            requested={"enabled": False},
            after={"enabled": False},
        )
        events.append(event)
    return events


def _initial() -> dict[str, Any]:
    return {
        "enabled": "true",
        "reason": "Undo event 1",
        "change_id": uuid.uuid4(),
        "refers_to": uuid.uuid4(),
    }


def _wrong() -> FlowForm:
    data = {
        "friendly_name": "",
        "channel_type": "",
        "integration_type": "studio",
        "integration_retry_count": "9",
    }
    return FlowForm({**data, "change_id": str(uuid.uuid4())})


def _fields() -> Iterator[Part]:
    wrong, fresh = (
        _wrong(),
        FlowForm(initial={"integration_type": "studio", "friendly_name": "Support Berlin"}),
    )
    wrong.auto_id = "wrong_%s"
    for name in ("friendly_name", "channel_type", "enabled", "integration_retry_count", "reason"):
        yield f"{name}", "forms/field.html", {"field": fresh[name]}
        if wrong[name].errors:
            yield f"{name}, wrong", "forms/field.html", {"field": wrong[name]}
    confirm = DeleteForm(expected="Support Berlin", sid=SID)["confirm_name"]
    yield "confirm_name", "forms/field.html", {"field": confirm}


def _refused() -> problems.Problem:
    error = Refused(status=400, code=45212, message="Duplicate address")
    return problems.of_change(error, what="turn off the flow")


def _more_problems() -> Iterator[Part]:
    unread = problems.of_change(NeverSent("couldn't connect to Twilio"), what="turn off the flow", sent=False)
    yield "Not read", "_problem.html", {"problem": unread}
    yield "Not recorded", "_problem.html", {"problem": problems.not_recorded()}
    yield "Outcome not recorded", "_problem.html", {"problem": problems.outcome_not_recorded(None)}


def _results(*rows: Flow) -> dict[str, Any]:
    found = {"rows": rows, "total": 120, "first": 51, "last": 100, "previous_url": "?", "next_url": "?page=3"}
    labels = ("Search: support", "Channel: SMS", "Status: Off")
    return {
        "query": search.Query(q="support"),
        "found": found,
        "columns": [
            {"key": key, "label": label, "url": "?", "direction": "ascending" if key == "name" else None}
            for key, label in COLUMNS
        ],
        "chips": [{"label": label, "remove_url": "?"} for label in labels],
        "clear_url": "?",
    }


def _copies() -> Iterator[Part]:
    now = timezone.now()
    hours_ago = now - timedelta(hours=2)
    for name, sync in (
        ("Synced", SyncState(synced_at=now)),
        ("Failed", SyncState(synced_at=hours_ago, failed_at=now, error="Twilio did not answer")),
        ("Being checked", SyncState(synced_at=now, missing=480, missing_checked=20)),
        ("Missing", SyncState(synced_at=now, left_out=3)),
        ("Never synced", SyncState()),
    ):
        yield name, "flows/_copy.html", {"freshness": Freshness(sync), "copy_is_stale": False}


def _empty() -> dict[str, str]:
    return {
        "title": "No matches",
        "text": "No flows match your search and filters.",
        "next_url": "?",
        "next_label": "Clear all",
    }


def _compared(event: AuditEvent) -> dict[str, Any]:
    row = {"label": "Enabled", "before": True, "requested": False, "after": False, "is_changed": True}
    odd = {
        "label": "Retry count",
        "before": 3,
        "requested": 1,
        "after": 2,
        "is_changed": True,
        "differs": True,
    }
    same = {"label": "Friendly name", "before": "Support Berlin"}
    return {"rows": [row, odd, same], "event": event, "payload": event.payload}


def _conflict(flow: Flow) -> Part:
    label = schema.BY_NAME["friendly_name"].label
    row = {
        "name": "friendly_name",
        "label": label,
        "base": "Support",
        "theirs": "Support DE",
        "mine": "Support Berlin",
    }
    return "A conflict", "flows/_conflict.html", {"conflicts": [row], "flow": flow}


def _plan() -> dict[str, Any]:
    now = timezone.now()
    plan = Plan(
        title="Turn off 40 flows", made_at=now, made_by="omar", started_at=now, ended_at=now,
        ended_because="Stopped.", actor={"label": "omar"},
    )  # fmt: skip
    return {
        "plan": plan,
        "state": ("Stopped", "bad"),
        "total": 40,
        "to_make": 40,
        "settled": 25,
        "made": 24,
        "to_do": 15,
        "outcome": "24 of 40 flows changed",
    }
