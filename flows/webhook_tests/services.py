"""The only code that posts a test to the webhook of a flow.

The start of a test is recorded before the post, and its result afterwards, as two events that are no
change of the flow. So a test doesn't lock the flow, and nothing has to be resolved if its result is
missing. Nothing is sent to Twilio. Read-only mode prevents tests, because a handler may act on one.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from flows.accounts import twilio_accounts
from flows.accounts.clients import WRITE_DEADLINE
from flows.audit import audit_log
from flows.audit.audit_log import Actor, AlreadyRecorded, LogTransaction, NotRecorded, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.availability import restrictions
from flows.availability.restrictions import OperationUnavailable, Restriction
from flows.mirror import live
from flows.outbound_http import pinned_post
from flows.outbound_http.failures import PostFailed
from flows.outbound_http.pinned_post import PostOptions
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.pickling import PicklableError
from flows.twilio.resource import Snapshot
from flows.webhook_tests import payload, signature
from flows.webhook_tests.actions import WebhookTestAction
from flows.webhook_tests.answers import mask_answer

OPERATION: Final = "webhook_test"  # for restrictions
# Per process, which has four threads: a slow handler keeps one busy until the deadline.
MAX_CONCURRENT_TESTS: Final = 2
test_slots = threading.BoundedSemaphore(MAX_CONCURRENT_TESTS)
USER_AGENT: Final = "flex-flow-dashboard/0.1 (webhook test)"
_DIGEST_SALT: Final = "flows.webhook_tests.url"


class TooManyTests(Exception):
    """The maximum number of tests is running. Nothing was sent or recorded."""


class WebhookChanged(PicklableError):
    """The webhook is another one than the user saw, or there is none. Nothing was sent."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__("the webhook was changed in the meantime")
        self.snapshot = snapshot


class ResultNotRecorded(PicklableError):
    """The test was posted, but its result could not be logged. Its start is in the log."""

    def __init__(self, start: AuditEvent, sentence: str) -> None:
        super().__init__("the result of the test is not recorded")
        self.start = start
        self.sentence = sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookTest:
    """A test as a user asked for it. `url_digest` stands for the URL that they saw."""

    sid: str
    account_sid: str
    url_digest: str
    text: str
    reason: str
    actor: Actor
    change_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class PostResult:
    """The result of a post: an answer, or the reason why there is none."""

    milliseconds: int
    status: int | None = None
    answer: str = ""  # masked
    problem: str = ""

    @property
    def sentence(self) -> str:
        """The result for users. It is empty if the handler accepted the test."""
        return self.problem or describe_status(self.status or 0)


def webhook_url(snapshot: Mapping[str, Any]) -> str:
    """Return the webhook of an external flow, or "" for a flow without one."""
    if snapshot.get("integration_type") != "external":
        return ""
    return str(snapshot.get("integration_url") or "")


def digest_url(sid: str, url: str) -> str:
    """Return a keyed digest of a flow's webhook, by which a form can tell that it has changed."""
    return salted_hmac(_DIGEST_SALT, f"{sid}\n{url}", algorithm="sha256").hexdigest()


def describe_status(status: int) -> str:
    """Return the meaning of an HTTP status that is no success, or ""."""
    if 200 <= status < 300:
        return ""
    if status < 200:
        return f"The handler answered HTTP {status}, which is no final answer."
    if 300 <= status < 400:
        return (
            f"It answered with a redirect (HTTP {status}), which this site doesn't follow. "
            "Enter the final address in the flow."
        )
    if status in (401, 403):
        return (
            f"The handler refused the test (HTTP {status}). It may expect a login or a signature."
        )
    if status == 404:
        return "The server has no handler at this address (HTTP 404)."
    return f"The handler answered with an error (HTTP {status})."


def send_test(test: WebhookTest, *, options: PostOptions | None = None) -> AuditEvent:
    """Post a test to the flow's webhook, record it, and return the event with its result.

    Raises `AlreadyRecorded` for a `change_id` that was used before, `WebhookChanged`,
    `OperationUnavailable`, `TooManyTests`, `NotRecorded`, or a `FlexError` if the flow can't be
    read. In each case nothing is sent. Raises `ResultNotRecorded` if only the result could not be
    logged.
    """
    if not test_slots.acquire(blocking=False):
        raise TooManyTests
    try:
        return _send_test(test, options or _default_options())
    finally:
        test_slots.release()


def _send_test(test: WebhookTest, options: PostOptions) -> AuditEvent:
    _check_can_start(test)
    snapshot = live.fetch(
        FLEX_FLOW, test.sid, account_sid=test.account_sid, deadline=WRITE_DEADLINE
    )
    url = webhook_url(snapshot)
    if not url or not constant_time_compare(digest_url(test.sid, url), test.url_digest):
        _append(test, snapshot, Result.CONFLICT, message=_CHANGED)
        raise WebhookChanged(snapshot)
    start = _record_start(test, snapshot)
    result = _post(test, snapshot, url, options)
    try:
        return _record_result(test, snapshot, start, result)
    except NotRecorded as error:
        raise ResultNotRecorded(start, result.sentence) from error


_CHANGED: Final = "The webhook was changed in the meantime. Nothing was sent."


def _default_options() -> PostOptions:
    return PostOptions(allowed_networks=settings.WEBHOOK_TEST_ALLOWED_NETWORKS)


def _check_can_start(test: WebhookTest) -> None:
    """Raise `AlreadyRecorded` for a used change id, or log and raise `OperationUnavailable`."""
    with audit_log.transaction() as log:
        _refuse_repetition(test)
        restriction = _find_restriction(test)
        if restriction is not None:
            _append(test, {}, Result.DENIED, message=restriction.sentence, log=log)
    if restriction is not None:  # after the transaction, which commits the refusal
        raise OperationUnavailable(restriction)


def _find_restriction(test: WebhookTest) -> Restriction | None:
    return restrictions.find_restriction(test.account_sid, OPERATION)


def _refuse_repetition(test: WebhookTest) -> None:
    earlier_event = audit_log.latest_event(test.change_id)
    if earlier_event is not None:
        raise AlreadyRecorded(earlier_event)


def _record_start(test: WebhookTest, snapshot: Snapshot) -> AuditEvent:
    """Record the start, unless another request has sent the form or tests became unavailable.

    Both are checked under the log's lock.
    """
    with audit_log.transaction() as log:
        _refuse_repetition(test)
        restriction = _find_restriction(test)
        if restriction is not None:
            raise OperationUnavailable(restriction)
        return _append(test, snapshot, Result.SUCCEEDED, log=log)


def _post(test: WebhookTest, snapshot: Snapshot, url: str, options: PostOptions) -> PostResult:
    """Post the test once and return its result."""
    fields = payload.as_form(
        payload.build_payload(
            account_sid=test.account_sid,
            chat_service_sid=str(snapshot.get("chat_service_sid") or ""),
            text=test.text,
            at=timezone.now(),
            test_id=test.change_id,
        )
    )
    auth_token = auth_token_of(test.account_sid)
    headers = {"User-Agent": USER_AGENT, "I-Twilio-Idempotency-Token": str(test.change_id)}
    started_at = time.monotonic()
    try:
        if auth_token:
            called_url = pinned_post.called_url(url)
            headers[signature.HEADER] = signature.sign(called_url, fields, auth_token)
        answer = pinned_post.post(url, fields, headers, options)
    except PostFailed as failure:
        return PostResult(_milliseconds_since(started_at), problem=str(failure))
    milliseconds = _milliseconds_since(started_at)
    secrets = {auth_token, headers.get(signature.HEADER, ""), pinned_post.authorization(url)}
    masked_answer = mask_answer(answer.body, url=url, text=test.text, secrets=secrets)
    return PostResult(milliseconds, status=answer.status, answer=masked_answer)


def auth_token_of(account_sid: str) -> str:
    """Return the account's auth token, or "" without one: tests are then not signed."""
    return twilio_accounts.account_or_removed(account_sid).auth_token


def _milliseconds_since(started_at: float) -> int:
    return round((time.monotonic() - started_at) * 1000)


def _record_result(
    test: WebhookTest, snapshot: Snapshot, start: AuditEvent, result: PostResult
) -> AuditEvent:
    after = {
        "status": result.status,
        "milliseconds": result.milliseconds,
        "answer": result.answer,
    }
    return _append(
        test,
        snapshot,
        Result.FAILED if result.sentence else Result.SUCCEEDED,
        message=result.sentence,
        after=redact_fields(after),
        refers_to=start.event_id,
    )


def _append(
    test: WebhookTest,
    snapshot: Mapping[str, Any],
    result: Result,
    *,
    log: LogTransaction | None = None,
    message: str = "",
    after: Redacted | None = None,
    refers_to: uuid.UUID | None = None,
) -> AuditEvent:
    """Record an event of the test, in the transaction `log` or in one of its own."""
    last_copy = snapshot or live.last_copy(FLEX_FLOW, test.sid) or {}
    requested = {
        "integration_url": webhook_url(last_copy),
        "text": test.text,
        "signed": bool(auth_token_of(test.account_sid)),
    }
    append = audit_log.append if log is None else log.append
    return append(
        action=WebhookTestAction.TEST,
        stage=Stage.ACCESS,
        result=result,
        actor=test.actor,
        account_sid=test.account_sid,
        target_sid=test.sid,
        change_id=None if result == Result.DENIED else test.change_id,
        reason=test.reason,
        refers_to=refers_to,
        payload=Payload(
            friendly_name=FLEX_FLOW.name_of(last_copy),
            contact_identity=FLEX_FLOW.identity_of(last_copy),
            requested=redact_fields(requested),
            after=after,
            message=message,
        ),
    )
