"""Calls that read a change and resolve its unknown outcome, as the page of its event does."""

from __future__ import annotations

import uuid
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Router, Schema
from pydantic import Field as SchemaField

from flows.accounts.permissions import can_decide
from flows.api.access import require_change, require_scope
from flows.api.change_results import change_body, change_url
from flows.api.paging import json_response
from flows.api.problems import Problem, clean_form, invalid, unreadable_at_twilio
from flows.api.schemas import ChangeBody, Reason, StrictSchema, responses
from flows.audit import access, audit_log
from flows.audit.access import Request, get_actor
from flows.audit.models import AuditEvent, OpenChange, Result
from flows.changes import reconcile
from flows.changes.actions import ChangeAction
from flows.changes.forms.decision import NOT_APPLIED, DecisionForm
from flows.changes.views.resolution import decision_form
from flows.twilio.errors import FlexError

router = Router(tags=["Changes"])


class NeededDecision(Schema):
    """What is known about a change whose outcome only a user can tell.

    `objects` are those at Twilio as last read, by SID. null stands for one that doesn't exist.
    """

    ambiguity: str
    verdicts: list[str]
    objects: dict[str, dict[str, Any] | None]
    read_at: str | None
    findings: str


class ReadChange(ChangeBody):
    """A change with its latest event. `decision` is null unless its outcome needs your decision."""

    decision: NeededDecision | None = None


class Decision(StrictSchema):
    """The decision about a change with an unknown outcome."""

    verdict: Annotated[
        str, SchemaField(description="One of `verdicts`: applied, not_applied, or a SID.")
    ]
    sid: Annotated[
        str,
        SchemaField(
            description="The SID of the created object, where Twilio can't list it and "
            "`verdict` is applied."
        ),
    ] = ""
    reason: Annotated[Reason, SchemaField(description="How you know. Shown in the audit log.")]
    findings: Annotated[str, SchemaField(description="`findings` of the change as you read it.")]


@router.get(
    "changes/{uuid:change_id}", response=responses({200: ReadChange}), summary="Read a change"
)
def read_change(request: HttpRequest, change_id: uuid.UUID) -> HttpResponse:
    """Return a change with its latest result, such as to wait for an unknown outcome."""
    return json_response(_read_body(_visible_event(require_scope(request), change_id)))


@router.post(
    "changes/{uuid:change_id}/reconcile",
    response=responses({200: ReadChange, 202: ReadChange}, is_change=True),
    summary="Resolve a change",
)
def reconcile_change(request: HttpRequest, change_id: uuid.UUID) -> HttpResponse:
    """Read from Twilio to find the outcome of a change. Nothing is sent.

    202 means that it isn't known yet: that a change was not applied takes two reads.
    """
    api_request = require_scope(request)
    _visible_event(api_request, change_id)
    change = OpenChange.objects.filter(change_id=change_id).first()
    try:
        if change is not None:
            reconcile.reconcile_one(change)
    except FlexError as error:
        raise unreadable_at_twilio(error) from None
    return _change_response(api_request, change_id)


@router.post(
    "changes/{uuid:change_id}/decide",
    response=responses({200: ReadChange}, is_change=True),
    summary="Decide an unknown outcome",
)
def decide_change(request: HttpRequest, change_id: uuid.UUID, body: Body[Decision]) -> HttpResponse:
    """Record your decision about a change whose outcome reading can't tell. Nothing is sent."""
    api_request = require_scope(request)
    event = _visible_event(api_request, change_id)
    account_sid, event_id = event.account_sid or "", str(event.event_id)
    require_change(
        request, "flows.change_flow", account_sid, action=ChangeAction.DECIDE, event_id=event_id
    )
    change = _ambiguous_change(change_id)
    if not can_decide(api_request.user, change.resource, account_sid):
        access.deny(api_request, ChangeAction.DECIDE, {"event_id": event_id})
    form = decision_form(change, {**body.dict(), "seen": body.findings})
    _clean_decision(form)
    _record_decision(api_request, change, form)
    return _change_response(api_request, change_id)


def _clean_decision(form: DecisionForm) -> None:
    """Raise `Problem` for invalid values, and for a decision that rests on older findings."""
    if "seen" in form.errors:
        raise Problem(409, f"{form.errors['seen'][0]} Nothing was recorded.", code="stale")
    clean_form(form)


def _record_decision(request: Request, change: OpenChange, form: DecisionForm) -> None:
    try:
        reconcile.resolve_manually(
            change=change,
            applied=form.cleaned_data["verdict"] != NOT_APPLIED,
            sid=form.created_sid,
            reason=form.cleaned_data["reason"],
            actor=get_actor(request),
        )
    except reconcile.NotACandidate:
        message = f"The change can't have created this {change.resource.noun}."
        raise invalid({"sid" if "sid" in form.fields else "verdict": [message]}) from None
    except (reconcile.NotAmbiguous, audit_log.AlreadyRecorded):
        raise _no_decision_needed() from None
    except FlexError as error:
        raise unreadable_at_twilio(error) from None


def _visible_event(request: Request, change_id: uuid.UUID) -> AuditEvent:
    """Return the latest event of a change that the token may see. Raise `Http404`."""
    event = audit_log.latest_event(change_id)
    if event is None or (request.scope is not None and event.account_sid not in request.scope):
        raise Http404("There is no such change.")
    return event


def _ambiguous_change(change_id: uuid.UUID) -> OpenChange:
    """Return a change that needs a user's decision. Raise `Problem`."""
    change = _find_ambiguous(change_id)
    if change is None:
        raise _no_decision_needed()
    return change


def _find_ambiguous(change_id: uuid.UUID | str) -> OpenChange | None:
    ambiguous = OpenChange.objects.exclude(ambiguity="").select_related("attempt__payload")
    return ambiguous.filter(change_id=change_id).first()


def _no_decision_needed() -> Problem:
    detail = "This change doesn't need a decision. Nothing was recorded."
    return Problem(409, detail, code="no_decision_needed")


def _change_response(request: Request, change_id: uuid.UUID) -> HttpResponse:
    """Return a change. 202 means that its outcome isn't known yet."""
    event = _visible_event(request, change_id)
    is_open = event.result in (Result.PENDING, Result.UNKNOWN)
    response = json_response(_read_body(event), status=202 if is_open else 200)
    response["Location"] = change_url(event)
    return response


def _read_body(event: AuditEvent) -> dict[str, Any]:
    change = _find_ambiguous(str(event.change_id))
    return change_body(event, decision=change and _needed_decision(change))


def _needed_decision(change: OpenChange) -> dict[str, Any]:
    form = decision_form(change)
    return {
        "ambiguity": change.ambiguity,
        "verdicts": form.verdicts,
        "objects": change.last_reading,
        "read_at": change.read_at,
        "findings": form.findings_token,
    }
