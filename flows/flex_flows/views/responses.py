"""What became of a change, as a page. The services say it; here it is told: a redirect with a sentence, or
the same form once more, with what was typed and the reason why it was not sent or not accepted. A change that
was sent from over the list leaves the list where it is: its sentence stands in a toast.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Protocol

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

from flows.audit import audit_log
from flows.audit.access import Request, current_page_url, get_actor
from flows.audit.models import AuditEvent, Result
from flows.availability import restrictions
from flows.changes import flow_changes
from flows.changes.forms.reason import EnabledForm, ReasonForm
from flows.flex_flows.forms import FlowForm
from flows.flex_flows.views.conflicts import build_conflict_form, join_labels
from flows.mirror import failure_messages, first_contact, mirror
from flows.mirror.failure_messages import Problem
from flows.mirror.stale_reads import StaleRead
from flows.twilio import labels
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.flex import flex_flow


class FormRenderer(Protocol):
    """Renders a form's page, with a status and what went wrong."""

    def __call__(
        self,
        form: Any,
        /,
        *,
        status: int = 200,
        problem: Problem | None = None,
    ) -> HttpResponse: ...


ChangeCall = Callable[[dict[str, Any]], flow_changes.Change]


def submit_change(
    request: Request,
    form: ReasonForm,
    page: FormRenderer,
    act: ChangeCall,
    *,
    what: str,
    sid: str = "",
) -> HttpResponse:
    """Makes the change: `act` calls one service with what every change carries. `what` names it after "Couldn't"."""
    common = {
        "reason": form.cleaned_data["reason"],
        "change_id": form.cleaned_data["change_id"],
        "actor": get_actor(request),
        "refers_to": _related_event_id(request, form, sid),
    }
    try:
        change = act(common)
    except flow_changes.Conflict as conflict:
        return _conflict_response(form, page, conflict)
    except flow_changes.NothingToChange:
        messages.info(
            request, "No changes to save: the flow already has these settings. Nothing was sent."
        )
        return _redirect_or_toast(request, None, sid)
    except audit_log.AlreadyRecorded as known:
        return _replay_response(request, known.event)
    except flow_changes.OutcomeNotRecorded as lost:
        problem = failure_messages.outcome_not_recorded(lost.error)
        name = "flows/_problem.html" if request.htmx else "flows/problem.html"
        return render(request, name, {"problem": problem, "sid": sid}, status=500)
    except flow_changes.FlowUnreadable as unread:
        if mirror.is_not_found(unread.error):
            messages.error(request, f"Couldn't {what}.")  # the flow's page says that it is gone
            return redirect_page(request, "flows:detail", sid=sid)
        status = 409 if isinstance(unread.error, StaleRead) else 502
        return page(form.again(), status=status, problem=_read_problem(request, unread.error, what))
    except audit_log.ConcurrentChange as other:
        return page(
            form.again(),
            status=409,
            problem=failure_messages.blocked_by_open_change(other.event, is_creation=not sid),
        )
    except restrictions.OperationUnavailable as closed:
        return page(
            form.again(),
            status=403,
            problem=failure_messages.change_unavailable(closed.why, what=what),
        )
    except audit_log.NotRecorded:
        return page(form.again(), status=503, problem=failure_messages.not_recorded())
    return (
        _success_response(request, change)
        if change.error is None
        else _failure_response(request, form, page, change, what)
    )


def redirect_page(request: Request, name: str, **arguments: Any) -> HttpResponse:
    """A redirect of the whole page, also where htmx asked for a part of it."""
    url = reverse(name, kwargs=arguments)
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def _redirect_or_toast(request: Request, event: AuditEvent | None, sid: str) -> HttpResponse:
    """The flow's page, which shows the messages; or, from over the list, the messages themselves, and the list
    anew. What a toast has shown no later page shows again."""
    if not request.htmx or current_page_url(request).path != reverse("flows:list"):
        return redirect_page(request, "flows:detail", sid=sid)
    toast = render(
        request, "_toast.html", {"event": event, "undo": _build_undo_form(event), "sid": sid}
    )
    toast["HX-Trigger"] = "flows-changed"
    return retarget(reswap(toast, "afterbegin"), "#toasts")


def _build_undo_form(event: AuditEvent | None) -> EnabledForm | None:
    """The switch back. It is a change like any other, and says which it undoes."""
    if event is None or event.changed_fields != ["enabled"] or event.refers_to:
        return None  # of an undo, none: a second press of the button that stood here would take it back unasked
    initial = {
        "enabled": str(not _is_enabled(event.payload.after or {})).lower(),
        "reason": f"Undo event {event.seq}",
        "change_id": uuid.uuid4(),
        "refers_to": event.event_id,
    }
    return EnabledForm(initial=initial, auto_id=False)


def _is_enabled(flow: Mapping[str, Any]) -> bool:
    return flex_flow.normalize_value("enabled", flow.get("enabled")) is True


def _success_response(request: Request, change: flow_changes.Change) -> HttpResponse:
    event = change.event
    heard = (
        "It no longer exists at Twilio"
        if event.remote_status == HTTPStatus.NOT_FOUND
        else "Confirmed by Twilio"
    )
    messages.success(request, f"{_result_phrase(change)} {_quoted_name(event)}. {heard}.")
    if change.merged_fields:
        names = ", ".join(labels.field_label(name) for name in change.merged_fields)
        messages.info(
            request, f"Someone else changed {names} in the meantime. Both changes were kept."
        )
    for name in change.unexpected_fields:
        messages.warning(
            request,
            f"Twilio saved a different value for {labels.field_label(name)} than you requested.",
        )
    if event.action == "flow.delete":
        return redirect("flows:list")
    return _redirect_or_toast(request, event, event.target_sid)


def _failure_response(
    request: Request, form: ReasonForm, page: FormRenderer, change: flow_changes.Change, what: str
) -> HttpResponse:
    error = change.error
    if error is None:
        raise ValueError("a change without an error has not failed")
    if change.event.result == Result.UNKNOWN:  # its page says what happened, with status and code
        return redirect_page(request, "audit:detail", event_id=change.event.event_id)
    again, kind = form.again(), change.event.action.removeprefix("flow.")
    has_ended = restrictions.is_endpoint_gone(kind, error)
    if has_ended and (why := restrictions.account_availability(change.event.account_sid).why(kind)):
        return page(
            again,
            status=422,
            problem=failure_messages.change_unavailable(why, what=what, sent=True),
        )
    status = 422 if isinstance(error, RequestRefused) else 502
    name = failure_messages.refused_field(error)
    if name not in again.fields:
        return page(again, status=status, problem=_change_problem(change, error, what))
    again.add_error(name, failure_messages.field_message(error))
    field = again[name]
    at_field = failure_messages.field_refused(
        error, what=what, field_id=field.auto_id, label=str(field.label)
    )
    return page(again, status=status, problem=at_field)


def _change_problem(change: flow_changes.Change, error: FlexError, what: str) -> Problem:
    """Why the change failed; before an account's first success, which setting looks wrong."""
    problem = failure_messages.change_failed(error, what=what)
    settings_are_wrong = first_contact.explain_failure(change.event.account_sid or "", error)
    if not settings_are_wrong:
        return problem
    return replace(problem, text=f"{settings_are_wrong}. Nothing was changed.", advice="")


def _read_problem(request: Request, error: FlexError, what: str) -> Problem:
    """The reason that the flow could not be read first: where Twilio shows no flow at all, the notice about
    the account says so."""
    why = (
        restrictions.account_availability(request.account_sid).why("fetch")
        if restrictions.is_endpoint_gone("fetch", error)
        else None
    )
    if why:
        return failure_messages.change_unavailable(why, what=what)
    return failure_messages.change_failed(error, what=what, sent=False)


def _conflict_response(
    form: ReasonForm, page: FormRenderer, conflict: flow_changes.Conflict
) -> HttpResponse:
    if isinstance(form, FlowForm):
        return page(build_conflict_form(form, conflict), status=409)
    changed = join_labels(conflict.merged.their_fields)
    return page(form, status=409, problem=failure_messages.flow_changed(changed))


def _replay_response(request: Request, event: AuditEvent) -> HttpResponse:
    """A double click, a reload or the back button: the change is the one on record."""
    if event.result == Result.SUCCEEDED and event.action != "flow.delete":
        messages.info(
            request,
            "This change was already saved. Later edits to the form were not sent.",
        )
        return _redirect_or_toast(request, event, event.target_sid)
    messages.info(
        request, "This form was already sent. Its result is shown below. Nothing was sent again."
    )
    return redirect_page(request, "audit:detail", event_id=event.event_id)


def _related_event_id(request: Request, form: ReasonForm, sid: str) -> uuid.UUID | None:
    """The event that the form says it restores or undoes, if there is such a one in this account, and of this flow if
    it is of one."""
    event_id = form.cleaned_data["refers_to"]
    events = AuditEvent.objects.filter(event_id=event_id, account_sid=request.account_sid)
    events = events.filter(target_sid=sid) if sid else events
    return event_id if event_id and events.exists() else None


def _quoted_name(event: AuditEvent) -> str:
    return f"“{event.payload.friendly_name}”" if event.payload.friendly_name else "the flow"


def _result_phrase(change: flow_changes.Change) -> str:
    """What came to pass, such as "Turned off"."""
    if change.event.changed_fields == ["enabled"]:
        return "Turned on" if _is_enabled(change.after) else "Turned off"
    return {"flow.create": "Created", "flow.delete": "Deleted"}.get(
        change.event.action, "Saved changes to"
    )
