"""A page for developers that shows every component in all its states.

It has a URL under DEBUG only (urls.py). The content is made up. Each component is rendered by the
template that the pages use, never by a copy.
"""

from __future__ import annotations

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

from flexadmin.demo import component_samples as samples
from flows.audit.models import AuditEvent
from flows.changes import failure_messages, refusal_messages
from flows.changes.forms.reason import DeleteForm, EnabledForm
from flows.flex_flows.forms import FlowForm
from flows.mirror.freshness import Freshness
from flows.mirror.models import Flow, SyncState
from flows.twilio.errors import NotSent
from flows.twilio.flex.flex_flow import FLEX_FLOW

TIMELINE: Final = "Timeline"  # its states are the items of one list
BUTTON_VARIANTS: Final = ("main", "", "danger", "danger-quiet", "quiet", "small")
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
    flow, disabled = samples.make_flow(), samples.make_flow(enabled=False)
    unset = samples.make_flow(enabled=None, contact_identity="")
    deleted = samples.make_flow(gone_at=timezone.now())
    events = samples.make_events()
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
    yield "SID", [("Of a flow", "_sid.html", {"sid": samples.SID, "is_flow": True})]
    yield "Notice", [*_notice_examples()]
    yield "Problem", [*_problem_examples()]
    list_context = samples.list_context(flow, disabled, unset, deleted)
    yield "Table, flags, chips, pagination", [("Flows", "flows/_results.html", list_context)]
    yield "Last sync", [*_freshness_examples()]
    yield "Empty state", [("With a next step", "_empty.html", samples.empty_context())]
    yield "Dialog", [*_dialog_examples(flow, disabled)]
    yield "Toast", [*_toast_examples(events[0])]
    yield (
        "Compare",
        [
            ("A change", "audit/_compare.html", samples.compare_context(events[0])),
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
    yield "Progress", [("A stopped bulk change", "flows/_plan.html", samples.plan_context())]


def _notice_examples() -> Iterator[Example]:
    for level, text in samples.MESSAGES:
        context = {"messages": [Message(level, text)]}
        yield constants.DEFAULT_TAGS[level], "_messages.html", context


def _form_errors_example() -> Example:
    return "Summary", "_errors.html", {"form": samples.make_invalid_form(), "problem": None}


def _dialog_examples(flow: Flow, disabled: Flow) -> Iterator[Example]:
    context: dict[str, Any] = {
        "dialog_template": "flows/_switch.html",
        "in_dialog": True,
        "flow": disabled,
        "target": True,
        "form": EnabledForm(initial=samples.switch_initial(), auto_id="switch_%s"),
        "collisions": [samples.make_flow(sid=samples.OTHER_SID, friendly_name="Support Paris")],
        "problem": samples.make_refusal(),
    }
    yield "With every part", "_dialog.html", context
    context = {
        "form": EnabledForm(initial=samples.switch_initial()),
        "collisions": [],
        "flow": flow,
        "target": False,
    }
    yield "As a page", "flows/_switch.html", context


def _toast_examples(event: AuditEvent) -> Iterator[Example]:
    success, info, *_ = samples.MESSAGES
    context: dict[str, Any] = {
        "messages": [Message(*success)],
        "event": event,
        "sid": samples.SID,
        "undo": EnabledForm(initial=samples.switch_initial(), auto_id=False),
    }
    yield "With undo", "_toast.html", context
    yield "Without undo", "_toast.html", {"messages": [Message(*info)], "sid": samples.SID}


def _field_examples() -> Iterator[Example]:
    valid_form = FlowForm(initial={"integration_type": "studio", "friendly_name": "Support Berlin"})
    invalid_form = samples.make_invalid_form()
    invalid_form.auto_id = "wrong_%s"
    for name in ("friendly_name", "channel_type", "enabled", "integration_retry_count", "reason"):
        yield name, "forms/field.html", {"field": valid_form[name]}
        if invalid_form[name].errors:
            yield f"{name}, wrong", "forms/field.html", {"field": invalid_form[name]}
    confirm = DeleteForm(expected="Support Berlin", sid=samples.SID)["confirm_name"]
    yield "confirm_name", "forms/field.html", {"field": confirm}


def _problem_examples() -> Iterator[Example]:
    yield "Refused", "_problem.html", {"problem": samples.make_refusal()}
    unreadable = failure_messages.change_failed(
        NotSent("couldn't connect to Twilio"), task="turn off the flow", is_sent=False
    )
    yield "Not read", "_problem.html", {"problem": unreadable}
    yield "Not recorded", "_problem.html", {"problem": refusal_messages.not_recorded()}
    not_recorded = failure_messages.outcome_not_recorded(None)
    yield "Outcome not recorded", "_problem.html", {"problem": not_recorded}


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


def _conflict_example(flow: Flow) -> Example:
    label = FLEX_FLOW.by_name["friendly_name"].label
    row = {
        "name": "friendly_name",
        "label": label,
        "base": "Support",
        "theirs": "Support DE",
        "mine": "Support Berlin",
    }
    return "A conflict", "flows/_conflict.html", {"conflicts": [row], "flow": flow}
