"""One event of the audit log: what it changed, what became of it, and for a change in doubt the ways to find out:
looking again, and a person's word where reading can't tell.
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
from flows.audit.log_list import readable_events
from flows.audit.models import AuditEvent, AuditPayload, OpenChange, OpenDrift, Result, Stage
from flows.changes import reconcile
from flows.changes.forms.decision import DecisionForm
from flows.changes.views.resolution import decision_context, decision_form, resolution_context
from flows.mirror.models import Flow
from flows.twilio import labels
from flows.twilio.errors import FlexError
from flows.twilio.flex import flex_flow


@require_GET
@require_permission("flows.view_auditevent", action="audit.view")
def event_detail(request: Request, event_id: str) -> HttpResponse:
    return _render_event(request, get_object_or_404(AuditEvent, event_id=event_id))


@require_POST
@require_permission("flows.view_auditevent", action="audit.view")
def event_reconcile(request: Request, event_id: str) -> HttpResponse:
    """Looks at Twilio for what became of this change. It only reads there, so whoever may look may do it."""
    event = get_object_or_404(AuditEvent, event_id=event_id)
    change = (
        OpenChange.objects.filter(change_id=event.change_id).first() if event.change_id else None
    )
    trouble = ""
    try:
        if change is not None:
            reconcile.reconcile_one(change)
    except FlexError as error:
        trouble = f"Couldn't read from Twilio: {error}."
    except audit_log.NotRecorded:
        trouble = "Couldn't write to the audit log, so the outcome is not confirmed yet."
    if request.htmx:
        return _render_event(request, event, trouble=trouble)
    if trouble:
        messages.error(request, trouble)
    return redirect("audit:detail", event_id=event_id)


@require_POST
@require_permission("flows.change_flow", action="flow.decide")
def event_decide(request: Request, event_id: str) -> HttpResponse:
    """A person's word on a change that reading can't tell."""
    event = get_object_or_404(AuditEvent, event_id=event_id)
    change = get_object_or_404(
        OpenChange.objects.select_related("attempt__payload"), change_id=event.change_id
    )
    form = decision_form(change, request.POST)
    if not form.is_valid():
        return _render_event(request, event, form=form, status=422)
    verdict = form.cleaned_data["verdict"]
    try:
        reconcile.resolve_manually(
            change=change,
            applied=verdict != Result.NOT_APPLIED,
            sid=form.named_sid,
            reason=form.cleaned_data["reason"],
            actor=get_actor(request),
        )
    except reconcile.NotACandidate:
        known = f"{form.named_sid} can't be the created flow: it existed before, or another change created it."
        form.add_error("sid" if "sid" in form.fields else "verdict", known)
        return _render_event(request, event, form=form, status=422)
    except (reconcile.NotAmbiguous, audit_log.AlreadyRecorded):
        messages.info(
            request, "Your decision was not recorded: this change was resolved in the meantime."
        )
    except FlexError as error:
        return _render_event(
            request, event, form=form, trouble=f"Couldn't read from Twilio: {error}.", status=502
        )
    except audit_log.NotRecorded:
        return _render_event(
            request,
            event,
            form=form,
            trouble="Couldn't write to the audit log. Your decision was not recorded.",
            status=503,
        )
    else:
        messages.success(request, "Decision recorded. The flow can be changed again.")
    return redirect("audit:detail", event_id=event_id)


def _render_event(
    request: Request,
    event: AuditEvent,
    *,
    form: DecisionForm | None = None,
    trouble: str = "",
    status: int = 200,
) -> HttpResponse:
    payload = _find_payload(event)
    stages = list(
        AuditEvent.objects.filter(change_id=event.change_id).order_by("seq")
        if event.change_id
        else []
    )
    entry = log_entries.find_entry(event)
    previous, following = log_list.neighbours(entry, request.scope)
    referring_events = readable_events(request.scope).filter(
        entry__isnull=False, refers_to=event.event_id
    )
    context = {
        "event": event,
        "payload": payload,
        "rows": _field_rows(event, payload) if payload else [],
        "said": _recorded_values(event, payload) if payload else {},
        "is_gone": payload is not None and _is_deletion(event, payload),
        "stages": stages,
        "latest": stages[log_entries.outcome_index([one.result for one in stages])]
        if stages
        else event,
        "is_last_known": _is_state_last_known(event, stages),
        "referring_events": list(referring_events.order_by("seq")[:10]),
        "origin": readable_event(str(event.refers_to), request) if event.refers_to else None,
        "plan": bulk_changes.known().of_event(event),
        "previous": previous,
        "next": following,
        "flow": Flow.objects.filter(sid=event.target_sid).first() if event.target_sid else None,
        "states": _restorable_states(event, payload),
        "is_in_inbox": OpenDrift.objects.filter(pk=event.pk).exists(),
        "trouble": trouble,
        **resolution_context(request, event, form),
        "resolved": decision_context(stages),
    }
    return render(request, "audit/detail.html", context, status=status)


def _is_state_last_known(event: AuditEvent, stages: list[AuditEvent]) -> bool:
    """Return whether the flow could not be read before this change: its state is the last known here."""
    is_of_a_flow = bool(event.change_id and event.target_sid)
    was_begun = any(one.stage == Stage.ATTEMPT for one in stages)
    return is_of_a_flow and event.result == Result.FAILED and not was_begun


def _restorable_states(event: AuditEvent, payload: AuditPayload | None) -> list[dict[str, str]]:
    """The states of the flow that this event has, which can be restored: the one it left, and the one before."""
    if payload is None or not event.target_sid or event.stage == Stage.ATTEMPT:
        return []
    states = []
    if payload.after and event.result in audit_log.APPLIED_RESULTS:
        states.append({"state": "after", "label": "Restore this version"})
    if payload.before and event.result in audit_log.APPLIED_RESULTS:
        states.append({"state": "before", "label": "Restore previous version"})
    return states


def _recorded_values(event: AuditEvent, payload: AuditPayload) -> dict[str, Any]:
    """What an event that is of no flow says: what was exported, what a verification found, what was erased, and of a
    person what was before and what is now."""
    if event.action.startswith("flow."):
        return {}
    before, said = payload.before or {}, {**(payload.requested or {}), **(payload.after or {})}
    gone = dict.fromkeys(name for name in before if name not in said)
    return {
        name: value if before.get(name, value) == value else f"{before[name]} → {value or 'none'}"
        for name, value in {**said, **gone}.items()
    }


def _field_rows(event: AuditEvent, payload: AuditPayload) -> list[dict[str, Any]]:
    """Field by field: before, what was asked for, after. Twilio's own dates say nothing here."""
    before, requested, answer = payload.before or {}, payload.requested or {}, payload.after or {}
    if not event.action.startswith("flow."):
        return []
    named = flex_flow.differing_fields({}, dict.fromkeys([*before, *requested, *answer], "there"))
    return [
        _field_row(event, name, before, requested, answer)
        for name in named
        if name not in flex_flow.FIELDS_BY_NAME or flex_flow.FIELDS_BY_NAME[name].wire
    ]


def _is_deletion(event: AuditEvent, payload: AuditPayload) -> bool:
    """Whether the event is the end of a flow, by us or found at Twilio."""
    return event.action == "flow.delete" or (event.stage == Stage.OBSERVED and not payload.after)


def _field_row(
    event: AuditEvent,
    name: str,
    before: Mapping[str, Any],
    requested: Mapping[str, Any],
    answer: Mapping[str, Any],
) -> dict[str, Any]:
    is_made = event.result in audit_log.APPLIED_RESULTS
    after: Any = before.get(name)  # a change that failed left everything as it was
    if is_made:
        is_told = answer or event.action == "flow.delete" or event.stage == Stage.OBSERVED
        after = answer.get(name) if is_told else requested.get(name, after)
    elif event.result in (Result.UNKNOWN, Result.PENDING) and (
        name in requested or event.action == "flow.delete"
    ):
        after = labels.PlaceholderText("Unknown")
    return {
        "name": name,
        "label": labels.field_label(name),
        "before": labels.display_value(name, before.get(name)),
        "requested": labels.display_value(name, requested.get(name)),
        "after": labels.display_value(name, after),
        "is_changed": is_made and not flex_flow.is_same_value(name, before.get(name), after),
        "differs": bool(answer)
        and name in requested
        and not flex_flow.is_same_value(name, requested[name], after),
    }


def _find_payload(event: AuditEvent) -> AuditPayload | None:
    try:
        return event.payload if event.payload.erased_at is None else None
    except ObjectDoesNotExist:
        return None
