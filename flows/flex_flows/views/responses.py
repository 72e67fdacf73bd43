"""HTTP responses for the result of a change: a redirect, a toast, or the form with its errors.

A change that was sent from the dialog over the list leaves the list open and shows a toast.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final, Protocol

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

from flows.audit import audit_log
from flows.audit.access import Request, current_page_url, get_actor
from flows.audit.models import AuditEvent, Result
from flows.availability import restrictions
from flows.changes import failure_messages, flow_changes, in_flight
from flows.changes.failure_messages import Problem
from flows.changes.forms.reason import EnabledForm, ReasonForm
from flows.core.opened_forms import is_opening
from flows.flex_flows import list_links
from flows.flex_flows.forms import FlowForm
from flows.flex_flows.states import is_on
from flows.flex_flows.views.conflicts import build_conflict_form, join_labels
from flows.mirror import first_contact, flow_reads
from flows.mirror.stale_reads import StaleRead
from flows.twilio.cleaning import to_text
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW


class FormRenderer(Protocol):
    """A function that renders a form's page, with a status and a problem."""

    def __call__(
        self,
        form: Any,
        /,
        *,
        status: int = 200,
        problem: Problem | None = None,
    ) -> HttpResponse: ...


# Calls one service with the arguments that all changes share.
ChangeCall = Callable[[dict[str, Any]], flow_changes.Change]
# Reasons of this site for not sending a change. The form can be sent again.
_REFUSALS: Final = (
    in_flight.ConcurrentChange,
    restrictions.OperationUnavailable,
    audit_log.NotRecorded,
)


def submit_change(
    request: Request,
    form: ReasonForm,
    page: FormRenderer,
    send: ChangeCall,
    *,
    task: str,
    sid: str = "",
) -> HttpResponse:
    """Send the change of a valid form and return the page for its result.

    `task` follows "Couldn't" in messages, such as "delete the flow". `sid` is empty for a creation.
    """
    common = {
        "reason": form.cleaned_data["reason"],
        "change_id": form.cleaned_data["change_id"],
        "actor": get_actor(request),
        "refers_to": _related_event_id(request, form, sid),
    }
    try:
        change = send(common)
    except _REFUSALS as refusal:
        status, problem = _explain_refusal(refusal, task=task, is_creation=not sid)
        return page(form.reopen(), status=status, problem=problem)
    except flow_changes.Conflict as conflict:
        return _conflict_response(form, page, conflict)
    except flow_changes.NothingToChange:
        messages.info(
            request, "No changes to save: the flow already has these settings. Nothing was sent."
        )
        return _redirect_or_toast(request, None, sid)
    except audit_log.AlreadyRecorded as replay:
        return _replay_response(request, replay.event)
    except flow_changes.OutcomeNotRecorded as failure:
        return _not_recorded_response(request, failure.error, sid)
    except flow_changes.FlowUnreadable as failure:
        return _unreadable_response(request, form, page, failure.error, task=task, sid=sid)
    if change.error is None:
        return _success_response(request, change)
    return _failure_response(request, form, page, change, change.error, task)


def _explain_refusal(refusal: Exception, *, task: str, is_creation: bool) -> tuple[int, Problem]:
    """Return the status and the problem for a change that this site did not send."""
    if isinstance(refusal, in_flight.ConcurrentChange):
        problem = failure_messages.blocked_by_open_change(refusal.event, is_creation=is_creation)
        return 409, problem
    if isinstance(refusal, restrictions.OperationUnavailable):
        return 403, failure_messages.change_unavailable(refusal.restriction, task=task)
    return 503, failure_messages.not_recorded()


def redirect_page(request: Request, name: str, **arguments: Any) -> HttpResponse:
    """Redirect the whole page, even if htmx asked for a part of it."""
    url = reverse(name, kwargs=arguments)
    if name == "flows:detail":
        url = list_links.with_list(request, url)
    return redirect_url(request, url)


def redirect_url(request: Request, url: str) -> HttpResponse:
    """Redirect the whole page to an address, even if htmx asked for a part of it."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def redirect_deleted(request: Request, sid: str) -> HttpResponse:
    """Redirect to the page of a flow that is deleted, with the error."""
    messages.error(request, "This flow was deleted at Twilio. It can't be changed.")
    return redirect_page(request, "flows:detail", sid=sid)


def _redirect_or_toast(request: Request, event: AuditEvent | None, sid: str) -> HttpResponse:
    """Redirect to the flow's page, or show the messages in a toast over the list and reload it.

    No later page repeats the messages of a toast.
    """
    if not request.htmx or current_page_url(request).path != reverse("flows:list"):
        return redirect_page(request, "flows:detail", sid=sid)
    context = {"event": event, "undo": _build_undo_form(event), "sid": sid}
    toast = render(request, "_toast.html", context)
    toast["HX-Trigger"] = "flows-changed"
    return retarget(reswap(toast, "afterbegin"), "#toasts")


def _build_undo_form(event: AuditEvent | None) -> EnabledForm | None:
    """Return the form that turns a flow back on or off, or None.

    An undo itself has none: a second press of the same button would revert it by accident.
    """
    if event is None or event.changed_fields != ["enabled"] or event.refers_to:
        return None
    initial = {
        "enabled": to_text(not is_on(event.payload.after or {})),
        "reason": f"Undo event {event.seq}",
        "change_id": uuid.uuid4(),
        "refers_to": event.event_id,
    }
    return EnabledForm(initial=initial, auto_id=False)


def _success_response(request: Request, change: flow_changes.Change) -> HttpResponse:
    event = change.event
    was_missing = event.remote_status == HTTPStatus.NOT_FOUND
    confirmation = "It no longer exists at Twilio" if was_missing else "Confirmed by Twilio"
    messages.success(request, f"{_result_phrase(change)} {_quoted_name(event)}. {confirmation}.")
    if change.merged_fields:
        names = join_labels(change.merged_fields)
        messages.info(
            request, f"Someone else changed {names} in the meantime. Both changes were kept."
        )
    for name in change.unexpected_fields:
        messages.warning(
            request,
            f"Twilio saved a different value for {FLEX_FLOW.label_of(name)} than you requested.",
        )
    if event.action == "flow.delete":
        return redirect(list_links.list_url(request))
    return _redirect_or_toast(request, event, event.target_sid)


def _failure_response(
    request: Request,
    form: ReasonForm,
    page: FormRenderer,
    change: flow_changes.Change,
    error: FlexError,
    task: str,
) -> HttpResponse:
    """Return the page for a change that was sent and failed, or has an unknown outcome."""
    event = change.event
    if event.result == Result.UNKNOWN:  # the event's page has Twilio's status and code
        return redirect_page(request, "audit:detail", event_id=event.event_id)

    reopened_form = form.reopen()
    operation = event.action.removeprefix("flow.")
    restriction = _find_restriction(operation, error, event.account_sid)
    if restriction:
        problem = failure_messages.change_unavailable(restriction, task=task, is_sent=True)
        return page(reopened_form, status=422, problem=problem)

    status = 422 if isinstance(error, RequestRefused) else 502
    field_name = failure_messages.refused_field(error)
    if field_name not in reopened_form.fields:
        problem = _change_problem(change, error, task)
        return page(reopened_form, status=status, problem=problem)
    reopened_form.add_error(field_name, failure_messages.field_message(error))
    field = reopened_form[field_name]
    problem = failure_messages.field_refused(
        error, task=task, field_id=field.auto_id, label=str(field.label)
    )
    return page(reopened_form, status=status, problem=problem)


def _not_recorded_response(request: Request, error: FlexError | None, sid: str) -> HttpResponse:
    """Return the page for a change that was sent, but whose outcome could not be logged."""
    problem = failure_messages.outcome_not_recorded(error)
    template_name = "flows/_problem.html" if request.htmx else "flows/problem.html"
    return render(request, template_name, {"problem": problem, "sid": sid}, status=500)


def _unreadable_response(
    request: Request,
    form: ReasonForm,
    page: FormRenderer,
    error: FlexError,
    *,
    task: str,
    sid: str,
) -> HttpResponse:
    """Return the page for a change that was not sent because its flow could not be read."""
    if flow_reads.is_not_found(error):
        messages.error(request, f"Couldn't {task}.")  # the flow's page says that it is deleted
        return redirect_page(request, "flows:detail", sid=sid)
    status = 409 if isinstance(error, StaleRead) else 502
    return page(form.reopen(), status=status, problem=_read_problem(request, error, task))


def _change_problem(change: flow_changes.Change, error: FlexError, task: str) -> Problem:
    """Return the reason of a failure.

    Before an account's first success, it may name the setting of this site that looks wrong.
    """
    problem = failure_messages.change_failed(error, task=task)
    settings_problem = first_contact.explain_failure(change.event.account_sid, error)
    if not settings_problem:
        return problem
    return replace(problem, text=f"{settings_problem}. Nothing was changed.", advice="")


def _read_problem(request: Request, error: FlexError, task: str) -> Problem:
    """Return the reason why the flow could not be read.

    If Twilio refuses all reads of the account, it is the account's restriction.
    """
    restriction = _find_restriction("fetch", error, request.account_sid)
    if restriction:
        return failure_messages.change_unavailable(restriction, task=task)
    return failure_messages.change_failed(error, task=task, is_sent=False)


def _find_restriction(
    operation: str, error: FlexError, account_sid: str
) -> restrictions.Restriction | None:
    """Return the account's restriction if Twilio refuses all calls of this kind, or None."""
    if not restrictions.is_endpoint_gone(operation, error):
        return None
    return restrictions.account_availability(account_sid).restriction_of(operation)


def _conflict_response(
    form: ReasonForm, page: FormRenderer, conflict: flow_changes.Conflict
) -> HttpResponse:
    """Return the form with a choice for each field in conflict, or else with the fields' names."""
    if isinstance(form, FlowForm):
        return page(build_conflict_form(form, conflict), status=409)
    changed_labels = join_labels(conflict.merged.their_fields)
    return page(form, status=409, problem=failure_messages.flow_changed(changed_labels))


def _replay_response(request: Request, event: AuditEvent) -> HttpResponse:
    """Return the result of a form that was sent before: a double click, a reload or "back"."""
    if event.result == Result.SUCCEEDED and event.action != "flow.delete":
        messages.info(
            request, "This change was already saved. Later edits to the form were not sent."
        )
        return _redirect_or_toast(request, event, event.target_sid)
    messages.info(
        request, "This form was already sent. Its result is shown below. Nothing was sent again."
    )
    return redirect_page(request, "audit:detail", event_id=event.event_id)


def _related_event_id(request: Request, form: ReasonForm, sid: str) -> uuid.UUID | None:
    """Return the event that the form restores or reverts, or None.

    It must be of the same account and, for an existing flow, of that flow.
    """
    event_id = form.cleaned_data["refers_to"]
    if event_id is None:
        return None
    events = AuditEvent.objects.filter(event_id=event_id, account_sid=request.account_sid)
    if sid:
        events = events.filter(target_sid=sid)
    return events.values_list("event_id", flat=True).first()


def _quoted_name(event: AuditEvent) -> str:
    return f"“{event.payload.friendly_name}”" if event.payload.friendly_name else "the flow"


def _result_phrase(change: flow_changes.Change) -> str:
    """Return the start of the success message, such as "Turned off"."""
    if change.event.changed_fields == ["enabled"]:
        return "Turned on" if is_on(change.after) else "Turned off"
    phrases = {"flow.create": "Created", "flow.delete": "Deleted"}
    return phrases.get(change.event.action, "Saved changes to")


def unavailable_response(
    request: Request, account_sid: str, kind: str, *, task: str
) -> HttpResponse | None:
    """Return a page in place of a form that could not be sent, or None if it could."""
    restriction = restrictions.find_restriction(account_sid, kind)
    if restriction is None or not is_opening(request):
        return None
    problem = failure_messages.change_unavailable(restriction, task=task, is_submitted=False)
    template = "flows/_problem.html" if request.htmx else "flows/problem.html"
    return render(request, template, {"problem": problem, "sid": ""}, status=403)
