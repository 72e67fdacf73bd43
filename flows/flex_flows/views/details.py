"""The page that changes a flow's owner, tags and note."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from flows.accounts.permissions import scope_of
from flows.audit import audit_log
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.models import AuditEvent, Result
from flows.availability.restrictions import OperationUnavailable
from flows.changes import refusal_messages
from flows.changes.problem import Problem
from flows.flex_flows.details_form import DetailsForm
from flows.flex_flows.views import responses
from flows.local_details import choices, reading, services
from flows.local_details.actions import LocalDetailsAction
from flows.local_details.fields import LABELS, display_value
from flows.local_details.services import DetailsConflict
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.redaction.redacted import redact_fields

_TASK = "change the owner, tags and note"


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action=LocalDetailsAction.CHANGE)
def flow_details(request: Request, sid: str) -> HttpResponse:
    """Change the owner, tags and note of a flow, also of a deleted one. Nothing is sent."""
    flow = _find_flow(request, sid)
    unavailable = responses.unavailable_response(
        request, request.account_sid, "details", task=_TASK
    )
    if unavailable:
        return unavailable
    current = reading.load_details(sid)
    owners = choices.suggest_owners(scope_of(request.user, "flows.view_flow"))
    if request.method == "GET" or "edit_again" in request.POST:
        initial = request.POST.dict()
        form = DetailsForm(sid=sid, current=current, owners=owners, initial=initial)
        return _render(request, flow, form)
    form = DetailsForm(request.POST, sid=sid, current=current, owners=owners)
    if not form.is_valid():
        return _render(request, flow, form, status=422)
    return _save(request, flow, form)


def _find_flow(request: Request, sid: str) -> Flow:
    """Return the flow from the mirror, or as the permission check has read it from Twilio."""
    flow = Flow.objects.filter(sid=sid).first()
    if flow is not None:
        return flow
    if sid in request.readings:
        return mirror.flow_from_snapshot(redact_fields(request.readings[sid]), request.account_sid)
    if AuditEvent.objects.filter(target_sid=sid).exists():
        return Flow(sid=sid, account_sid=request.account_sid)
    raise Http404("There is no such flow in the mirror or the log")


def _save(request: Request, flow: Flow, form: DetailsForm) -> HttpResponse:
    """Make the change of a valid form, and return the page for its result."""
    try:
        change = services.change_details(
            sid=flow.sid,
            account_sid=request.account_sid,
            base=form.base_details,
            values=form.values,
            reason=form.cleaned_data["reason"],
            actor=get_actor(request),
            change_id=form.cleaned_data["change_id"],
        )
    except DetailsConflict as conflict:
        rows = _build_conflict_rows(form, conflict)
        return _render(request, flow, form.rebase(conflict), status=409, conflicts=rows)
    except services.DetailsUnchanged:
        messages.info(request, "No changes to save: the owner, tags and note are the same.")
    except audit_log.AlreadyRecorded:
        messages.info(request, "This form was already sent. Nothing was changed again.")
    except OperationUnavailable as refusal:
        problem = refusal_messages.change_unavailable(refusal.restriction, task=_TASK)
        return _render(request, flow, form.reopen(), status=403, problem=problem)
    except audit_log.NotRecorded:
        problem = refusal_messages.details_not_recorded()
        return _render(request, flow, form.reopen(), status=503, problem=problem)
    else:
        _add_success_messages(request, flow, change)
    return responses.redirect_page(request, "flows:detail", sid=flow.sid)


def _add_success_messages(request: Request, flow: Flow, change: services.DetailsChange) -> None:
    messages.success(request, f"Saved {_join_labels(change.event.changed_fields)} of “{flow}”.")
    if change.merged_names:
        names = _join_labels(change.merged_names)
        messages.info(
            request, f"Someone else changed {names} in the meantime. Both changes were kept."
        )


def _join_labels(names: list[str]) -> str:
    return ", ".join(LABELS[name].lower() for name in names)


def _build_conflict_rows(form: DetailsForm, conflict: DetailsConflict) -> list[dict[str, Any]]:
    """Return the fields in conflict: as the user saw them, as they are now, and as requested."""
    base, mine = form.base_details.as_values(), form.values
    theirs = conflict.current.as_values()
    return [
        {
            "label": LABELS[name],
            "base": display_value(name, base[name]),
            "theirs": display_value(name, theirs[name]),
            "mine": display_value(name, mine[name]),
        }
        for name in conflict.names
    ]


def _render(
    request: Request,
    flow: Flow,
    form: DetailsForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
    conflicts: list[dict[str, Any]] | None = None,
) -> HttpResponse:
    context = {"flow": flow, "form": form, "problem": problem, "conflicts": conflicts or []}
    if conflicts:
        changes = AuditEvent.objects.filter(target_sid=flow.sid, action=LocalDetailsAction.CHANGE)
        context["last_change"] = changes.filter(result=Result.SUCCEEDED).order_by("-seq").first()
    return render(request, "flows/details.html", context, status=status)
