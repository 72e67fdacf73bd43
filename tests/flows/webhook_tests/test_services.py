"""A test of a webhook: recorded before it is posted and after, once for each form."""

import uuid
from unittest import mock

import pytest
from django.db import Error
from twilio.request_validator import RequestValidator

from flows.audit import audit_log, verification
from flows.audit.audit_log import AlreadyRecorded, NotRecorded
from flows.audit.event_text import headline
from flows.audit.models import AuditEvent, OpenChange
from flows.availability import restrictions
from flows.availability.restrictions import OperationUnavailable
from flows.mirror import drift
from flows.mirror.sync import sync_account
from flows.outbound_http import pinned_post
from flows.twilio.errors import FlexError
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.webhook_tests import services, signature
from flows.webhook_tests.services import WebhookTest, digest_url, send_test
from tests import ACCOUNT
from tests.faults.acting import assert_chain_intact, locked_log, rename_flow, run_concurrently
from tests.flows.webhook_tests.conftest import add_external_flow
from tests.flows.webhook_tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)


def make_test(sid, url, actor, **overrides):
    values = {
        "sid": sid,
        "account_sid": ACCOUNT,
        "url_digest": digest_url(sid, url),
        "text": "This is a test.",
        "reason": "Ticket 12",
        "actor": actor,
        "change_id": uuid.uuid4(),
    }
    return WebhookTest(**{**values, **overrides})


@pytest.fixture
def test_of(external_sid, receiver, actor):
    """Function that returns a test of the flow's webhook."""
    return lambda **overrides: make_test(external_sid, receiver.url, actor, **overrides)


def events():
    return AuditEvent.objects.filter(action="flow.webhook_test").order_by("seq")


def test_test_is_recorded_before_the_post_and_after_it(test_of, receiver, external_sid):
    started = []
    handler_of = pinned_post.post

    def post(*arguments):
        started.extend(events().values_list("result", "refers_to"))
        return handler_of(*arguments)

    with mock.patch.object(pinned_post, "post", post):
        result = send_test(test_of())

    assert started == [("succeeded", None)]
    start, end = events()
    assert end == result
    assert (end.refers_to, end.result, end.target_sid) == (
        start.event_id,
        "succeeded",
        external_sid,
    )
    assert (end.reason, end.actor_label, end.account_sid) == ("Ticket 12", "omar", ACCOUNT)
    assert start.payload.requested == {
        "integration_url": receiver.url, "text": "This is a test.", "signed": False,
    }  # fmt: skip
    assert end.payload.after["status"] == 200
    assert end.payload.after["answer"] == "OK"
    assert end.payload.after["milliseconds"] >= 0
    assert [headline(start), headline(end)] == [
        "Started a test of the webhook",
        "Tested the webhook: HTTP 200",
    ]
    assert receiver.posts[0].form["Body"] == "This is a test."
    assert_chain_intact()


def test_receiver_verifies_the_signature_with_twilios_validator(test_of, receiver, auth_token):
    send_test(test_of(text="Grüße\n& mehr"))

    [post] = receiver.posts
    assert RequestValidator(auth_token).validate(
        receiver.url, post.form, post.headers[signature.HEADER]
    )
    assert events().last().payload.requested["signed"] is True


def test_api_key_signs_nothing(test_of, receiver):
    send_test(test_of())

    assert receiver.posts[0].headers[signature.HEADER] is None
    assert events().last().payload.requested["signed"] is False


def test_two_submissions_of_one_form_post_once(test_of, receiver):
    test = test_of()
    send_test(test)

    with pytest.raises(AlreadyRecorded):
        send_test(test)

    assert len(receiver.posts) == 1
    assert events().count() == 2


def test_double_click_posts_once(test_of, receiver):
    test = test_of()

    outcomes = run_concurrently(lambda: send_test(test), lambda: send_test(test))

    assert len(receiver.posts) == 1
    assert sorted(isinstance(one, AlreadyRecorded) for one in outcomes) == [False, True]


@pytest.mark.parametrize("status", [301, 401, 404, 500])
def test_other_statuses_fail_in_words(test_of, receiver, status):
    receiver.status = status

    event = send_test(test_of())

    assert event.result == "failed"
    assert f"(HTTP {status})" in event.payload.message
    assert event.payload.after["status"] == status


def test_refused_address_is_recorded_as_failed(sandbox, db, actor):
    with Receiver() as internal:
        sid = add_external_flow(sandbox, internal.url)
        event = send_test(make_test(sid, internal.url, actor))

    assert internal.posts == []
    assert event.result == "failed"
    assert event.payload.message.startswith("127.0.0.1 leads to a private")
    assert event.payload.after["status"] is None
    assert headline(event) == "Tested the webhook"


def test_changed_webhook_is_a_conflict_and_receives_nothing(
    test_of, sandbox, external_sid, receiver
):
    with Receiver() as other:
        sandbox.edit_flow(external_sid, integration_url=other.url)
        with pytest.raises(services.WebhookChanged) as caught:
            send_test(test_of())

    assert caught.value.snapshot["integration_url"] == other.url
    assert (receiver.posts, other.posts) == ([], [])
    assert events().get().result == "conflict"


def test_flow_that_is_no_longer_external_is_a_conflict(test_of, sandbox, external_sid, receiver):
    sandbox.edit_flow(external_sid, integration_type="studio", integration_flow_sid="FW" + "1" * 32)

    with pytest.raises(services.WebhookChanged):
        send_test(test_of())

    assert receiver.posts == []


def test_digest_of_another_flow_is_not_accepted(test_of, sandbox, receiver):
    other_sid = add_external_flow(sandbox, receiver.url)

    with pytest.raises(services.WebhookChanged):
        send_test(test_of(url_digest=digest_url(other_sid, receiver.url)))


def test_unreadable_flow_receives_nothing(test_of, sandbox, receiver):
    test = test_of()
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    with pytest.raises(FlexError):
        send_test(test)

    assert receiver.posts == []
    assert not events().exists()


def test_read_only_refuses_and_is_recorded(test_of, receiver, actor):
    restrictions.set_read_only(account_sid=ACCOUNT, reason="Freeze", actor=actor)

    with pytest.raises(OperationUnavailable):
        send_test(test_of())

    assert receiver.posts == []
    assert events().get().result == "denied"


def test_account_that_becomes_read_only_during_the_read_receives_nothing(test_of, receiver, actor):
    fetch = services.live.fetch

    def fetch_and_close(*arguments, **options):
        snapshot = fetch(*arguments, **options)
        restrictions.set_read_only(account_sid=ACCOUNT, reason="Freeze", actor=actor)
        return snapshot

    with (
        mock.patch.object(services.live, "fetch", fetch_and_close),
        pytest.raises(OperationUnavailable),
    ):
        send_test(test_of())

    assert receiver.posts == []


def test_unwritable_log_receives_nothing(test_of, receiver):
    test = test_of()

    with locked_log(), pytest.raises(NotRecorded):
        send_test(test)

    assert receiver.posts == []


def test_lost_result_is_told_apart_from_a_test_that_was_not_sent(test_of, receiver):
    append = audit_log.append

    with (
        mock.patch.object(audit_log, "append", side_effect=NotRecorded("disk full")),
        pytest.raises(services.ResultNotRecorded) as caught,
    ):
        send_test(test_of())

    assert append is audit_log.append
    assert len(receiver.posts) == 1
    assert caught.value.start == events().get()


def test_flow_is_not_locked_and_nothing_is_to_reconcile(test_of, receiver, external_sid):
    with mock.patch.object(pinned_post, "post", side_effect=Error("killed")), pytest.raises(Error):
        send_test(test_of())
    assert events().count() == 1  # the process died during the post

    rename_flow(external_sid)

    assert not OpenChange.objects.exists()
    assert verification.verify().bad_seq is None  # also compares the table of open changes


def test_test_is_no_state_of_the_flow(test_of, sandbox, external_sid):
    before = drift.last_recorded_states([external_sid])
    send_test(test_of())

    sync_account(ACCOUNT)

    assert drift.last_recorded_states([external_sid]) == before
    assert not AuditEvent.objects.filter(action="flow.drift").exists()


def test_no_secret_of_the_request_is_stored(sandbox, receiver, auth_token, actor):
    receiver.echo = True
    url = f"http://bot:s3cretpass@127.0.0.1:{receiver.port}/T0AB/s3cretpath?token=s3cretvalue"
    sid = add_external_flow(sandbox, url)

    event = send_test(make_test(sid, url, actor, text="token=s3crettext"))

    [post] = receiver.posts
    stored = str([list(vars(one.payload).items()) for one in events()])
    assert event.payload.after["status"] == 200
    assert "POST" not in stored
    for secret in ("s3cret", auth_token, post.headers[signature.HEADER], post.headers["Authorization"][6:]):  # fmt: skip
        assert secret not in stored
    assert post.path == "/T0AB/s3cretpath?token=s3cretvalue"
