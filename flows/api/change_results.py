"""The response for the result of a change: the flow, the change, or a problem."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, Final

from django.http import HttpResponse

from flows.api.flow_bodies import flow_response
from flows.api.paging import json_response
from flows.api.problems import API_PREFIX, Problem, key_reused, not_recorded
from flows.audit import audit_log
from flows.audit.models import APPLIED_RESULTS, AuditEvent, Result
from flows.availability.restrictions import OperationUnavailable
from flows.changes import change_guard, failure_messages, in_flight, operations, refusal_messages
from flows.changes.problem import Problem as PageProblem
from flows.mirror import flow_reads, live
from flows.mirror.models import Flow
from flows.mirror.stale_reads import StaleRead
from flows.redaction.redacted import redact_fields
from flows.twilio.errors import FlexError, RequestRefused
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.registry import resource_of_action
from flows.twilio.resource import Resource

_OPEN_RESULTS: Final = (Result.PENDING, Result.UNKNOWN)
ChangeCall = Callable[[], operations.Change]


def submit(
    call: ChangeCall,
    *,
    task: str,
    sid: str = "",
    resource: Resource = FLEX_FLOW,
    unchanged: Callable[[], HttpResponse] | None = None,
    as_request: bool = False,
) -> HttpResponse:
    """Make a change and return the response for its result. Raise `Problem` without success.

    `task` follows "Couldn't" in titles, such as "delete the flow". `sid` is empty for a creation.
    `unchanged` returns the response for an object that has the values already, other than a flow.
    With `as_request`, the change becomes a change request and is not sent.
    """
    try:
        with change_guard.choose_request() if as_request else nullcontext():
            change = call()
    except operations.NothingToChange:
        return unchanged() if unchanged else flow_response(Flow.objects.get(pk=sid), change=None)
    except operations.Conflict as conflict:
        raise _conflict(conflict, resource) from None
    except in_flight.ConcurrentChange as other:
        problem = refusal_messages.blocked_by_open_change(
            other.event, is_creation=not sid, resource=resource
        )
        raise _problem(409, problem, code="in_progress") from None
    except OperationUnavailable as refusal:
        return refused_response(refusal, task)
    except audit_log.NotRecorded as failure:
        raise not_recorded(failure) from None
    except audit_log.AlreadyRecorded as replay:
        return replayed_response(replay.event)
    except operations.OutcomeNotRecorded as failure:
        return _open_response(failure.attempt)
    except operations.FlowUnreadable as failure:
        raise unreadable(failure.error, task, resource) from None
    if change.error is not None and change.event.result != Result.UNKNOWN:
        raise _failure(change, change.error, task, resource)
    return result_response(
        change.event,
        merged_fields=change.merged_fields,
        unexpected_fields=change.unexpected_fields,
    )


def result_response(event: AuditEvent, **members: Any) -> HttpResponse:
    """Return the response for the latest event of a change. Raise `Problem` without success."""
    if event.result in _OPEN_RESULTS:
        return _open_response(event)
    if event.result not in APPLIED_RESULTS:
        status = 409 if event.result == Result.CONFLICT else 422
        detail = event.payload.message or "The change was not applied."
        raise Problem(status, detail, code=event.result, change=change_body(event))
    resource = resource_of_action(event.action)
    if resource is not FLEX_FLOW:
        return _object_response(event, resource, **members)
    flow = Flow.objects.filter(pk=event.target_sid, gone_at=None).first()
    if event.operation == "delete" or flow is None:
        response = HttpResponse(status=204)
    else:
        status = 201 if event.operation == "create" else 200
        response = flow_response(flow, status=status, change=change_body(event, **members))
    if response.status_code == 201:
        response["Location"] = f"{API_PREFIX}flows/{event.target_sid}"
    response["Change-Location"] = change_url(event)
    return response


def _object_response(event: AuditEvent, resource: Resource, **members: Any) -> HttpResponse:
    """Return another object than a flow as Twilio's response had it."""
    after = event.payload.after
    if event.operation == "delete" or after is None:
        response = HttpResponse(status=204)
    else:
        body = {**after, "change": change_body(event, **members)}
        response = json_response(body, status=201 if event.operation == "create" else 200)
    if response.status_code == 201:
        response["Location"] = f"{API_PREFIX}resources/{resource.name}/{event.target_sid}"
    response["Change-Location"] = change_url(event)
    return response


def replayed_response(event: AuditEvent) -> HttpResponse:
    """Return the response for a change that was sent before with the same Idempotency-Key."""
    try:
        response = result_response(event)
    except Problem as problem:
        response = problem.to_response()
    response["Idempotency-Replayed"] = "true"
    return response


def change_body(event: AuditEvent, **members: Any) -> dict[str, Any]:
    """Return a change by its latest event."""
    return {
        "change_id": event.change_id,
        "event_id": event.event_id,
        "action": event.action,
        "result": event.result,
        "sid": event.target_sid,
        "account_sid": event.account_sid,
        "changed_fields": event.changed_fields,
        "at": event.at,
        "url": change_url(event),
        **members,
    }


def change_url(event: AuditEvent) -> str:
    """Return the API's address of a change."""
    return f"{API_PREFIX}changes/{event.change_id}"


def refused_response(refusal: OperationUnavailable, task: str) -> HttpResponse:
    """Make a change request of a change that its policy doesn't let through, as the pages do.

    Raise `Problem` for a change that can't be made at all.
    """
    sentence = refusal.restriction.sentence
    if not isinstance(refusal, change_guard.RequestRequired):
        problem = refusal_messages.change_unavailable(refusal.restriction, task=task)
        raise _problem(403, problem, code="unavailable")
    try:
        page = change_guard.guard().submit(refusal.change)
    except audit_log.NotRecorded:
        raise not_recorded() from None
    except change_guard.AlreadyRequested as earlier:
        if not earlier.url:
            raise key_reused() from None
        page = earlier.url
    except change_guard.SecretInRequest as secret:
        is_chosen = isinstance(refusal, change_guard.RequestChosen)
        problem = refusal_messages.secret_in_request(secret.labels, "" if is_chosen else sentence)
        raise _problem(422, problem, code="secret_in_request") from None
    return requested_response(sentence, page)


def requested_response(sentence: str, page: str) -> HttpResponse:
    """Return the response for a change request in place of a change. `page` is its page's address."""
    request_id = page.rstrip("/").rpartition("/")[2]
    url = f"{API_PREFIX}requests/{request_id}"
    body = {"result": "requested", "detail": sentence, "url": url, "page": page}
    response = json_response(body, status=202)
    response["Location"] = url
    return response


def _open_response(event: AuditEvent) -> HttpResponse:
    """Return the response for a change whose outcome isn't known yet."""
    response = json_response(change_body(event), status=202)
    response["Location"] = response["Change-Location"] = change_url(event)
    return response


def _conflict(conflict: operations.Conflict, resource: Resource) -> Problem:
    """Return the problem of a conflict, with the three values of each field."""
    values = {
        each.name: {
            "base": redact_fields({each.name: each.base})[each.name],
            "current": redact_fields({each.name: each.theirs})[each.name],
            "requested": redact_fields({each.name: each.mine})[each.name],
        }
        for each in conflict.merged.conflicts
    }
    names = conflict.merged.conflicting_names or conflict.merged.their_fields
    labels = ", ".join(map(resource.label_of, names))
    return Problem(
        409,
        f"Someone else changed {labels} in the meantime. Nothing was sent.",
        code="conflict",
        errors={name: ["Someone else changed it in the meantime."] for name in names},
        conflicts=values,
    )


def unreadable(error: FlexError, task: str, resource: Resource) -> Problem:
    """Return the problem of an object that couldn't be read from Twilio before its change."""
    if flow_reads.is_not_found(error):
        return Problem(404, f"Twilio no longer has this {resource.noun}.", code="not_found")
    problem = failure_messages.change_failed(error, task=task, resource=resource, is_sent=False)
    status = 409 if isinstance(error, StaleRead) else 502
    return _problem(status, problem, code="unreadable")


def _failure(change: operations.Change, error: FlexError, task: str, resource: Resource) -> Problem:
    """Return the problem of a change that Twilio refused, or that couldn't be sent."""
    event = change.event
    restriction = live.find_restriction(resource, event.account_sid, event.operation)
    if restriction is not None and restriction.by_twilio:
        problem = refusal_messages.change_unavailable(restriction, task=task, is_sent=True)
        return _problem(422, problem, code="unavailable", change=change_body(event))
    problem = failure_messages.change_failed(error, task=task, resource=resource)
    is_refused = isinstance(error, RequestRefused)
    field_name = failure_messages.refused_field(error, resource) if is_refused else ""
    errors = (
        {field_name: [failure_messages.field_message(error, resource=resource)]}
        if field_name
        else None
    )
    return _problem(
        422 if is_refused else 502,
        problem,
        code="refused" if is_refused else "not_sent",
        errors=errors,
        change=change_body(event),
    )


def _problem(status: int, problem: PageProblem, *, code: str, **members: Any) -> Problem:
    """Return a problem as pages show it, without the advice about their forms."""
    detail = f"{problem.notice} {problem.text}".strip()
    if problem.code or problem.status:
        members |= {"twilio_code": problem.code, "twilio_status": problem.status}
    return Problem(status, detail, title=problem.title, code=code, **members)
