"""Scheduling a flow's change from the form that would send it now: an edit, or turning it on or off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Protocol

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from flows.accounts.clients import READ_DEADLINE
from flows.approvals.requests import FormReused
from flows.approvals.views.policies import NOT_RECORDED
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.audit_log import NotRecorded
from flows.changes import change_guard, failure_messages, refusal_messages
from flows.changes.change_guard import ProposedChange, SecretInRequest
from flows.changes.forms.reason import EnabledForm, ReasonForm
from flows.changes.problem import Problem
from flows.changes.views.responses import (
    redirect_to_earlier_request,
    redirect_url,
    related_event_id,
)
from flows.flex_flows.forms import FlowForm, read_base
from flows.flex_flows.views import confirmations, create_and_edit
from flows.flex_flows.views.page_source import fetch_once
from flows.schedules import services
from flows.schedules.actions import ScheduleAction
from flows.schedules.forms import ReturningScheduleForm
from flows.schedules.returning import NoReturn
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW

_ALREADY_SET: Final = Problem(
    title="The flow has this setting already", text="Nothing was scheduled.", level="warning"
)


class Page(Protocol):
    """A function that renders the page of the change again, with what was refused."""

    def __call__(self, *, status: int, **context: Any) -> HttpResponse: ...


@require_POST
@require_permission("flows.change_flow", action=ScheduleAction.SET)
def schedule_edit(request: Request, sid: str) -> HttpResponse:
    """Schedule the edit that the review shows."""
    base = read_base(request.POST.get("base", ""), sid)
    if base is None:
        messages.error(request, "The form had expired. Nothing was scheduled. Edit the flow again.")
        return redirect("flows:edit", sid=sid)
    form = FlowForm(create_and_edit.apply_choices(request, base, sid), base=base)
    if not form.is_valid():
        return create_and_edit.render_form(request, form, status=422)

    def page(*, status: int, **context: Any) -> HttpResponse:
        return create_and_edit.render_review(request, sid, form, status=status, **context)

    names = FLEX_FLOW.differing_fields(base, form.values, form.values)
    if not names:
        return page(status=200)  # which says that there are no changes
    requested = {name: form.values[name] for name in names}
    return _schedule(request, sid, form, page, before=base, requested=requested)


@require_POST
@require_permission("flows.change_flow", action=ScheduleAction.SET)
def schedule_enabled(request: Request, sid: str) -> HttpResponse:
    """Schedule to turn a flow on or off."""
    flow = confirmations.find_flow(request, sid)
    if isinstance(flow, HttpResponse):
        return flow
    form = EnabledForm(request.POST)

    def page(*, status: int, **context: Any) -> HttpResponse:
        return confirmations.render_switch(request, flow, form, status=status, **context)

    if not form.is_valid():
        return page(status=422)
    enabled = form.cleaned_data["enabled"]
    try:
        before = fetch_once(request, sid, deadline=READ_DEADLINE)
    except FlexError as error:
        problem = failure_messages.change_failed(
            error, resource=FLEX_FLOW, task="schedule the change", is_sent=False
        )
        schedule_form = ReturningScheduleForm(request.POST)
        return page(status=502, problem=problem, schedule_form=schedule_form)
    if FLEX_FLOW.is_same_value("enabled", before.get("enabled"), enabled):
        return page(status=409, problem=_ALREADY_SET)
    return _schedule(request, sid, form, page, before=before, requested={"enabled": enabled})


def _schedule(
    request: Request,
    sid: str,
    form: ReasonForm,
    page: Page,
    *,
    before: Mapping[str, Any],
    requested: Mapping[str, Any],
) -> HttpResponse:
    """Schedule a change and show its request, or the page again with what is wrong."""
    schedule_form = ReturningScheduleForm(request.POST)
    reason = form.cleaned_data["reason"]
    reason_error = change_guard.missing_reason([request.account_sid], reason)
    if reason_error:
        form.add_error("reason", reason_error)
    if not schedule_form.is_valid():
        return page(status=422, schedule_form=schedule_form)
    if reason_error:
        return page(status=422)
    change = ProposedChange(
        resource=FLEX_FLOW,
        operation="update",
        account_sid=request.account_sid,
        sid=sid,
        parent_sid="",
        before=before,
        requested=requested,
        reason=reason,
        actor=get_actor(request),
        change_id=form.cleaned_data["change_id"],
        refers_to=related_event_id(request, form, sid),
    )
    try:
        change_request = services.schedule_change(
            change, schedule_form.timing, schedule_form.return_timing
        )
    except FormReused as earlier:
        if not earlier.is_own:
            return page(status=409, problem=refusal_messages.form_reused())
        url = reverse("requests:detail", kwargs={"request_id": earlier.request.pk})
        return redirect_to_earlier_request(request, url)
    except NoReturn as refusal:
        schedule_form.add_error("return_at", str(refusal))
        return page(status=422, schedule_form=schedule_form)
    except SecretInRequest as secret:
        schedule_form.add_error("due_at", _describe_secret(secret.labels))
        return page(status=422, schedule_form=schedule_form)
    except NotRecorded:
        return page(status=503, schedule_form=schedule_form, problem=NOT_RECORDED)
    messages.success(request, "Scheduled. Nothing was sent yet.")
    url = reverse("requests:detail", kwargs={"request_id": change_request.pk})
    return redirect_url(request, url)


def _describe_secret(labels: str) -> str:
    return f"A schedule stores no secrets. Remove the new secret from {labels}, or send it now."
