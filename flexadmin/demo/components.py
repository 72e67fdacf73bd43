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

from flows.audit.models import AuditEvent, AuditPayload, Result, Stage
from flows.changes.forms.reason import DeleteForm, EnabledForm
from flows.flex_flows.forms import FlowForm
from flows.flex_flows.views.flows import COLUMNS
from flows.mirror import failure_messages
from flows.mirror.freshness import Freshness
from flows.mirror.models import Flow, SyncState
from flows.plans.models import Plan
from flows.search import flow_search
from flows.twilio.errors import NotSent, RequestRefused
from flows.twilio.flex import flex_flow

SID: Final = "FO" + "0123456789abcdef" * 2
OTHER_SID: Final = "FO" + "fedcba9876543210" * 2
TIMELINE: Final = "Timeline"  # its parts are the items of one list
BUTTON_VARIANTS: Final = ("main", "", "danger", "danger-quiet", "quiet", "small")
SAMPLE_MESSAGES: Final = (
    (constants.SUCCESS, "Turned off “Support Berlin”. Confirmed by Twilio."),
    (constants.INFO, "No changes to save: the flow already has these settings. Nothing was sent."),
    (constants.WARNING, "Twilio saved a different value for Retry count than you requested."),
    (constants.ERROR, "This flow was deleted at Twilio. It can't be changed."),
)

Example = tuple[str, str, dict[str, Any]]  # what it shows, its template, what that takes


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
        Section(
            title,
            [(name, render_to_string(path, context, request)) for name, path, context in parts],
        )
        for title, parts in _example_groups()
    ]
    return render(request, "components.html", {"buttons": BUTTON_VARIANTS, "sections": sections})


def _example_groups() -> Iterator[tuple[str, list[Example]]]:
    flow, off, unset = (
        _make_flow(),
        _make_flow(enabled=False),
        _make_flow(enabled=None, contact_identity=""),
    )
    gone, other = (
        _make_flow(gone_at=timezone.now()),
        _make_flow(sid=OTHER_SID, friendly_name="Support Paris"),
    )
    yield "Field", [*_field_examples()]
    yield (
        "Errors of a form",
        [("Summary", "_errors.html", {"form": _invalid_form(), "problem": None})],
    )
    yield (
        "Status",
        [
            (name, "_status.html", {"flow": each})
            for name, each in (("On", flow), ("Off", off), ("Not set", unset), ("Deleted", gone))
        ],
    )
    yield "Result", [(event.result, "_result.html", {"event": event}) for event in _make_events()]
    yield "SID", [("Of a flow", "_sid.html", {"sid": SID, "is_flow": True})]
    yield (
        "Notice",
        [
            (constants.DEFAULT_TAGS[level], "_messages.html", {"messages": [Message(level, text)]})
            for level, text in SAMPLE_MESSAGES
        ],
    )
    yield (
        "Problem",
        [("Refused", "_problem.html", {"problem": _refused_problem()}), *_problem_examples()],
    )
    yield (
        "Table, flags, chips, pagination",
        [("Flows", "flows/_results.html", _list_context(flow, off, unset, gone))],
    )
    yield "Last sync", [*_freshness_examples()]
    yield "Empty state", [("With a next step", "_empty.html", _empty_context())]
    switch = {"form": EnabledForm(initial=_switch_initial()), "collisions": []}
    yield (
        "Dialog",
        [
            ("With every part", "_dialog.html", {
                "shown": "flows/_switch.html", "in_dialog": True, "flow": off, "target": True,
                "form": EnabledForm(initial=_switch_initial(), auto_id="switch_%s"), "collisions": [other], "problem": _refused_problem(),
            }),
            ("As a page", "flows/_switch.html", {**switch, "flow": flow, "target": False}),
        ],
    )  # fmt: skip
    event = _make_events()[0]
    yield (
        "Toast",
        [
            ("With undo", "_toast.html", {
                "messages": [Message(*SAMPLE_MESSAGES[0])], "event": event, "sid": SID, "undo": EnabledForm(initial=_switch_initial(), auto_id=False),
            }),
            ("Without undo", "_toast.html", {"messages": [Message(*SAMPLE_MESSAGES[1])], "sid": SID}),
        ],
    )  # fmt: skip
    yield (
        "Compare",
        [("A change", "audit/_compare.html", _compare_context(event)), _conflict_example(flow)],
    )
    yield (
        "Message route",
        [("On", "flows/_route.html", {"flow": flow}), ("Off", "flows/_route.html", {"flow": off})],
    )
    yield TIMELINE, [(event.result, "_event.html", {"event": event}) for event in _make_events()]
    yield "Progress", [("A stopped bulk change", "flows/_plan.html", _plan_context())]


def _make_flow(**fields: Any) -> Flow:
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
    flow = Flow(
        **values, resource={"integration_type": "studio", "integration_flow_sid": "FW" + "1" * 32}
    )
    flow.warnings = [] if flow.enabled else ["No contact identity"]  # type: ignore[attr-defined]
    flow.has_drifted = flow.enabled is None  # type: ignore[attr-defined]
    flow.open_change = None  # type: ignore[attr-defined]
    return flow


def _make_events() -> list[AuditEvent]:
    """One of each result. What somebody typed is in it: a web address, and a character that nobody sees."""
    events = []
    for number, result in enumerate(
        ["succeeded", *(each for each in Result.values if each != "succeeded")]
    ):
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


def _switch_initial() -> dict[str, Any]:
    return {
        "enabled": "true",
        "reason": "Undo event 1",
        "change_id": uuid.uuid4(),
        "refers_to": uuid.uuid4(),
    }


def _invalid_form() -> FlowForm:
    data = {
        "friendly_name": "",
        "channel_type": "",
        "integration_type": "studio",
        "integration_retry_count": "9",
    }
    return FlowForm({**data, "change_id": str(uuid.uuid4())})


def _field_examples() -> Iterator[Example]:
    wrong, fresh = (
        _invalid_form(),
        FlowForm(initial={"integration_type": "studio", "friendly_name": "Support Berlin"}),
    )
    wrong.auto_id = "wrong_%s"
    for name in ("friendly_name", "channel_type", "enabled", "integration_retry_count", "reason"):
        yield f"{name}", "forms/field.html", {"field": fresh[name]}
        if wrong[name].errors:
            yield f"{name}, wrong", "forms/field.html", {"field": wrong[name]}
    confirm = DeleteForm(expected="Support Berlin", sid=SID)["confirm_name"]
    yield "confirm_name", "forms/field.html", {"field": confirm}


def _refused_problem() -> failure_messages.Problem:
    error = RequestRefused(status=400, code=45212, message="Duplicate address")
    return failure_messages.change_failed(error, task="turn off the flow")


def _problem_examples() -> Iterator[Example]:
    unread = failure_messages.change_failed(
        NotSent("couldn't connect to Twilio"), task="turn off the flow", is_sent=False
    )
    yield "Not read", "_problem.html", {"problem": unread}
    yield "Not recorded", "_problem.html", {"problem": failure_messages.not_recorded()}
    yield (
        "Outcome not recorded",
        "_problem.html",
        {"problem": failure_messages.outcome_not_recorded(None)},
    )


def _list_context(*rows: Flow) -> dict[str, Any]:
    found = {
        "rows": rows,
        "total": 120,
        "first": 51,
        "last": 100,
        "previous_url": "?",
        "next_url": "?page=3",
    }
    labels = ("Search: support", "Channel: SMS", "Status: Off")
    return {
        "query": flow_search.Query(q="support"),
        "found": found,
        "columns": [
            {
                "key": key,
                "label": label,
                "url": "?",
                "direction": "ascending" if key == "name" else None,
            }
            for key, label in COLUMNS
        ],
        "chips": [{"label": label, "remove_url": "?"} for label in labels],
        "clear_url": "?",
    }


def _freshness_examples() -> Iterator[Example]:
    now = timezone.now()
    hours_ago = now - timedelta(hours=2)
    for name, sync in (
        ("Synced", SyncState(synced_at=now)),
        ("Failed", SyncState(synced_at=hours_ago, failed_at=now, error="Twilio did not answer")),
        ("Being checked", SyncState(synced_at=now, missing=480, missing_checked=20)),
        ("Missing", SyncState(synced_at=now, left_out=3)),
        ("Never synced", SyncState()),
    ):
        yield name, "flows/_copy.html", {"freshness": Freshness(sync), "mirror_is_stale": False}


def _empty_context() -> dict[str, str]:
    return {
        "title": "No matches",
        "text": "No flows match your search and filters.",
        "next_url": "?",
        "next_label": "Clear all",
    }


def _compare_context(event: AuditEvent) -> dict[str, Any]:
    row = {
        "label": "Enabled",
        "before": True,
        "requested": False,
        "after": False,
        "is_changed": True,
    }
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


def _conflict_example(flow: Flow) -> Example:
    label = flex_flow.FIELDS_BY_NAME["friendly_name"].label
    row = {
        "name": "friendly_name",
        "label": label,
        "base": "Support",
        "theirs": "Support DE",
        "mine": "Support Berlin",
    }
    return "A conflict", "flows/_conflict.html", {"conflicts": [row], "flow": flow}


def _plan_context() -> dict[str, Any]:
    now = timezone.now()
    plan = Plan(
        title="Turn off 40 flows", made_at=now, made_by="omar", started_at=now, ended_at=now,
        ended_because="Stopped.", actor={"label": "omar"},
    )  # fmt: skip
    return {
        "plan": plan,
        "state": ("Stopped", "bad"),
        "total": 40,
        "to_process": 40,
        "settled": 25,
        "made": 24,
        "to_do": 15,
        "outcome": "24 of 40 flows changed",
    }
