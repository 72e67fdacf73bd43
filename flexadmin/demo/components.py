"""A page for developers that shows every component in all its states.

It has a URL under DEBUG only (urls.py). The content is made up. Each component is rendered by the
template that the pages use, never by a copy.
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
TIMELINE: Final = "Timeline"  # its states are the items of one list
BUTTON_VARIANTS: Final = ("main", "", "danger", "danger-quiet", "quiet", "small")
SAMPLE_MESSAGES: Final = (
    (constants.SUCCESS, "Turned off “Support Berlin”. Confirmed by Twilio."),
    (constants.INFO, "No changes to save: the flow already has these settings. Nothing was sent."),
    (constants.WARNING, "Twilio saved a different value for Retry count than you requested."),
    (constants.ERROR, "This flow was deleted at Twilio. It can't be changed."),
)

# The name of the state, its template, and the template's context.
Example = tuple[str, str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Section:
    """One component with its rendered states."""

    title: str
    states: list[tuple[str, SafeString]]

    @property
    def is_timeline(self) -> bool:
        return self.title == TIMELINE


def components(request: HttpRequest) -> HttpResponse:
    sections = []
    for title, examples in _example_groups():
        states = [
            (name, render_to_string(template, context, request))
            for name, template, context in examples
        ]
        sections.append(Section(title, states))
    return render(request, "components.html", {"buttons": BUTTON_VARIANTS, "sections": sections})


def _example_groups() -> Iterator[tuple[str, list[Example]]]:
    """Return the components in the order of the page: title and examples."""
    flow, disabled = _make_flow(), _make_flow(enabled=False)
    unset = _make_flow(enabled=None, contact_identity="")
    deleted = _make_flow(gone_at=timezone.now())
    events = _make_events()
    yield "Field", [*_field_examples()]
    yield "Errors of a form", [_form_errors_example()]
    yield (
        "Status",
        [
            ("On", "_status.html", {"flow": flow}),
            ("Off", "_status.html", {"flow": disabled}),
            ("Not set", "_status.html", {"flow": unset}),
            ("Deleted", "_status.html", {"flow": deleted}),
        ],
    )
    yield "Result", [(event.result, "_result.html", {"event": event}) for event in events]
    yield "SID", [("Of a flow", "_sid.html", {"sid": SID, "is_flow": True})]
    yield "Notice", [*_notice_examples()]
    yield "Problem", [*_problem_examples()]
    list_context = _list_context(flow, disabled, unset, deleted)
    yield "Table, flags, chips, pagination", [("Flows", "flows/_results.html", list_context)]
    yield "Last sync", [*_freshness_examples()]
    yield "Empty state", [("With a next step", "_empty.html", _empty_context())]
    yield "Dialog", [*_dialog_examples(flow, disabled)]
    yield "Toast", [*_toast_examples(events[0])]
    yield (
        "Compare",
        [
            ("A change", "audit/_compare.html", _compare_context(events[0])),
            _conflict_example(flow),
        ],
    )
    yield (
        "Message route",
        [
            ("On", "flows/_route.html", {"flow": flow}),
            ("Off", "flows/_route.html", {"flow": disabled}),
        ],
    )
    yield TIMELINE, [(event.result, "_event.html", {"event": event}) for event in events]
    yield "Progress", [("A stopped bulk change", "flows/_plan.html", _plan_context())]


def _notice_examples() -> Iterator[Example]:
    for level, text in SAMPLE_MESSAGES:
        context = {"messages": [Message(level, text)]}
        yield constants.DEFAULT_TAGS[level], "_messages.html", context


def _form_errors_example() -> Example:
    return "Summary", "_errors.html", {"form": _invalid_form(), "problem": None}


def _dialog_examples(flow: Flow, disabled: Flow) -> Iterator[Example]:
    context: dict[str, Any] = {
        "shown": "flows/_switch.html",
        "in_dialog": True,
        "flow": disabled,
        "target": True,
        "form": EnabledForm(initial=_switch_initial(), auto_id="switch_%s"),
        "collisions": [_make_flow(sid=OTHER_SID, friendly_name="Support Paris")],
        "problem": _refused_problem(),
    }
    yield "With every part", "_dialog.html", context
    context = {
        "form": EnabledForm(initial=_switch_initial()),
        "collisions": [],
        "flow": flow,
        "target": False,
    }
    yield "As a page", "flows/_switch.html", context


def _toast_examples(event: AuditEvent) -> Iterator[Example]:
    success, info, *_ = SAMPLE_MESSAGES
    context: dict[str, Any] = {
        "messages": [Message(*success)],
        "event": event,
        "sid": SID,
        "undo": EnabledForm(initial=_switch_initial(), auto_id=False),
    }
    yield "With undo", "_toast.html", context
    yield "Without undo", "_toast.html", {"messages": [Message(*info)], "sid": SID}


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
    """Return one event for each result, the successful one first.

    The reason contains a URL and an invisible character, as a user might enter them.
    """
    events = []
    results = sorted(Result.values, key=lambda result: result != "succeeded")
    for number, result in enumerate(results):
        event = AuditEvent(
            seq=number + 1,
            event_id=uuid.uuid4(),
            stage=Stage.OUTCOME,
            action="flow.update",
            result=result,
            at=timezone.now() - timedelta(days=number),
            actor_label="omar",
            actor_role="operator",
            target_sid=SID,
            changed_fields=["enabled"],
            reason="Holidays\u202e, see https://tickets.example.com/42",
        )
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
    valid_form = FlowForm(initial={"integration_type": "studio", "friendly_name": "Support Berlin"})
    invalid_form = _invalid_form()
    invalid_form.auto_id = "wrong_%s"
    for name in ("friendly_name", "channel_type", "enabled", "integration_retry_count", "reason"):
        yield name, "forms/field.html", {"field": valid_form[name]}
        if invalid_form[name].errors:
            yield f"{name}, wrong", "forms/field.html", {"field": invalid_form[name]}
    confirm = DeleteForm(expected="Support Berlin", sid=SID)["confirm_name"]
    yield "confirm_name", "forms/field.html", {"field": confirm}


def _refused_problem() -> failure_messages.Problem:
    error = RequestRefused(status=400, code=45212, message="Duplicate address")
    return failure_messages.change_failed(error, task="turn off the flow")


def _problem_examples() -> Iterator[Example]:
    yield "Refused", "_problem.html", {"problem": _refused_problem()}
    unreadable = failure_messages.change_failed(
        NotSent("couldn't connect to Twilio"), task="turn off the flow", is_sent=False
    )
    yield "Not read", "_problem.html", {"problem": unreadable}
    yield "Not recorded", "_problem.html", {"problem": failure_messages.not_recorded()}
    not_recorded = failure_messages.outcome_not_recorded(None)
    yield "Outcome not recorded", "_problem.html", {"problem": not_recorded}


def _list_context(*rows: Flow) -> dict[str, Any]:
    page = {
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
        "found": page,
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
    changed_row = {
        "label": "Enabled",
        "before": True,
        "requested": False,
        "after": False,
        "is_changed": True,
    }
    differing_row = {
        "label": "Retry count",
        "before": 3,
        "requested": 1,
        "after": 2,
        "is_changed": True,
        "differs": True,
    }
    unchanged_row = {"label": "Friendly name", "before": "Support Berlin"}
    return {
        "rows": [changed_row, differing_row, unchanged_row],
        "event": event,
        "payload": event.payload,
    }


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
        title="Turn off 40 flows", created_at=now, created_by="omar", started_at=now, ended_at=now, status="stopped",
        stop_reason="Stopped.", actor={"label": "omar"},
    )  # fmt: skip
    return {
        "plan": plan,
        "status": ("Stopped", "bad"),
        "total_count": 40,
        "included_count": 40,
        "processed_count": 25,
        "applied_count": 24,
        "remaining_count": 15,
        "result_summary": "24 of 40 flows changed",
    }
