"""Changing flows: new, edit, switch on or off, delete. Each view checks the form and calls one service;
what the service says becomes a page here. Reading is in flows.py.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods

from flows import words
from flows.flexapi import schema
from flows.flexapi.errors import FlexError, Refused
from flows.flexapi.schema import Snapshot
from flows.forms import DeleteForm, FlowForm, ReasonForm, SwitchForm, read_base, signed
from flows.masking import masked
from flows.models import AuditEvent, Flow, Result
from flows.services import audit, changes, mirror
from flows.views import problems
from flows.views.problems import Problem
from flows.views.requests import Request, actor_of, permitted

COLLISION_CODES = {45210, 45212}


@require_http_methods(["GET", "POST"])
@permitted("flows.add_flow", action="flow.create")
def flow_new(request: Request) -> HttpResponse:
    if request.method == "GET":
        return _form_page(request, FlowForm())
    if "update_fields" in request.POST:
        return _form_page(request, FlowForm(initial=request.POST.dict()))
    form = FlowForm(request.POST)
    if not form.is_valid():
        return _form_page(request, form, status=422)
    return _answer(
        request,
        form,
        lambda common: changes.create_flow(values=form.values, **common),
        what="The new flow",
    )


@require_http_methods(["GET", "POST"])
@permitted("flows.change_flow", action="flow.update")
def flow_edit(request: Request, sid: str) -> HttpResponse:
    if request.method == "GET":
        try:
            return _form_page(request, FlowForm(base=mirror.fetch(sid)), sid)
        except FlexError as error:
            messages.error(request, f"The edit form needs the flow as it is at Twilio now: {error}.")
            return redirect("flows:detail", sid=sid)
    base = read_base(request.POST.get("base", ""), sid)
    if base is None:
        return _without_base(request, sid)
    if "update_fields" in request.POST:
        return _form_page(request, FlowForm(base=base, initial=request.POST.dict()), sid)
    form = FlowForm(request.POST, base=base)
    if not form.is_valid():
        return _form_page(request, form, sid, status=422)
    return _answer(
        request,
        form,
        lambda common: changes.update_flow(sid=sid, base=base, values=form.values, **common),
        sid=sid,
        what="The change",
    )


@require_http_methods(["GET", "POST"])
@permitted("flows.change_flow", action="flow.update")
def flow_enabled(request: Request, sid: str) -> HttpResponse:
    flow = get_object_or_404(Flow, sid=sid)
    if request.method == "GET":
        target = "false" if flow.enabled else "true"
        return _switch_page(request, SwitchForm(initial={"change_id": uuid.uuid4(), "enabled": target}), sid)
    form = SwitchForm(request.POST)
    if not form.is_valid():
        return _switch_page(request, form, sid, status=422)
    enabled = form.cleaned_data["enabled"]
    return _answer(
        request,
        form,
        lambda common: changes.set_enabled(sid=sid, enabled=enabled, **common),
        sid=sid,
        what="The switch",
    )


@require_http_methods(["GET", "POST"])
@permitted("flows.delete_flow", action="flow.delete")
def flow_delete(request: Request, sid: str) -> HttpResponse:
    flow = get_object_or_404(Flow, sid=sid)
    expected = flow.friendly_name or flow.sid
    if request.method == "GET":
        return _delete_page(request, DeleteForm(expected=expected, initial={"change_id": uuid.uuid4()}), sid)
    form = DeleteForm(request.POST, expected=expected)
    if not form.is_valid():
        return _delete_page(request, form, sid, status=422)
    return _answer(
        request,
        form,
        lambda common: changes.delete_flow(
            sid=sid, base={"friendly_name": flow.value("friendly_name")}, **common
        ),
        sid=sid,
        what="The deletion",
    )


def _answer(request: Request, form: ReasonForm, act: Any, *, what: str, sid: str = "") -> HttpResponse:
    """Makes the change and turns what became of it into a page."""
    common = {
        "reason": form.cleaned_data["reason"],
        "change_id": form.cleaned_data["change_id"],
        "actor": actor_of(request),
    }
    try:
        change = act(common)
    except changes.Conflict as conflict:
        return _conflict(request, form, conflict, sid)
    except changes.NothingToChange:
        messages.info(request, "Nothing to save: the flow at Twilio is already like that. Nothing was sent.")
        return redirect("flows:detail", sid=sid)
    except audit.AlreadyRecorded as known:
        return _replayed(request, known.event)
    except changes.OutcomeNotRecorded as lost:
        problem = problems.outcome_not_recorded(lost.error)
        return render(request, "flows/problem.html", {"problem": problem, "sid": sid}, status=500)
    except (changes.NotRead, audit.ChangeOpen, audit.NotRecorded) as held:
        return _held_back(request, form, held, what=what, sid=sid)
    if change.error is None:
        return _succeeded(request, change)
    problem = problems.of_change(change.error, what=what)
    if change.event.result == Result.UNKNOWN:
        messages.warning(request, f"{problem.title}. {problem.text}")
        return redirect("audit:detail", event_id=change.event.event_id)
    status = 422 if isinstance(change.error, Refused) else 502
    return _again(request, form, sid, problem, status=status, refused=change.error)


def _held_back(request: Request, form: ReasonForm, held: Exception, *, what: str, sid: str) -> HttpResponse:
    """Nothing was sent, and sending the same form again may well succeed."""
    if isinstance(held, changes.NotRead):
        if held.error.status == 404:
            messages.error(request, f"{what} was not made: Twilio has no such flow any more.")
            return redirect("flows:detail", sid=sid)
        return _again(request, form, sid, problems.of_change(held.error, what=what, sent=False), status=502)
    if isinstance(held, audit.ChangeOpen):
        return _again(request, form, sid, problems.change_open(held.event.actor_label), status=409)
    return _again(request, form, sid, problems.not_recorded(), status=503)


def _succeeded(request: Request, change: changes.Change) -> HttpResponse:
    event = change.event
    messages.success(request, f"{_name(event)} {_done(change)}. Twilio confirmed it, and it is on record.")
    if change.theirs:
        names = ", ".join(words.label(name) for name in change.theirs)
        messages.info(request, f"Somebody else changed {names} meanwhile. That is kept beside your change.")
    for name in change.differs:
        messages.warning(
            request,
            f"{words.label(name)} is not what you asked for: Twilio answered another value. See below.",
        )
    if event.action == "flow.delete":
        return redirect("flows:list")
    return redirect("flows:detail", sid=event.target_sid)


def _name(event: AuditEvent) -> str:
    return f"“{event.payload.friendly_name}”" if event.payload.friendly_name else "The flow"


def _done(change: changes.Change) -> str:
    """What came to pass, such as "is off"."""
    if change.event.changed_fields == ["enabled"]:
        return "is on" if change.after.get("enabled") else "is off"
    return {"flow.create": "is made", "flow.delete": "is deleted"}.get(change.event.action, "is changed")


def _replayed(request: Request, event: AuditEvent) -> HttpResponse:
    """A double click, a reload or the back button: the change is the one on record."""
    if event.result == Result.SUCCEEDED and event.action != "flow.delete":
        messages.info(request, "This change was made already; it was not sent again.")
        return redirect("flows:detail", sid=event.target_sid)
    messages.info(request, "This form was sent before; this is what became of it. Nothing was sent again.")
    return redirect("audit:detail", event_id=event.event_id)


def _conflict(request: Request, form: ReasonForm, conflict: changes.Conflict, sid: str) -> HttpResponse:
    rows = [
        {
            "label": words.label(item.name),
            "base": words.shown(item.name, masked(item.base)),
            "theirs": words.shown(item.name, masked(item.theirs)),
            "mine": words.shown(item.name, masked(item.mine)),
        }
        for item in conflict.merged.conflicts
    ]
    if not isinstance(form, FlowForm):
        messages.error(
            request, "The flow was changed by somebody else meanwhile. Nothing was sent; look at it again."
        )
        return _again(request, form, sid, None, status=409)
    return _again(request, form, sid, None, status=409, conflicts=rows, theirs=conflict.theirs)


def _again(
    request: Request,
    form: ReasonForm,
    sid: str,
    problem: Problem | None,
    *,
    status: int,
    refused: FlexError | None = None,
    conflicts: list[dict[str, Any]] | None = None,
    theirs: Snapshot | None = None,
) -> HttpResponse:
    """The same form with what was typed, and an id of its own: sending it again is a new change."""
    data = QueryDict(mutable=True)
    data.update({name: form.data[name] for name in form.data})
    data["change_id"] = str(uuid.uuid4())
    if isinstance(form, SwitchForm):
        return _switch_page(request, SwitchForm(data), sid, status=status, problem=problem)
    if isinstance(form, DeleteForm):
        return _delete_page(
            request, DeleteForm(data, expected=form.expected), sid, status=status, problem=problem
        )
    if not isinstance(form, FlowForm):
        raise TypeError(form)
    base = theirs or form.snapshot
    if theirs is not None:
        data["base"] = signed(theirs)
        _follow_theirs(data, form)
    again = FlowForm(data, base=base)
    if refused is not None:
        _beside_its_field(again, refused)
    return _form_page(request, again, sid, status=status, problem=problem, conflicts=conflicts)


def _follow_theirs(data: QueryDict, form: FlowForm) -> None:
    """Fields that the operator left alone follow what is at Twilio now; the rest stay as typed."""
    seen = form.snapshot or {}
    for name, value in form.values.items():
        if schema.same(name, seen.get(name), value):
            data.pop(name, None)


def _beside_its_field(form: FlowForm, error: FlexError) -> None:
    """Twilio's refusal beside the field that it names, if it names one."""
    named = [
        name
        for wire, name in _WIRE_NAMES
        if re.search(rf"(?<![\w.]){re.escape(wire)}(?![\w])", error.message)
    ]
    if error.code in COLLISION_CODES:
        named = ["contact_identity"]
    for name in named[:1]:
        if name in form.fields:
            form.add_error(name, f"Twilio: {masked(error.message)} (code {error.code})")


_WIRE_NAMES = sorted(
    ((wire, entry.name) for wire, entry in schema.BY_WIRE.items()), key=lambda pair: -len(pair[0])
)


def _without_base(request: Request, sid: str) -> HttpResponse:
    """The form came back without the flow as the operator saw it: shown again on the flow as it is now."""
    try:
        base = mirror.fetch(sid)
    except FlexError as error:
        messages.error(request, f"The edit form needs the flow as it is at Twilio now: {error}.")
        return redirect("flows:detail", sid=sid)
    data = request.POST.copy()
    data["base"], data["change_id"] = signed(base), str(uuid.uuid4())
    return _form_page(request, FlowForm(data, base=base), sid, status=422, problem=problems.base_lost())


def _form_page(
    request: Request,
    form: FlowForm,
    sid: str = "",
    *,
    status: int = 200,
    problem: Problem | None = None,
    conflicts: list[dict[str, Any]] | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "form": form,
        "flow": Flow.objects.filter(sid=sid).first() if sid else None,
        "problem": problem,
        "conflicts": conflicts or [],
    }
    if request.htmx and "update_fields" in request.POST:
        kind = form.chosen
        context["announce"] = f"{words.ENUMS[kind]} settings" if kind in words.ENUMS else "no settings"
        return render(request, "flows/_integration_fields.html", context)
    return render(request, "flows/form.html", context, status=status)


def _switch_page(
    request: Request, form: SwitchForm, sid: str, *, status: int = 200, problem: Problem | None = None
) -> HttpResponse:
    flow = get_object_or_404(Flow, sid=sid)
    target = str(form["enabled"].value()) == "true"
    same = Flow.objects.filter(
        channel_type=flow.channel_type, contact_identity=flow.contact_identity, enabled=True, gone_at=None
    ).exclude(sid=sid)
    context = {
        "flow": flow,
        "target": target,
        "form": form,
        "problem": problem,
        "collisions": list(same[:5]) if target and flow.contact_identity else [],
    }
    return render(request, "flows/enabled.html", context, status=status)


def _delete_page(
    request: Request, form: DeleteForm, sid: str, *, status: int = 200, problem: Problem | None = None
) -> HttpResponse:
    context = {"flow": get_object_or_404(Flow, sid=sid), "form": form, "problem": problem}
    return render(request, "flows/delete.html", context, status=status)
