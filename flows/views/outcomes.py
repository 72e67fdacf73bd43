"""What became of a change, as a page. The services say it; here it is told: a redirect with a sentence, or
the same form once more, with what was typed and the reason why it was not sent or not accepted. A change that
was sent from over the list leaves the list where it is: its sentence stands in a toast.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect, reswap, retarget

from flows import words
from flows.flexapi import schema
from flows.flexapi.errors import FlexError, Refused
from flows.forms import FlowForm, ReasonForm, SwitchForm
from flows.models import AuditEvent, Result
from flows.services import audit, changes, closures, first_contact, mirror
from flows.services.settling import StaleRead
from flows.views import problems
from flows.views.conflicts import form_after, labels_of
from flows.views.problems import Problem
from flows.views.requests import Request, actor_of, current_page


class Page(Protocol):
    """Renders a form's page, with a status and what went wrong."""

    def __call__(
        self,
        form: Any,
        /,
        *,
        status: int = 200,
        problem: Problem | None = None,
    ) -> HttpResponse: ...


Act = Callable[[dict[str, Any]], changes.Change]


def answer(
    request: Request, form: ReasonForm, page: Page, act: Act, *, what: str, sid: str = ""
) -> HttpResponse:
    """Makes the change: `act` calls one service with what every change carries. `what` names it after "Couldn't"."""
    common = {
        "reason": form.cleaned_data["reason"],
        "change_id": form.cleaned_data["change_id"],
        "actor": actor_of(request),
        "refers_to": _referred(request, form, sid),
    }
    try:
        change = act(common)
    except changes.Conflict as conflict:
        return _conflict(form, page, conflict)
    except changes.NothingToChange:
        messages.info(request, "No changes to save: the flow already has these settings. Nothing was sent.")
        return _told(request, None, sid)
    except audit.AlreadyRecorded as known:
        return _replayed(request, known.event)
    except changes.OutcomeNotRecorded as lost:
        problem = problems.outcome_not_recorded(lost.error)
        name = "flows/_problem.html" if request.htmx else "flows/problem.html"
        return render(request, name, {"problem": problem, "sid": sid}, status=500)
    except changes.NotRead as unread:
        if mirror.is_gone(unread.error):
            messages.error(request, f"Couldn't {what}.")  # the flow's page says that it is gone
            return go_to(request, "flows:detail", sid=sid)
        status = 409 if isinstance(unread.error, StaleRead) else 502
        return page(form.again(), status=status, problem=_why_unread(request, unread.error, what))
    except audit.ChangeOpen as other:
        return page(form.again(), status=409, problem=problems.change_open(other.event, is_creation=not sid))
    except closures.Closed as closed:
        return page(form.again(), status=403, problem=problems.closed(closed.why, what=what))
    except audit.NotRecorded:
        return page(form.again(), status=503, problem=problems.not_recorded())
    return _succeeded(request, change) if change.error is None else _failed(request, form, page, change, what)


def go_to(request: Request, name: str, **arguments: Any) -> HttpResponse:
    """A redirect of the whole page, also where htmx asked for a part of it."""
    url = reverse(name, kwargs=arguments)
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def _told(request: Request, event: AuditEvent | None, sid: str) -> HttpResponse:
    """The flow's page, which shows the messages; or, from over the list, the messages themselves, and the list
    anew. What a toast has shown no later page shows again."""
    if not request.htmx or current_page(request).path != reverse("flows:list"):
        return go_to(request, "flows:detail", sid=sid)
    toast = render(request, "_toast.html", {"event": event, "undo": _undo(event), "sid": sid})
    toast["HX-Trigger"] = "flows-changed"
    return retarget(reswap(toast, "afterbegin"), "#toasts")


def _undo(event: AuditEvent | None) -> SwitchForm | None:
    """The switch back. It is a change like any other, and says which it undoes."""
    if event is None or event.changed_fields != ["enabled"] or event.refers_to:
        return (
            None  # of an undo, none: a second press of the button that stood here would take it back unasked
        )
    initial = {
        "enabled": str(not _is_on(event.payload.after or {})).lower(),
        "reason": f"Undo event {event.seq}",
        "change_id": uuid.uuid4(),
        "refers_to": event.event_id,
    }
    return SwitchForm(initial=initial, auto_id=False)


def _is_on(flow: Mapping[str, Any]) -> bool:
    return schema.normalised("enabled", flow.get("enabled")) is True


def _succeeded(request: Request, change: changes.Change) -> HttpResponse:
    event = change.event
    heard = (
        "It no longer exists at Twilio" if event.remote_status == changes.NOT_THERE else "Confirmed by Twilio"
    )
    messages.success(request, f"{_done(change)} {_name(event)}. {heard}.")
    if change.theirs:
        names = ", ".join(words.label(name) for name in change.theirs)
        messages.info(request, f"Someone else changed {names} in the meantime. Both changes were kept.")
    for name in change.differs:
        messages.warning(
            request,
            f"Twilio saved a different value for {words.label(name)} than you requested.",
        )
    if event.action == "flow.delete":
        return redirect("flows:list")
    return _told(request, event, event.target_sid)


def _failed(
    request: Request, form: ReasonForm, page: Page, change: changes.Change, what: str
) -> HttpResponse:
    error = change.error
    if error is None:
        raise ValueError("a change without an error has not failed")
    if change.event.result == Result.UNKNOWN:  # its page says what happened, with status and code
        return go_to(request, "audit:detail", event_id=change.event.event_id)
    again, kind = form.again(), change.event.action.removeprefix("flow.")
    has_ended = closures.has_ended(kind, error)
    if has_ended and (why := closures.state_of(change.event.account_sid).why(kind)):
        return page(again, status=422, problem=problems.closed(why, what=what, sent=True))
    status = 422 if isinstance(error, Refused) else 502
    name = problems.field_of(error)
    if name not in again.fields:
        return page(again, status=status, problem=_problem_of(change, error, what))
    again.add_error(name, problems.of_field(error))
    field = again[name]
    at_field = problems.at_field(error, what=what, field_id=field.auto_id, label=str(field.label))
    return page(again, status=status, problem=at_field)


def _problem_of(change: changes.Change, error: FlexError, what: str) -> Problem:
    """Why the change failed; before an account's first success, which setting looks wrong."""
    problem = problems.of_change(error, what=what)
    settings_are_wrong = first_contact.explain(change.event.account_sid or "", error)
    if not settings_are_wrong:
        return problem
    return replace(problem, text=f"{settings_are_wrong}. Nothing was changed.", advice="")


def _why_unread(request: Request, error: FlexError, what: str) -> Problem:
    """The reason that the flow could not be read first: where Twilio shows no flow at all, the notice about
    the account says so."""
    why = closures.state_of(request.account_sid).why("fetch") if closures.has_ended("fetch", error) else None
    if why:
        return problems.closed(why, what=what)
    return problems.of_change(error, what=what, sent=False)


def _conflict(form: ReasonForm, page: Page, conflict: changes.Conflict) -> HttpResponse:
    if isinstance(form, FlowForm):
        return page(form_after(form, conflict), status=409)
    changed = labels_of(conflict.merged.theirs)
    return page(form, status=409, problem=problems.changed_meanwhile(changed))


def _replayed(request: Request, event: AuditEvent) -> HttpResponse:
    """A double click, a reload or the back button: the change is the one on record."""
    if event.result == Result.SUCCEEDED and event.action != "flow.delete":
        messages.info(
            request,
            "This change was already saved. Later edits to the form were not sent.",
        )
        return _told(request, event, event.target_sid)
    messages.info(request, "This form was already sent. Its result is shown below. Nothing was sent again.")
    return go_to(request, "audit:detail", event_id=event.event_id)


def _referred(request: Request, form: ReasonForm, sid: str) -> uuid.UUID | None:
    """The event that the form says it restores or undoes, if there is such a one in this account, and of this flow if
    it is of one."""
    event_id = form.cleaned_data["refers_to"]
    events = AuditEvent.objects.filter(event_id=event_id, account_sid=request.account_sid)
    events = events.filter(target_sid=sid) if sid else events
    return event_id if event_id and events.exists() else None


def _name(event: AuditEvent) -> str:
    return f"“{event.payload.friendly_name}”" if event.payload.friendly_name else "the flow"


def _done(change: changes.Change) -> str:
    """What came to pass, such as "Turned off"."""
    if change.event.changed_fields == ["enabled"]:
        return "Turned on" if _is_on(change.after) else "Turned off"
    return {"flow.create": "Created", "flow.delete": "Deleted"}.get(change.event.action, "Saved changes to")
