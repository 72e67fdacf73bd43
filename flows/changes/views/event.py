"""The page of one audit event: what it changed, and the outcome of its change.

A change with an unknown outcome can be checked again here, or decided by a user.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from flows.audit import audit_log, bulk_changes, log_entries, log_list
from flows.audit.access import Request, get_actor, readable_event, require_permission
from flows.audit.log_actions import AuditAction
from flows.audit.log_list import readable_events
from flows.audit.models import AuditEvent, AuditPayload, OpenChange, OpenDrift, Result, Stage
from flows.audit.views.unrecorded import page_if_unrecorded
from flows.changes import reconcile
from flows.changes.actions import ChangeAction
from flows.changes.forms.decision import DecisionForm
from flows.changes.views.resolution import decision_context, decision_form, resolution_context
from flows.mirror.models import Flow
from flows.twilio import labels
from flows.twilio.errors import FlexError
from flows.twilio.registry import is_about_resource, resource_of_action
from flows.twilio.resource import Resource


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
    change = None
    if event.change_id:
        change = OpenChange.objects.filter(change_id=event.change_id).first()
    trouble = ""
    try:
        if change is not None:
            reconcile.reconcile_one(change)
    except FlexError as error:
        trouble = f"Couldn't read from Twilio: {error}."
    except audit_log.NotRecorded:  # nothing is lost: the event's page offers it again
        trouble = "Couldn't write to the audit log, so the outcome is not confirmed yet."
    if request.htmx:
        return _render_event(request, event, trouble=trouble)
    if trouble:
        messages.error(request, trouble)
    return redirect("audit:detail", event_id=event_id)


@require_POST
@require_permission("flows.change_flow", action=ChangeAction.DECIDE)
def event_decide(request: Request, event_id: str) -> HttpResponse:
    """Record a user's decision about a change that reading can't resolve."""
    event = get_object_or_404(AuditEvent, event_id=event_id)
    change = get_object_or_404(
        OpenChange.objects.select_related("attempt__payload"), change_id=event.change_id
    )
    form = decision_form(change, request.POST)
    if not form.is_valid():
        return _render_event(request, event, form=form, status=422)
    trouble = "Couldn't write to the audit log. Your decision was not recorded."
    with page_if_unrecorded(
        lambda: _render_event(request, event, form=form, trouble=trouble, status=503)
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
            f"{form.created_sid} can't be the created flow: "
            "it existed before, or another change created it."
        )
        form.add_error("sid" if "sid" in form.fields else "verdict", message)
        return _render_event(request, event, form=form, status=422)
    except (reconcile.NotAmbiguous, audit_log.AlreadyRecorded):
        messages.info(
            request, "Your decision was not recorded: this change was resolved in the meantime."
        )
    except FlexError as error:
        trouble = f"Couldn't read from Twilio: {error}."
        return _render_event(request, event, form=form, trouble=trouble, status=502)
    else:
        messages.success(request, "Decision recorded. The flow can be changed again.")
    return redirect("audit:detail", event_id=event.event_id)


def _render_event(
    request: Request,
    event: AuditEvent,
    *,
    form: DecisionForm | None = None,
    trouble: str = "",
    status: int = 200,
) -> HttpResponse:
    previous_event, next_event = log_list.neighbours(log_entries.find_entry(event), request.scope)
    stages = _load_stages(event)
    context = {
        "event": event,
        **_payload_context(event),
        **_related_context(request, event),
        "stages": stages,
        "latest": _outcome_event(event, stages),
        "is_last_known": _is_state_last_known(event, stages),
        "previous": previous_event,
        "next": next_event,
        "is_in_inbox": OpenDrift.objects.filter(pk=event.pk).exists(),
        "trouble": trouble,
        **resolution_context(request, event, form),
        "resolved": decision_context(stages),
    }
    return render(request, "audit/detail.html", context, status=status)


def _payload_context(event: AuditEvent) -> dict[str, Any]:
    """Return the contents of an event, as far as they are not erased."""
    payload = _find_payload(event)
    return {
        "payload": payload,
        "rows": _field_rows(event, payload) if payload else [],
        "said": _recorded_values(event, payload) if payload else {},
        "is_gone": payload is not None and _is_deletion(event, payload),
        "states": _restorable_states(event, payload),
    }


def _related_context(request: Request, event: AuditEvent) -> dict[str, Any]:
    """Return the event's flow, its bulk change, and the events that it refers to or is named by."""
    referring_events = readable_events(request.scope).filter(
        entry__isnull=False, refers_to=event.event_id
    )
    return {
        "referring_events": list(referring_events.order_by("seq")[:10]),
        "origin": readable_event(str(event.refers_to), request) if event.refers_to else None,
        "plan": bulk_changes.known().of_event(event),
        "flow": Flow.objects.filter(sid=event.target_sid).first() if event.target_sid else None,
    }


def _load_stages(event: AuditEvent) -> list[AuditEvent]:
    """Return all events of the event's change in order, none if it is not of a change."""
    if not event.change_id:
        return []
    return list(AuditEvent.objects.filter(change_id=event.change_id).order_by("seq"))


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


def _restorable_states(event: AuditEvent, payload: AuditPayload | None) -> list[dict[str, str]]:
    """Return the states of the flow that can be restored: after the event, and before it."""
    if payload is None or not event.target_sid or event.stage == Stage.ATTEMPT:
        return []
    if event.result not in audit_log.APPLIED_RESULTS:
        return []
    states = []
    if payload.after:
        states.append({"state": "after", "label": "Restore this version"})
    if payload.before:
        states.append({"state": "before", "label": "Restore previous version"})
    return states


def _recorded_values(event: AuditEvent, payload: AuditPayload) -> dict[str, Any]:
    """Return the values of an event that is not about a flow, such as an export or a new role.

    A value that changed reads "before → after".
    """
    if is_about_resource(event.action):
        return {}
    before: Mapping[str, Any] = payload.before or {}
    values = {**(payload.requested or {}), **(payload.after or {})}
    for name in before:
        values.setdefault(name, None)
    for name, value in values.items():
        if before.get(name, value) != value:
            values[name] = f"{before[name]} → {value or 'none'}"
    return values


def _field_rows(event: AuditEvent, payload: AuditPayload) -> list[dict[str, Any]]:
    """Return a row for each field with its value before, requested and after.

    Fields that only Twilio sets, such as its dates, are omitted.
    """
    if not is_about_resource(event.action):
        return []
    before: Mapping[str, Any] = payload.before or {}
    requested: Mapping[str, Any] = payload.requested or {}
    after: Mapping[str, Any] = payload.after or {}
    names = {*before, *requested, *after}
    rows = []
    resource = resource_of_action(event.action)
    for name in resource.in_order(names):
        known_field = resource.by_name.get(name)
        if known_field is None or known_field.wire:
            rows.append(_field_row(resource, event, name, before, requested, after))
    return rows


def _is_deletion(event: AuditEvent, payload: AuditPayload) -> bool:
    """Return True if the flow was deleted, from here or outside this dashboard."""
    return event.action.endswith(".delete") or (event.stage == Stage.OBSERVED and not payload.after)


def _field_row(
    resource: Resource,
    event: AuditEvent,
    name: str,
    before: Mapping[str, Any],
    requested: Mapping[str, Any],
    response: Mapping[str, Any],
) -> dict[str, Any]:
    after = _value_after(event, name, before, requested, response)
    is_applied = event.result in audit_log.APPLIED_RESULTS
    is_requested = name in requested
    return {
        "name": name,
        "label": resource.label_of(name),
        "before": labels.display_value(resource, name, before.get(name)),
        "requested": labels.display_value(resource, name, requested.get(name)),
        "after": labels.display_value(resource, name, after),
        "is_changed": is_applied and not resource.is_same_value(name, before.get(name), after),
        "differs": bool(response)
        and is_requested
        and not resource.is_same_value(name, requested[name], after),
    }


def _value_after(
    event: AuditEvent,
    name: str,
    before: Mapping[str, Any],
    requested: Mapping[str, Any],
    response: Mapping[str, Any],
) -> Any:
    """Return a field's value after the event. A change that failed leaves it as it was."""
    is_deletion = event.action.endswith(".delete")
    if event.result in audit_log.APPLIED_RESULTS:
        if response or is_deletion or event.stage == Stage.OBSERVED:
            return response.get(name)
        return requested.get(name, before.get(name))
    is_unknown = event.result in (Result.UNKNOWN, Result.PENDING)
    if is_unknown and (name in requested or is_deletion):
        return labels.PlaceholderText("Unknown")
    return before.get(name)


def _find_payload(event: AuditEvent) -> AuditPayload | None:
    try:
        return event.payload if event.payload.erased_at is None else None
    except ObjectDoesNotExist:
        return None
