"""The pages of an external flow's webhook: what Twilio posts to it, and a test of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from flows.accounts.clients import FORM_DEADLINE
from flows.audit import audit_log
from flows.audit.access import Request, get_actor, require_permission
from flows.audit.models import AuditEvent
from flows.availability.offered_changes import AvailableActions
from flows.availability.restrictions import OperationUnavailable
from flows.changes import failure_messages, refusal_messages
from flows.changes.problem import Problem
from flows.flex_flows.views import responses
from flows.flex_flows.views.page_source import fetch_once, read_for_page
from flows.flex_flows.webhook_form import WebhookTestForm
from flows.mirror import flow_reads, live, mirror
from flows.outbound_http import pinned_post
from flows.outbound_http.failures import InvalidUrl
from flows.redaction.masking import has_mask
from flows.redaction.redacted import redact_fields
from flows.twilio.errors import FlexError
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot
from flows.webhook_tests import reading, services, signature
from flows.webhook_tests.actions import WebhookTestAction
from flows.webhook_tests.curl import URL_VARIABLE, build_curl
from flows.webhook_tests.payload import DEFAULT_TEXT, as_form, build_payload

_TASK: Final = "test the webhook"


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def flow_webhook(request: Request, sid: str) -> HttpResponse:
    """Show what Twilio posts to the webhook of an external flow, and the latest test."""
    source = read_for_page(request, sid)
    if not services.webhook_url(source.snapshot):
        return _redirect_without_webhook(request, sid)
    actions = AvailableActions(request)
    can_test = source.state != "gone" and actions.can("webhook_test", request.account_sid)
    context = {
        "flow": source.build_flow(),
        "url": services.webhook_url(source.snapshot),
        "can_test": can_test,
        "latest": reading.load_latest_test(sid),
        **_example_context(request, source.snapshot),
    }
    return render(request, "flows/webhook.html", context)


@require_http_methods(["GET", "POST"])
@require_permission("flows.change_flow", action=WebhookTestAction.TEST)
def flow_webhook_test(request: Request, sid: str) -> HttpResponse:
    """Post a test to the webhook of an external flow, after a review."""
    unavailable = responses.unavailable_response(
        request, request.account_sid, services.OPERATION, task=_TASK
    )
    if unavailable:
        return unavailable
    if _is_sending(request):
        form = WebhookTestForm(request.POST, url_digest="")
        if form.is_valid():
            return _send(request, sid, form)
    return _open_form(request, sid)


def _is_sending(request: Request) -> bool:
    """Return True if the user has confirmed the review."""
    return request.method == "POST" and not {"review", "edit_again"} & request.POST.keys()


def _open_form(request: Request, sid: str) -> HttpResponse:
    """Show the form, its errors or its review, with the webhook as Twilio has it now."""
    try:
        snapshot = fetch_once(request, sid, deadline=FORM_DEADLINE)
    except FlexError as error:
        return _unreadable_response(request, sid, error)
    url = services.webhook_url(snapshot)
    if not url:
        return _redirect_without_webhook(request, sid)
    digest = services.digest_url(sid, url)
    if request.method == "GET":
        return _render_form(request, snapshot, WebhookTestForm(url_digest=digest))
    form = WebhookTestForm(request.POST, url_digest=digest)
    if "edit_again" in request.POST:
        initial = {**request.POST.dict(), "url_digest": digest}
        return _render_form(request, snapshot, WebhookTestForm(initial=initial, url_digest=digest))
    if not form.is_valid():
        return _render_form(request, snapshot, form, status=422)
    if form.cleaned_data["url_digest"] != digest:
        return _render_conflict(request, sid, snapshot, form)
    return _render(request, "flows/webhook_review.html", snapshot, {"form": form})


def _send(request: Request, sid: str, form: WebhookTestForm) -> HttpResponse:
    """Send the test of a valid form, and return the page for its result."""
    test = services.WebhookTest(
        sid=sid,
        account_sid=request.account_sid,
        url_digest=form.cleaned_data["url_digest"],
        text=form.cleaned_data["text"],
        reason=form.cleaned_data["reason"],
        actor=get_actor(request),
        change_id=form.cleaned_data["change_id"],
    )
    try:
        event = services.send_test(test)
    except audit_log.AlreadyRecorded:
        messages.info(request, "This test was already sent. Nothing was sent again.")
    except services.WebhookChanged as change:
        return _render_conflict(request, sid, change.snapshot, form)
    except services.ResultNotRecorded as failure:
        messages.error(request, _describe_unrecorded(failure))
    except FlexError as error:
        if flow_reads.is_not_found(error):
            return responses.redirect_deleted(request, sid)
        problem = failure_messages.change_failed(error, task=_TASK, is_sent=False)
        return _render_failure(request, sid, form, problem, status=502)
    except OperationUnavailable as refusal:
        problem = refusal_messages.change_unavailable(refusal.restriction, task=_TASK)
        return _render_failure(request, sid, form, problem, status=403)
    except audit_log.NotRecorded:
        return _render_failure(request, sid, form, _NOT_RECORDED, status=503)
    except services.TooManyTests:
        return _render_failure(request, sid, form, _TOO_MANY, status=429)
    else:
        _add_result_message(request, event)
    return responses.redirect_page(request, "flows:webhook", sid=sid)


_NOT_RECORDED: Final = Problem(
    title="Couldn't write to the audit log, so nothing was sent",
    text="Each test is logged before it is sent.",
    advice=(
        "Your input is kept below. Try again in a moment. "
        "If this continues, contact your administrator."
    ),
)


_TOO_MANY: Final = Problem(
    title="Other tests are running, so nothing was sent",
    text=f"At most {services.MAX_CONCURRENT_TESTS} tests run at a time.",
    advice="Try again in a few seconds. Your input is kept below.",
    level="warning",
)


def _describe_unrecorded(failure: services.ResultNotRecorded) -> str:
    result = failure.sentence or "The handler accepted it."
    return f"The test was sent, but its result couldn't be written to the audit log. {result}"


def _add_result_message(request: Request, event: AuditEvent) -> None:
    after = event.payload.values_after
    if event.payload.message:
        messages.error(request, f"The test failed. {event.payload.message}")
    else:
        duration = f"{after['milliseconds']} ms"
        messages.success(
            request, f"The handler accepted the test (HTTP {after['status']}, {duration})."
        )


def _unreadable_response(request: Request, sid: str, error: FlexError) -> HttpResponse:
    """Return the page for a form whose flow can't be read."""
    if flow_reads.is_not_found(error):
        return responses.redirect_deleted(request, sid)
    messages.error(request, f"Couldn't read the flow from Twilio: {error}. Nothing was sent.")
    return responses.redirect_page(request, "flows:detail", sid=sid)


def _redirect_without_webhook(request: Request, sid: str) -> HttpResponse:
    messages.info(request, "This flow has no webhook. Only external flows have one.")
    return responses.redirect_page(request, "flows:detail", sid=sid)


def _render_conflict(
    request: Request, sid: str, snapshot: Snapshot, form: WebhookTestForm
) -> HttpResponse:
    """Return the form for the webhook as it is now, with the user's text."""
    url = services.webhook_url(snapshot)
    problem = Problem(
        title="The webhook was changed in the meantime",
        text="Nothing was sent. The page shows the webhook that the flow has now.",
        advice="Check the webhook, then review the test again.",
        level="warning",
        is_conflict=True,
    )
    form = form.reopen_for(services.digest_url(sid, url) if url else "")
    return _render_form(request, snapshot, form, status=409, problem=problem)


def _render_failure(
    request: Request, sid: str, form: WebhookTestForm, problem: Problem, *, status: int
) -> HttpResponse:
    """Return the form with the reason why nothing was sent. Twilio is not read again."""
    last_copy = live.last_copy(FLEX_FLOW, sid) or {"sid": sid}
    if problem is not _TOO_MANY:  # the form may have been sent twice, and still sends one test
        form = form.reopen()
    return _render_form(request, last_copy, form, status=status, problem=problem)


def _render_form(
    request: Request,
    snapshot: Mapping[str, Any],
    form: WebhookTestForm,
    *,
    status: int = 200,
    problem: Problem | None = None,
) -> HttpResponse:
    context = {"form": form, "problem": problem}
    return _render(request, "flows/webhook_test.html", snapshot, context, status=status)


def _render(
    request: Request,
    template_name: str,
    snapshot: Mapping[str, Any],
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Render a page of the test. Secrets of the webhook are masked."""
    masked_snapshot = redact_fields(snapshot)
    context = {
        "flow": mirror.flow_from_snapshot(masked_snapshot, request.account_sid),
        "url": services.webhook_url(masked_snapshot),
        "is_signed": bool(services.auth_token_of(request.account_sid)),
        **context,
    }
    return render(request, template_name, context, status=status)


def _example_context(request: Request, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    """Return the payload and the example of a post, signed with a key that is no account's.

    With the account's own key, a page would sign whatever a user puts into the flow's webhook. The
    signature is of the URL and the fields in one text, so it would also be that of other requests.
    """
    url = _readable_url(services.webhook_url(snapshot))
    payload = build_payload(
        account_sid=request.account_sid,
        chat_service_sid=str(snapshot.get("chat_service_sid") or ""),
        text=DEFAULT_TEXT,
        at=timezone.now(),
        test_id=uuid.uuid4(),
    )
    headers = {}
    if url:
        headers[signature.HEADER] = signature.sign(url, as_form(payload), signature.EXAMPLE_KEY)
    return {
        "payload": payload,
        "curl": build_curl(url, as_form(payload)),
        "url_variable": "" if url else URL_VARIABLE,
        "headers": headers,
        "example_key": signature.EXAMPLE_KEY,
        "is_signed": bool(services.auth_token_of(request.account_sid)),
    }


def _readable_url(url: str) -> str:
    """Return the URL as it is called, or "" if it has secrets or can't be called."""
    if has_mask(url):
        return ""
    try:
        return pinned_post.called_url(url)
    except InvalidUrl:
        return ""
