"""HTTP responses for the result of a change: a redirect, or the form again with its errors.

They are the same for every resource. `ChangeResponder` is told where an object and its list have
their pages. Flows have responses of their own beyond these (`flows.flex_flows.views.responses`).
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import replace
from http import HTTPStatus
from typing import Any, Final, Protocol

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from flows.audit import audit_log
from flows.audit.access import Request, get_actor
from flows.audit.models import AuditEvent, Result
from flows.availability import restrictions
from flows.availability.restrictions import Restriction
from flows.changes import change_guard, failure_messages, in_flight, operations, refusal_messages
from flows.changes.forms.reason import ReasonForm
from flows.changes.problem import Problem
from flows.core.opened_forms import is_opening
from flows.mirror import first_contact, flow_reads, live
from flows.mirror.stale_reads import StaleRead
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.resource import Resource


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


AS_REQUEST: Final = "as_request"  # the button that makes a change request instead of sending

# Calls one service with the arguments that all changes share.
ChangeCall = Callable[[dict[str, Any]], operations.Change]
# Reasons of this site for not sending a change. The form can be sent again.
_REFUSALS: Final = (
    in_flight.ConcurrentChange,
    restrictions.OperationUnavailable,
    audit_log.NotRecorded,
)


class ChangeResponder:
    """The responses for the results of changes of one resource."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource

    def object_url(self, request: Request, sid: str) -> str:
        """Return the address of an object's page."""
        raise NotImplementedError

    def list_url(self, request: Request) -> str:
        """Return the address of the list of the resource."""
        raise NotImplementedError

    def submit(
        self,
        request: Request,
        form: ReasonForm,
        page: FormRenderer,
        send: ChangeCall,
        *,
        task: str,
        sid: str = "",
    ) -> HttpResponse:
        """Send the change of a valid form, or make a request of it. Return the page for its result.

        `task` follows "Couldn't" in messages, such as "delete the flow". `sid` is empty for a
        creation.
        """
        reason_error = change_guard.missing_reason(
            [request.account_sid], form.cleaned_data["reason"]
        )
        if reason_error:
            form.add_error("reason", reason_error)
            return page(form, status=422)
        common = {
            "reason": form.cleaned_data["reason"],
            "change_id": form.cleaned_data["change_id"],
            "actor": get_actor(request),
            "refers_to": related_event_id(request, form, sid),
        }
        is_sent = AS_REQUEST not in request.POST
        try:
            with nullcontext() if is_sent else change_guard.choose_request():
                change = send(common)
        except change_guard.RequestRequired as required:
            return self._request_response(request, form, page, required, task=task)
        except _REFUSALS as refusal:
            status, problem = self._explain_refusal(refusal, task=task, is_creation=not sid)
            return page(form.reopen(), status=status, problem=problem)
        except operations.Conflict as conflict:
            return self.conflict_response(form, page, conflict)
        except operations.NothingToChange:
            message = f"No changes to save: the {self.resource.noun} already has these settings."
            messages.info(request, f"{message} Nothing was sent.")
            return self.confirmed_response(request, None, sid)
        except audit_log.AlreadyRecorded as replay:
            return self._replay_response(request, replay.event)
        except operations.OutcomeNotRecorded as failure:
            return self._not_recorded_response(request, failure.error, sid)
        except operations.FlowUnreadable as failure:
            return self._unreadable_response(request, form, page, failure.error, task=task, sid=sid)
        if change.error is None:
            return self._success_response(request, change)
        return self._failure_response(request, form, page, change, change.error, task)

    def _request_response(
        self,
        request: Request,
        form: ReasonForm,
        page: FormRenderer,
        required: change_guard.RequestRequired,
        *,
        task: str,
    ) -> HttpResponse:
        """Make a change request of a change that its policy doesn't let through, and show it."""
        try:
            url = change_guard.guard().submit(required.change)
        except audit_log.NotRecorded as refusal:
            status, problem = self._explain_refusal(refusal, task=task, is_creation=False)
            return page(form.reopen(), status=status, problem=problem)
        except change_guard.AlreadyRequested as earlier:
            if not earlier.url:
                problem = refusal_messages.form_reused()
                return page(form.reopen(), status=409, problem=problem)
            return redirect_to_earlier_request(request, earlier.url)
        except change_guard.SecretInRequest as secret:
            is_chosen = isinstance(required, change_guard.RequestChosen)
            policy_sentence = "" if is_chosen else required.restriction.sentence
            problem = refusal_messages.secret_in_request(secret.labels, policy_sentence)
            return page(form.reopen(), status=422, problem=problem)
        messages.success(
            request, f"Change request created. {required.restriction.sentence} Nothing was sent."
        )
        return redirect_url(request, url)

    def confirmed_response(
        self,
        request: Request,
        event: AuditEvent | None,  # noqa: ARG002 - for subclasses
        sid: str,
    ) -> HttpResponse:
        """Return the response to a change that needs no attention: the object's page."""
        return redirect_url(request, self.object_url(request, sid))

    def conflict_response(
        self, form: ReasonForm, page: FormRenderer, conflict: operations.Conflict
    ) -> HttpResponse:
        """Return the form with the names of the fields that someone else changed."""
        labels = self.join_labels(conflict.merged.their_fields)
        problem = refusal_messages.object_changed(labels, resource=self.resource)
        return page(form, status=409, problem=problem)

    def success_phrase(self, change: operations.Change) -> str:
        """Return the start of the success message, such as "Created"."""
        phrases = {"create": "Created", "archive": "Archived", "delete": "Deleted"}
        return phrases.get(change.event.operation, "Saved changes to")

    def unavailable_response(
        self, request: Request, account_sid: str, operation: str, *, task: str
    ) -> HttpResponse | None:
        """Return a page in place of a form that could not be sent, or None if it could."""
        restriction = live.find_restriction(self.resource, account_sid, operation)
        return self.restricted_response(request, restriction, task=task)

    def restricted_response(
        self, request: Request, restriction: Restriction | None, *, task: str
    ) -> HttpResponse | None:
        """Return a page in place of a form that this restriction would refuse, or None."""
        if restriction is None or not is_opening(request):
            return None
        problem = refusal_messages.change_unavailable(restriction, task=task, is_submitted=False)
        return self._problem_page(request, problem, "", status=403)

    def join_labels(self, names: Iterable[str]) -> str:
        """Return the labels of these fields, separated by commas."""
        return ", ".join(self.resource.label_of(name) for name in names)

    def _explain_refusal(
        self, refusal: Exception, *, task: str, is_creation: bool
    ) -> tuple[int, Problem]:
        """Return the status and the problem for a change that this site did not send."""
        if isinstance(refusal, in_flight.ConcurrentChange):
            problem = refusal_messages.blocked_by_open_change(
                refusal.event, resource=self.resource, is_creation=is_creation
            )
            return 409, problem
        if isinstance(refusal, restrictions.OperationUnavailable):
            return 403, refusal_messages.change_unavailable(refusal.restriction, task=task)
        return 503, refusal_messages.not_recorded(self.resource)

    def _success_response(self, request: Request, change: operations.Change) -> HttpResponse:
        event = change.event
        was_missing = event.remote_status == HTTPStatus.NOT_FOUND
        confirmation = "It no longer exists at Twilio" if was_missing else "Confirmed by Twilio"
        phrase = f"{self.success_phrase(change)} {self._quoted_name(event)}"
        messages.success(request, f"{phrase}. {confirmation}.")
        if change.merged_fields:
            names = self.join_labels(change.merged_fields)
            messages.info(
                request, f"Someone else changed {names} in the meantime. Both changes were kept."
            )
        for name in change.unexpected_fields:
            label = self.resource.label_of(name)
            messages.warning(
                request, f"Twilio saved a different value for {label} than you requested."
            )
        if event.operation == "delete":
            return redirect(self.list_url(request))
        return self.confirmed_response(request, event, event.target_sid)

    def _failure_response(
        self,
        request: Request,
        form: ReasonForm,
        page: FormRenderer,
        change: operations.Change,
        error: FlexError,
        task: str,
    ) -> HttpResponse:
        """Return the page for a change that was sent and failed, or has an unknown outcome."""
        event = change.event
        if event.result == Result.UNKNOWN:  # the event's page has Twilio's status and code
            return redirect_url(request, event_url(event))

        reopened_form = form.reopen()
        restriction = self._find_restriction(event.operation, error, event.account_sid)
        if restriction:
            problem = refusal_messages.change_unavailable(restriction, task=task, is_sent=True)
            return page(reopened_form, status=422, problem=problem)

        status = 422 if isinstance(error, RequestRefused) else 502
        field_name = failure_messages.refused_field(error, self.resource)
        if field_name not in reopened_form.fields:
            problem = self._change_problem(change, error, task)
            return page(reopened_form, status=status, problem=problem)
        reopened_form.add_error(
            field_name, failure_messages.field_message(error, resource=self.resource)
        )
        field = reopened_form[field_name]
        problem = failure_messages.field_refused(
            error,
            resource=self.resource,
            task=task,
            field_id=field.auto_id,
            label=str(field.label),
        )
        return page(reopened_form, status=status, problem=problem)

    def _not_recorded_response(
        self, request: Request, error: FlexError | None, sid: str
    ) -> HttpResponse:
        """Return the page for a change that was sent, but whose outcome could not be logged."""
        problem = failure_messages.outcome_not_recorded(error, self.resource)
        return self._problem_page(request, problem, sid, status=500)

    def _problem_page(
        self, request: Request, problem: Problem, sid: str, *, status: int
    ) -> HttpResponse:
        template_name = "flows/_problem.html" if request.htmx else "flows/problem.html"
        context = {
            "problem": problem,
            "noun": self.resource.noun,
            "object_url": self.object_url(request, sid) if sid else "",
        }
        return render(request, template_name, context, status=status)

    def _unreadable_response(
        self,
        request: Request,
        form: ReasonForm,
        page: FormRenderer,
        error: FlexError,
        *,
        task: str,
        sid: str,
    ) -> HttpResponse:
        """Return the page for a change that was not sent because its object could not be read."""
        if flow_reads.is_not_found(error):
            # The object's page says that it is deleted.
            messages.error(request, f"Couldn't {task}.")
            return redirect_url(request, self.object_url(request, sid))
        status = 409 if isinstance(error, StaleRead) else 502
        return page(form.reopen(), status=status, problem=self._read_problem(request, error, task))

    def _change_problem(self, change: operations.Change, error: FlexError, task: str) -> Problem:
        """Return the reason of a failure.

        Before an account's first success, it may name the setting of this site that looks wrong.
        """
        problem = failure_messages.change_failed(error, resource=self.resource, task=task)
        settings_problem = first_contact.explain_failure(change.event.account_sid, error)
        if not settings_problem:
            return problem
        return replace(problem, text=f"{settings_problem}. Nothing was changed.", advice="")

    def _read_problem(self, request: Request, error: FlexError, task: str) -> Problem:
        """Return the reason why the object could not be read.

        If Twilio refuses all reads of the account, it is the account's restriction.
        """
        restriction = self._find_restriction("fetch", error, request.account_sid)
        if restriction:
            return refusal_messages.change_unavailable(restriction, task=task)
        return failure_messages.change_failed(
            error, resource=self.resource, task=task, is_sent=False
        )

    def _find_restriction(
        self, operation: str, error: FlexError, account_sid: str
    ) -> Restriction | None:
        """Return the account's restriction if Twilio refuses all calls of this kind, or None."""
        if not restrictions.is_endpoint_gone(operation, error):
            return None
        return live.find_restriction(self.resource, account_sid, operation)

    def _replay_response(self, request: Request, event: AuditEvent) -> HttpResponse:
        """Return the result of a form that was sent before: a double click, a reload or "back"."""
        is_of_resource = event.action == self.resource.action(event.operation)
        has_page = is_of_resource and event.account_sid == request.account_sid
        if event.result == Result.SUCCEEDED and event.operation != "delete" and has_page:
            messages.info(
                request, "This change was already saved. Later edits to the form were not sent."
            )
            return self.confirmed_response(request, event, event.target_sid)
        messages.info(
            request,
            "This form was already sent. Its result is shown below. Nothing was sent again.",
        )
        return redirect_url(request, event_url(event))

    def _quoted_name(self, event: AuditEvent) -> str:
        name = event.payload.friendly_name
        return f"“{name}”" if name else f"the {self.resource.noun}"


def redirect_url(request: Request, url: str) -> HttpResponse:
    """Redirect the whole page to an address, even if htmx asked for a part of it."""
    return HttpResponseClientRedirect(url) if request.htmx else redirect(url)


def redirect_to_earlier_request(request: Request, url: str) -> HttpResponse:
    """Redirect to the change request that this form has made before."""
    messages.info(
        request,
        "This form was already sent. Its change request is below. Later edits to the form were not "
        "saved.",
    )
    return redirect_url(request, url)


def event_url(event: AuditEvent) -> str:
    """Return the address of an event's page in the log."""
    return reverse("audit:detail", kwargs={"event_id": event.event_id})


def related_event_id(request: Request, form: ReasonForm, sid: str) -> uuid.UUID | None:
    """Return the event that the form restores or reverts, or None.

    It must be of the same account and, for an existing object, of that object.
    """
    event_id = form.cleaned_data["refers_to"]
    if event_id is None:
        return None
    events = AuditEvent.objects.filter(event_id=event_id, account_sid=request.account_sid)
    if sid:
        events = events.filter(target_sid=sid)
    return events.values_list("event_id", flat=True).first()
