"""The page of one audit event: what it changed, and the outcome of its change.

A change with an unknown outcome can be checked again here, or decided by a user.
"""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from flows.accounts.permissions import can_decide
from flows.audit import audit_log, bulk_changes, log_entries, log_list
from flows.audit.access import (
    Request,
    deny,
    get_actor,
    readable_event,
    require_permission,
)
from flows.audit.actions import AuditAction
from flows.audit.log_list import readable_events
from flows.audit.models import (
    AuditEvent,
    OpenChange,
    OpenDrift,
    Result,
    Stage,
    is_change_stage,
)
from flows.audit.views.unrecorded import page_if_unrecorded
from flows.changes import event_values, reconcile
from flows.changes.actions import ChangeAction
from flows.changes.forms.decision import DecisionForm
from flows.changes.views.resolution import (
    decision_context,
    decision_form,
    find_open_change,
    resolution_context,
)
from flows.local_details.actions import is_about_details
from flows.mirror.models import Flow
from flows.monitor_events import statements
from flows.names.named_sids import name_sids
from flows.twilio.errors import FlexError


@require_GET
@require_permission("flows.view_auditevent", action=AuditAction.VIEW)
def event_detail(request: Request, event_id: str) -> HttpResponse:
    return _render_event(request, get_object_or_404(AuditEvent, event_id=event_id))


@require_POST
@require_permission("flows.view_auditevent", action=AuditAction.VIEW)
def event_reconcile(request: Request, event_id: str) -> HttpResponse:
    """Read from Twilio to resolve this event's change.

    Nothing is sent, so everyone who can view the event may do it.
    """
    event = get_object_or_404(AuditEvent, event_id=event_id)
    change = find_open_change(event)
    error_message = ""
    try:
        if change is not None:
            reconcile.reconcile_one(change)
    except FlexError as error:
        error_message = f"Couldn't read from Twilio: {error}."
    except audit_log.NotRecorded:  # nothing is lost: the event's page offers it again
        error_message = "Couldn't write to the audit log, so the outcome is not confirmed yet."
    if request.htmx:
        return _render_event(request, event, error_message=error_message)
    if error_message:
        messages.error(request, error_message)
    return redirect("audit:detail", event_id=event_id)


@require_POST
@require_permission("flows.change_flow", action=ChangeAction.DECIDE)
def event_decide(request: Request, event_id: str) -> HttpResponse:
    """Record a user's decision about a change that reading can't resolve."""
    event = get_object_or_404(AuditEvent, event_id=event_id)
    change = get_object_or_404(
        OpenChange.objects.select_related("attempt__payload"), change_id=event.change_id
    )
    if not can_decide(request.user, change.resource, event.account_sid or ""):
        deny(request, ChangeAction.DECIDE, {"event_id": event_id})
    form = decision_form(change, request.POST)
    if not form.is_valid():
        return _render_event(request, event, form=form, status=422)
    error_message = "Couldn't write to the audit log. Your decision was not recorded."
    with page_if_unrecorded(
        lambda: _render_event(request, event, form=form, error_message=error_message, status=503)
    ):
        return _record_decision(request, event, change, form)


def _record_decision(
    request: Request, event: AuditEvent, change: OpenChange, form: DecisionForm
) -> HttpResponse:
    """Record the decision of a valid form, and return the page for the result."""
    try:
        reconcile.resolve_manually(
            change=change,
            applied=form.cleaned_data["verdict"] != Result.NOT_APPLIED,
            sid=form.created_sid,
            reason=form.cleaned_data["reason"],
            actor=get_actor(request),
        )
    except reconcile.NotACandidate:
        message = (
            f"{form.created_sid} can't be the created {change.resource.noun}: "
            "Twilio has none with this SID, it existed before, or another change created it."
        )
        field_name = "sid" if "sid" in form.fields else "verdict"
        form.add_error(field_name, message)
        return _render_event(request, event, form=form, status=422)
    except (reconcile.NotAmbiguous, audit_log.AlreadyRecorded):
        messages.info(
            request, "Your decision was not recorded: this change was resolved in the meantime."
        )
    except FlexError as error:
        error_message = f"Couldn't read from Twilio: {error}."
        return _render_event(request, event, form=form, error_message=error_message, status=502)
    else:
        noun = change.resource.noun
        messages.success(request, f"Decision recorded. The {noun} can be changed again.")
    return redirect("audit:detail", event_id=event.event_id)


def _render_event(
    request: Request,
    event: AuditEvent,
    *,
    form: DecisionForm | None = None,
    error_message: str = "",
    status: int = 200,
) -> HttpResponse:
    previous_event, next_event = log_list.neighbours(log_entries.find_entry(event), request.scope)
    stages = _load_stages(event)
    context = {
        "event": event,
        **_payload_context(event),
        **_related_context(request, event),
        "is_local": is_about_details(event),
        "shows_requested": _shows_requested(event),
        "stages": stages,
        "latest": _outcome_event(event, stages),
        "is_last_known": _is_state_last_known(event, stages),
        "previous": previous_event,
        "next": next_event,
        "is_in_inbox": OpenDrift.objects.filter(pk=event.pk).exists(),
        "error": error_message,
        **resolution_context(request, event, form),
        "resolved": decision_context(stages),
    }
    return render(request, "audit/detail.html", context, status=status)


def _payload_context(event: AuditEvent) -> dict[str, Any]:
    """Return the contents of an event, as far as they are not erased."""
    payload = event_values.readable_payload(event)
    if payload is None:
        return {
            "payload": None,
            "rows": [],
            "recorded_values": {},
            "is_gone": False,
            "states": [],
        }
    rows = event_values.field_rows(event, payload)
    name_sids(((event.account_sid or "", row) for row in rows), ["before", "requested", "after"])
    return {
        "payload": payload,
        "rows": rows,
        "recorded_values": event_values.recorded_values(event, payload),
        "is_gone": event_values.is_deletion(event, payload),
        "states": event_values.restorable_states(event, payload),
    }


def _related_context(request: Request, event: AuditEvent) -> dict[str, Any]:
    """Return the event's flow, its bulk change, and the events that it refers to or is named by."""
    referring_events = readable_events(request.scope).filter(
        entry__isnull=False, refers_to=event.event_id
    )
    return {
        "referring_events": list(referring_events.order_by("seq")[:10]),
        "origin": readable_event(str(event.refers_to), request) if event.refers_to else None,
        "plan": bulk_changes.implementation().of_event(event),
        "statement": statements.find_statement(event),
        "stated_change": statements.find_change(event),
        "flow": Flow.objects.filter(sid=event.target_sid).first(),
    }


def _load_stages(event: AuditEvent) -> list[AuditEvent]:
    """Return all events of the event's change in order, none if it is not of a change."""
    if not is_change_stage(event.change_id, event.stage):
        return []
    return list(AuditEvent.objects.filter(change_id=event.change_id).order_by("seq"))


def _shows_requested(event: AuditEvent) -> bool:
    """Return True if the request can differ from the result, so that it has its own column."""
    if event.stage == Stage.OBSERVED:
        return False
    return not (is_about_details(event) and event.is_applied)


def _outcome_event(event: AuditEvent, stages: list[AuditEvent]) -> AuditEvent:
    """Return the event with the latest outcome of the change, or the event itself."""
    if not stages:
        return event
    return stages[log_entries.outcome_index([stage.result for stage in stages])]


def _is_state_last_known(event: AuditEvent, stages: list[AuditEvent]) -> bool:
    """Return True if the flow could not be read before this change.

    The event's state of the flow is then only the last known one.
    """
    is_flow_change = bool(event.change_id and event.target_sid)
    has_attempt = any(stage.stage == Stage.ATTEMPT for stage in stages)
    return is_flow_change and event.result == Result.FAILED and not has_attempt
