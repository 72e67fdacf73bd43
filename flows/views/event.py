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

from flows import words
from flows.flexapi import schema
from flows.flexapi.errors import FlexError
from flows.forms import DecisionForm
from flows.models import AuditEvent, AuditPayload, Flow, OpenChange, OpenDrift, Plan, Result, Stage
from flows.services import audit, log_entries, log_list, reconcile
from flows.services.log_list import readable
from flows.views.requests import Request, actor_of, permitted
from flows.views.resolution import decision_form, decision_of, fate_of
from flows.views.restore import referred


@require_GET
@permitted("flows.view_auditevent", action="audit.view")
def event_detail(request: Request, event_id: str) -> HttpResponse:
    return _page(request, get_object_or_404(AuditEvent, event_id=event_id))


@require_POST
@permitted("flows.view_auditevent", action="audit.view")
def event_reconcile(request: Request, event_id: str) -> HttpResponse:
    """Looks at Twilio for what became of this change. It only reads there, so whoever may look may do it."""
    event = get_object_or_404(AuditEvent, event_id=event_id)
    change = OpenChange.objects.filter(change_id=event.change_id).first() if event.change_id else None
    trouble = ""
    try:
        if change is not None:
            reconcile.settle(change)
    except FlexError as error:
        trouble = f"Couldn't read from Twilio: {error}."
    except audit.NotRecorded:
        trouble = "Couldn't write to the audit log, so the outcome is not confirmed yet."
    if request.htmx:
        return _page(request, event, trouble=trouble)
    if trouble:
        messages.error(request, trouble)
    return redirect("audit:detail", event_id=event_id)


@require_POST
@permitted("flows.change_flow", action="flow.decide")
def event_decide(request: Request, event_id: str) -> HttpResponse:
    """A person's word on a change that reading can't tell."""
    event = get_object_or_404(AuditEvent, event_id=event_id)
    change = get_object_or_404(
        OpenChange.objects.select_related("attempt__payload"), change_id=event.change_id
    )
    form = decision_form(change, request.POST)
    if not form.is_valid():
        return _page(request, event, form=form, status=422)
    verdict = form.cleaned_data["verdict"]
    try:
        reconcile.decide(
            change=change,
            applied=verdict != Result.NOT_APPLIED,
            sid=form.named_sid,
            reason=form.cleaned_data["reason"],
            actor=actor_of(request),
        )
    except reconcile.NotTheOne:
        known = (
            f"{form.named_sid} can't be the created flow: it existed before, or another change created it."
        )
        form.add_error("sid" if "sid" in form.fields else "verdict", known)
        return _page(request, event, form=form, status=422)
    except (reconcile.NotForAPerson, audit.AlreadyRecorded):
        messages.info(request, "Your decision was not recorded: this change was resolved in the meantime.")
    except FlexError as error:
        return _page(request, event, form=form, trouble=f"Couldn't read from Twilio: {error}.", status=502)
    except audit.NotRecorded:
        return _page(
            request,
            event,
            form=form,
            trouble="Couldn't write to the audit log. Your decision was not recorded.",
            status=503,
        )
    else:
        messages.success(request, "Decision recorded. The flow can be changed again.")
    return redirect("audit:detail", event_id=event_id)


def _page(
    request: Request,
    event: AuditEvent,
    *,
    form: DecisionForm | None = None,
    trouble: str = "",
    status: int = 200,
) -> HttpResponse:
    payload = _payload_of(event)
    stages = list(
        AuditEvent.objects.filter(change_id=event.change_id).order_by("seq") if event.change_id else []
    )
    entry = log_entries.entry_of(event)
    previous, following = log_list.neighbours(entry, request.scope)
    followers = readable(request.scope).filter(entry__isnull=False, refers_to=event.event_id)
    context = {
        "event": event,
        "payload": payload,
        "rows": _rows(event, payload) if payload else [],
        "said": _said(event, payload) if payload else {},
        "is_gone": payload is not None and _is_gone(event, payload),
        "stages": stages,
        "latest": stages[log_entries.outcome_place([one.result for one in stages])] if stages else event,
        "is_last_known": _is_last_known(event, stages),
        "followers": list(followers.order_by("seq")[:10]),
        "origin": referred(str(event.refers_to), request) if event.refers_to else None,
        "plan": _plan_of(event),
        "previous": previous,
        "next": following,
        "flow": Flow.objects.filter(sid=event.target_sid).first() if event.target_sid else None,
        "states": _states(event, payload),
        "is_in_the_inbox": OpenDrift.objects.filter(pk=event.pk).exists(),
        "trouble": trouble,
        **fate_of(request, event, form),
        "resolved": decision_of(stages),
    }
    return render(request, "audit/detail.html", context, status=status)


def _is_last_known(event: AuditEvent, stages: list[AuditEvent]) -> bool:
    """Return whether the flow could not be read before this change: its state is the last known here."""
    is_of_a_flow = bool(event.change_id and event.target_sid)
    was_begun = any(one.stage == Stage.ATTEMPT for one in stages)
    return is_of_a_flow and event.result == Result.FAILED and not was_begun


def _plan_of(event: AuditEvent) -> Plan | None:
    """The plan that this event is a part of."""
    if event.request_id and (plan := Plan.objects.filter(pk=event.request_id).first()):
        return plan
    return Plan.objects.filter(changes__change_id=event.change_id).first() if event.change_id else None


def _states(event: AuditEvent, payload: AuditPayload | None) -> list[dict[str, str]]:
    """The states of the flow that this event has, which can be restored: the one it left, and the one before."""
    if payload is None or not event.target_sid or event.stage == Stage.ATTEMPT:
        return []
    states = []
    if payload.after and event.result in audit.MADE:
        states.append({"state": "after", "label": "Restore this version"})
    if payload.before and event.result in audit.MADE:
        states.append({"state": "before", "label": "Restore previous version"})
    return states


def _said(event: AuditEvent, payload: AuditPayload) -> dict[str, Any]:
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


def _rows(event: AuditEvent, payload: AuditPayload) -> list[dict[str, Any]]:
    """Field by field: before, what was asked for, after. Twilio's own dates say nothing here."""
    before, requested, answer = payload.before or {}, payload.requested or {}, payload.after or {}
    if not event.action.startswith("flow."):
        return []
    named = schema.differing({}, dict.fromkeys([*before, *requested, *answer], "there"))
    return [
        _row(event, name, before, requested, answer)
        for name in named
        if name not in schema.BY_NAME or schema.BY_NAME[name].wire
    ]


def _is_gone(event: AuditEvent, payload: AuditPayload) -> bool:
    """Whether the event is the end of a flow, by us or found at Twilio."""
    return event.action == "flow.delete" or (event.stage == Stage.OBSERVED and not payload.after)


def _row(
    event: AuditEvent,
    name: str,
    before: Mapping[str, Any],
    requested: Mapping[str, Any],
    answer: Mapping[str, Any],
) -> dict[str, Any]:
    is_made = event.result in audit.MADE
    after: Any = before.get(name)  # a change that failed left everything as it was
    if is_made:
        is_told = answer or event.action == "flow.delete" or event.stage == Stage.OBSERVED
        after = answer.get(name) if is_told else requested.get(name, after)
    elif event.result in (Result.UNKNOWN, Result.PENDING) and (
        name in requested or event.action == "flow.delete"
    ):
        after = words.Said("Unknown")
    return {
        "name": name,
        "label": words.label(name),
        "before": words.shown(name, before.get(name)),
        "requested": words.shown(name, requested.get(name)),
        "after": words.shown(name, after),
        "is_changed": is_made and not schema.same(name, before.get(name), after),
        "differs": bool(answer) and name in requested and not schema.same(name, requested[name], after),
    }


def _payload_of(event: AuditEvent) -> AuditPayload | None:
    try:
        return event.payload if event.payload.erased_at is None else None
    except ObjectDoesNotExist:
        return None
