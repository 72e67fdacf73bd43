"""The pages that turn a flow on or off and delete it, each with one form to confirm."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_http_methods

from flows.accounts import twilio_accounts
from flows.accounts.clients import READ_DEADLINE
from flows.audit.access import Request, readable_event, require_permission
from flows.changes import flow_changes, flow_holds
from flows.changes.forms.reason import CONFIRMED_FIELDS, DeleteForm, EnabledForm
from flows.changes.problem import Problem
from flows.checks.account_rules import TWO_ON
from flows.checks.finding_groups import changes_context
from flows.checks.finding_preview import preview_findings
from flows.checks.target_rules import load_target_names
from flows.core.opened_forms import carried_value, is_opening
from flows.flex_flows.collisions import find_collisions
from flows.flex_flows.handlers import set_handler_name
from flows.flex_flows.views import responses
from flows.flex_flows.views.conflicts import displayed_values
from flows.flex_flows.views.page_source import fetch_once
from flows.mirror import flow_reads, mirror
from flows.mirror.models import Flow
from flows.redaction.redacted import redact_fields
from flows.routing import answer_words
from flows.routing.load_planned import load_planned
from flows.twilio.cleaning import to_text
from flows.twilio.errors import FlexError


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action="flow.update")
def flow_enabled(request: Request, sid: str) -> HttpResponse:
    """Turn a flow on or off."""
    flow = _find_changeable_flow(request, sid, "update", task="change the flow")
    if isinstance(flow, HttpResponse):
        return flow
    page = partial(render_switch, request, flow)
    if _is_form_request(request):
        initial = {
            "change_id": uuid.uuid4(),
            "enabled": to_text(not flow.enabled),
            "refers_to": _reverted_event_id(request, sid),
        }
        return page(EnabledForm(initial={**initial, **request.POST.dict()}))
    form = EnabledForm(request.POST)
    if not form.is_valid():
        return page(form, status=422)
    enabled = form.cleaned_data["enabled"]
    return responses.submit_change(
        request,
        form,
        page,
        lambda common: flow_changes.set_enabled(
            sid=sid, enabled=enabled, account_sid=request.account_sid, **common
        ),
        task=f"turn {'on' if enabled else 'off'} the flow",
        sid=sid,
    )


@require_http_methods(["GET", "POST"])
@require_permission("flows.delete_flow", action="flow.delete")
def flow_delete(request: Request, sid: str) -> HttpResponse:
    """Delete a flow after its name has been entered."""
    flow = _find_changeable_flow(request, sid, "delete", task="delete the flow")
    if isinstance(flow, HttpResponse):
        return flow
    page = partial(_render_delete, request, flow)
    expected = str(flow)
    if _is_form_request(request):
        initial = {
            "change_id": uuid.uuid4(),
            "refers_to": _reverted_event_id(request, sid),
            **request.POST.dict(),
        }
        page_fields = displayed_values(flow.resource, CONFIRMED_FIELDS)
        form = DeleteForm(expected=expected, sid=sid, page_fields=page_fields, initial=initial)
        return page(form)
    form = DeleteForm(request.POST, expected=expected, sid=sid)
    if not form.is_valid():
        return page(form, status=422)
    base = {"friendly_name": flow.value("friendly_name"), **form.page_fields}
    return responses.submit_change(
        request,
        form,
        page,
        lambda common: flow_changes.delete_flow(
            sid=sid, base=base, account_sid=request.account_sid, **common
        ),
        task="delete the flow",
        sid=sid,
    )


def _is_form_request(request: Request) -> bool:
    """Return True if the user only opens the form, empty or with earlier input."""
    return is_opening(request) or "edit_again" in request.POST


def _find_changeable_flow(
    request: Request, sid: str, operation: str, *, task: str
) -> Flow | HttpResponse:
    """Return the flow, or the page that says why it can't be changed."""
    flow = find_flow(request, sid)
    if isinstance(flow, HttpResponse):
        return flow
    if flow.gone_at and _is_form_request(request):
        return responses.redirect_deleted(request, sid)
    unavailable = responses.unavailable_response(request, request.account_sid, operation, task=task)
    if unavailable:
        return unavailable
    hold = flow_holds.find_hold(sid)
    requested = None if operation == "delete" else {"enabled": not flow.enabled}
    restriction = hold.restriction(operation, requested) if hold else None
    return responses.restricted_response(request, restriction, task=task) or flow


def find_flow(request: Request, sid: str) -> Flow | HttpResponse:
    """Return the flow from the mirror, or else from Twilio.

    The mirror leaves out a flow that an open creation may have made. If Twilio can't be read,
    return a redirect with the error: that doesn't prove that the flow is deleted.
    """
    flow = Flow.objects.filter(sid=sid).first()
    if flow is not None:
        return flow
    try:
        snapshot = fetch_once(request, sid, deadline=READ_DEADLINE)
    except FlexError as error:
        if flow_reads.is_not_found(error):
            raise Http404("Twilio has no such Flex Flow") from error
        messages.error(request, f"Couldn't read the flow from Twilio: {error}. Nothing was sent.")
        return responses.redirect_page(request, "flows:detail", sid=sid)
    return mirror.flow_from_snapshot(redact_fields(snapshot), request.account_sid)


def _reverted_event_id(request: Request, sid: str) -> uuid.UUID | None:
    """Return the event of this flow that the change reverts, from the address."""
    event = readable_event(carried_value(request, "undo"), request)
    if event is None or event.target_sid != sid:
        return None
    return event.event_id


def _latest_row(flow: Flow) -> Flow:
    """Return the flow as the mirror has it now: the change may have updated it."""
    return Flow.objects.filter(sid=flow.sid).first() or flow


def render_switch(
    request: Request,
    flow: Flow,
    form: EnabledForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
    **extra: Any,
) -> HttpResponse:
    """Render the form that turns a flow on or off. `extra` can have a refused `schedule_form`."""
    flow = _latest_row(flow)
    names = load_target_names([(flow.account_sid, flow.resource)])
    set_handler_name(flow, names[flow.account_sid])
    turns_on = str(form["enabled"].value()) == "true"
    collisions: list[Flow] = []
    if turns_on:
        collisions = find_collisions(
            flow.account_sid, flow.channel_type, flow.contact_identity, except_sid=flow.sid
        )
    context = {
        "flow": flow,
        "target": turns_on,
        "requested": {"enabled": turns_on},
        "form": form,
        "problem": problem,
        "collisions": collisions,
        "hold": flow_holds.find_hold(flow.sid) if turns_on else None,
        "in_dialog": bool(request.htmx),
        **extra,
        **_preview_context(flow, {"enabled": turns_on}),
    }
    template_name = "flows/enabled.html"
    if request.htmx:
        template_name = "flows/_switch.html"
        form.auto_id = "switch_%s"  # the page below the dialog may have a reason field of its own
    response = render(request, template_name, context, status=status)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _render_delete(
    request: Request,
    flow: Flow,
    form: DeleteForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
) -> HttpResponse:
    """Render the page of a deletion.

    After a conflict, the user has to confirm the flow as it is now; the reason stays.
    """
    flow = _latest_row(flow)
    form.expected = str(flow)
    if problem and problem.is_conflict:
        page_fields = displayed_values(flow.resource, CONFIRMED_FIELDS)
        form = form.reset_confirmation(expected=form.expected, page_fields=page_fields)
    context = {
        "flow": flow,
        "form": form,
        "problem": problem,
        **_preview_context(flow, None),
    }
    return render(request, "flows/delete.html", context, status=status)


def _preview_context(flow: Flow, values: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what setting these values, or deleting the flow (None), changes.

    This is about the findings of the checks, and about who gets messages.

    The pages say more about flows that are on for one identity, and a deleted flow has no findings.
    """
    changes = preview_findings(flow.account_sid, {flow.sid: values})
    created = [each for each in changes.worse if each.rule != TWO_ON]
    cleared = [each for each in changes.better if values is not None or each.sid != flow.sid]
    account = twilio_accounts.account_or_removed(flow.account_sid)
    paths = load_planned(account, {flow.sid: values}).find_changes()
    return {
        "has_finding_changes": bool(created or cleared or changes.is_incomplete),
        **changes_context(
            created, cleared, [flow.account_sid], is_incomplete=changes.is_incomplete
        ),
        **answer_words.changes_context(paths),
    }
