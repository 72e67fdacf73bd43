"""The call that posts a test to the webhook of a flow, as the flow's page does."""

from __future__ import annotations

import uuid
from typing import Annotated, Any, Final

from django.http import HttpRequest, HttpResponse
from ninja import Body, Header, Path, Router, Schema
from pydantic import Field as SchemaField

from flows.accounts.clients import FORM_DEADLINE
from flows.api.access import require_change, visible_flow
from flows.api.change_results import refused_response, unreadable
from flows.api.flow_bodies import build_body, etag_of_body
from flows.api.paging import json_response
from flows.api.problems import RETRY_SECONDS, Problem, check_version, clean_form
from flows.api.replays import find_replay, get_sender
from flows.api.schemas import ChangeHeaders, FlowSid, Reason, StrictSchema, responses
from flows.audit import audit_log
from flows.audit.access import Request
from flows.audit.models import AuditEvent, Result
from flows.availability.restrictions import OperationUnavailable
from flows.flex_flows.webhook_form import MAX_TEXT_LENGTH, WebhookTestForm
from flows.mirror import mirror
from flows.redaction.redacted import redact_fields
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.webhook_tests import services
from flows.webhook_tests.actions import WebhookTestAction
from flows.webhook_tests.payload import DEFAULT_TEXT
from flows.webhook_tests.reading import read_test

router = Router(tags=["Flows"])
TASK: Final = "test the webhook"


class WebhookTestDraft(StrictSchema):
    """The test to send."""

    text: Annotated[
        str, SchemaField(max_length=MAX_TEXT_LENGTH, description="The message that is posted.")
    ] = DEFAULT_TEXT
    reason: Reason = ""


class WebhookTestBody(Schema):
    """A test and the handler's answer, with secrets masked. `message` says why it failed.

    `result` is succeeded, failed, or unrecorded if the audit log doesn't have it.
    """

    change_id: str
    event_id: str
    result: str
    status: int | None
    milliseconds: int | None
    answer: str
    message: str
    at: str


@router.post(
    "flows/{sid}/webhook-test",
    response=responses({200: WebhookTestBody, 202: WebhookTestBody}, is_change=True),
    summary="Test the webhook",
)
def test_webhook(
    request: HttpRequest,
    sid: Path[FlowSid],
    body: Body[WebhookTestDraft],
    headers: Header[ChangeHeaders],
) -> HttpResponse:
    """Post a test to the webhook of an external flow. Nothing is sent to Twilio."""
    change_id = headers.idempotency_key or uuid.uuid4()
    replay = find_replay(request, change_id, WebhookTestAction.TEST, sid)
    if replay is not None:
        return _replayed_response(replay)
    flow = visible_flow(request, sid)
    api_request = require_change(
        request, "flows.change_flow", flow.account_sid, action=WebhookTestAction.TEST, sid=sid
    )
    form = WebhookTestForm({**body.dict(), "change_id": change_id}, url_digest="")
    values = clean_form(form)
    test = services.WebhookTest(
        sid=sid,
        account_sid=flow.account_sid,
        url_digest=_digest_seen_url(api_request, sid, headers.if_match),
        text=values["text"],
        reason=values["reason"],
        actor=get_sender(api_request),
        change_id=change_id,
    )
    return _send(test)


def _digest_seen_url(request: Request, sid: str, if_match: str) -> str:
    """Return the digest of the webhook, which the client must have seen. Raise `Problem`."""
    try:
        snapshot = mirror.fetch(sid, account_sid=request.account_sid, deadline=FORM_DEADLINE)
    except FlexError as error:
        raise unreadable(error, TASK, FLEX_FLOW) from None
    check_version(etag_of_body(build_body(redact_fields(snapshot), None)), if_match)
    url = services.webhook_url(snapshot)
    if not url:
        detail = "This flow has no webhook. Only external flows have one."
        raise Problem(409, detail, code="no_webhook")
    return services.digest_url(sid, url)


def _send(test: services.WebhookTest) -> HttpResponse:
    """Send the test and return the response for its result. Raise `Problem` if nothing is sent."""
    try:
        event = services.send_test(test)
    except audit_log.AlreadyRecorded as earlier:
        return _replayed_response(earlier.event)
    except services.WebhookChanged:
        raise _changed() from None
    except services.ResultNotRecorded as failure:
        return _response(failure.start, message=failure.sentence)
    except FlexError as error:
        raise unreadable(error, TASK, FLEX_FLOW) from None
    except OperationUnavailable as refusal:
        return refused_response(refusal, TASK)
    except services.TooManyTests:
        detail = "Other tests are running, so nothing was sent. Try again in a few seconds."
        headers = {"Retry-After": str(RETRY_SECONDS)}
        raise Problem(429, detail, code="too_many_tests", headers=headers) from None
    return _response(event)


def _changed() -> Problem:
    detail = "The webhook was changed in the meantime. Nothing was sent."
    return Problem(409, detail, code="conflict")


def _replayed_response(event: AuditEvent) -> HttpResponse:
    """Return the response for a test that was sent before with the same Idempotency-Key."""
    response = _changed().to_response() if event.result == Result.CONFLICT else _response(event)
    response["Idempotency-Replayed"] = "true"
    return response


def _response(event: AuditEvent, **members: Any) -> HttpResponse:
    """Return a test by its latest event. 202 means that its result isn't recorded."""
    test = read_test(event)
    body = {
        "change_id": event.change_id,
        "event_id": event.event_id,
        "result": event.result if test.has_result else "unrecorded",
        "status": test.status,
        "milliseconds": test.milliseconds,
        "answer": test.answer,
        "message": test.message,
        "at": event.at,
        **members,
    }
    return json_response(body, status=200 if test.has_result else 202)
