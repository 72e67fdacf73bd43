"""The pages of a flow's webhook: the payload, curl, the signed example, and the test."""

import contextlib
import html
import re
import shlex
import subprocess
from unittest import mock

import pytest
from django.utils.html import strip_tags
from twilio.request_validator import RequestValidator

from flows.audit import audit_log
from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.webhook_tests import services, signature
from tests import ACCOUNT
from tests.conftest import form_data
from tests.faults.acting import locked_log, rename_flow
from tests.flows.webhook_tests.conftest import add_external_flow
from tests.flows.webhook_tests.receiver import Receiver

pytestmark = pytest.mark.django_db(transaction=True)
SECRET_URL = "https://hooks.example.com/services/T0AB/s3cret?token=s3cretvalue"


def page_url(sid, verb="webhook/"):
    return f"/flows/{sid}/{verb}"


def text(page):
    return " ".join(strip_tags(page.content.decode()).split())


def open_test(client, sid, **changes):
    """Return the data of the test's form, as a browser would send it."""
    return {**form_data(client.get(page_url(sid, "webhook/test/"))), **changes}


def review(client, sid, data):
    return client.post(page_url(sid, "webhook/test/"), {**data, "review": "1"})


def send(client, sid, data):
    return client.post(page_url(sid, "webhook/test/"), data)


def events():
    return AuditEvent.objects.filter(action="flow.webhook_test")


def test_page_shows_each_field_with_an_example_and_its_meaning(client_of, external_sid, receiver):
    page = client_of("viewer").get(page_url(external_sid))

    for words in (
        "InstanceSid IS77777777777777777777777777777777 Chat service of the flow.",
        "Body This is a test from the Flex Flow dashboard. Please ignore it. Text of the message.",
        "RetryCount 0 Number of earlier tries",
    ):
        assert words in text(page)
    assert receiver.url in text(page)


def test_curl_posts_the_payload_that_the_page_shows(client_of, external_sid, receiver):
    page = client_of("viewer").get(page_url(external_sid))

    words = shlex.split(page.context["curl"].replace("\\\n", " "))
    subprocess.run([*words, "--silent", "--noproxy", "*"], check=True, capture_output=True)

    shown = {field.name: field.value for field in page.context["payload"]}
    assert receiver.posts[0].form == shown
    assert "curl --request POST" in text(page)


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_signed_example_is_verified_with_the_key_that_the_page_shows(
    client_of, external_sid, receiver, auth_token, role
):
    page = client_of(role).get(page_url(external_sid))

    shown = {field.name: field.value for field in page.context["payload"]}
    [signature] = re.findall(r"X-Twilio-Signature: ([\w+/=]+)", html.unescape(text(page)))
    [key] = re.findall(r"with the made-up token (\w+)", text(page))
    assert RequestValidator(key).validate(receiver.url, shown, signature)


def test_no_page_signs_with_the_accounts_token(client_of, external_sid, receiver, auth_token):
    """A page that did would sign other requests than this one: it signs any URL that a user enters."""
    client = client_of("operator")
    data = open_test(client, external_sid, text="A test", reason="Ticket 12")
    sent = client.post(page_url(external_sid, "webhook/test/"), data, follow=True)

    received = receiver.posts[0]
    signed = received.headers["X-Twilio-Signature"]
    assert RequestValidator(auth_token).validate(receiver.url, received.form, signed)
    for page in (client.get(page_url(external_sid)), sent):
        shown = re.findall(r"[\w+/]{27}=", html.unescape(page.content.decode()))
        fields = {field.name: field.value for field in page.context["payload"]}
        assert signed not in shown
        assert signature.sign(receiver.url, fields, auth_token) not in shown
        assert auth_token not in page.content.decode()
    assert "Tests are signed, too." in text(page)


def test_api_key_alone_can_not_sign_and_the_page_says_so(client_of, external_sid):
    page = client_of("operator").get(page_url(external_sid))

    assert "an API key can’t sign. Set TWILIO_AUTH_TOKEN to sign tests." in text(page)


def test_masked_url_has_no_signed_example_and_curl_takes_a_variable(
    client_of, sandbox, receiver, auth_token
):
    sid = add_external_flow(sandbox, SECRET_URL)

    page = client_of("operator").get(page_url(sid))

    assert 'curl --request POST "$WEBHOOK_URL"' in page.context["curl"]
    assert "Required variable: WEBHOOK_URL" in text(page)
    assert "There is no example, because the URL contains secrets" in text(page)
    assert "X-Twilio-Signature" not in text(page)
    assert "s3cret" not in page.content.decode()


@pytest.mark.parametrize("verb", ["webhook/", "webhook/test/"])
def test_flow_without_a_webhook_leads_back_to_its_page(client_of, flow_sid, verb):
    page = client_of("operator").get(page_url(flow_sid, verb), follow=True)

    assert page.redirect_chain == [(page_url(flow_sid, ""), 302)]
    assert "This flow has no webhook." in text(page)


def test_flow_page_links_to_the_webhook_of_an_external_flow_only(client_of, external_sid, flow_sid):
    client = client_of("viewer")

    assert "View payload and send a test" in text(client.get(page_url(external_sid, "")))
    assert "View payload and send a test" not in text(client.get(page_url(flow_sid, "")))


def test_review_shows_the_target_and_sends_nothing(client_of, external_sid, receiver):
    client = client_of("operator")
    data = open_test(client, external_sid, text="A test\nline 2", reason="Ticket 12")

    page = review(client, external_sid, data)

    for words in (
        "A real handler may act on it",
        receiver.url,
        "A test",
        "Ticket 12",
        "Signed No.",
    ):
        assert words in text(page)
    assert receiver.posts == []
    assert not events().exists()


def test_confirmed_test_is_sent_and_its_result_shown(client_of, external_sid, receiver):
    receiver.body = b"thanks"
    client = client_of("operator")
    data = open_test(client, external_sid, text="A test", reason="Ticket 12")
    reviewed = form_data(review(client, external_sid, data))

    page = client.post(page_url(external_sid, "webhook/test/"), reviewed, follow=True)

    assert [post.form["Body"] for post in receiver.posts] == ["A test"]
    assert page.redirect_chain == [(page_url(external_sid), 302)]
    assert "The handler accepted the test (HTTP 200, " in text(page)
    assert re.search(r"Latest test Done HTTP 200 after \d+ ms. Sent by operator", text(page))
    assert "thanks" in text(page)


def test_reload_and_double_click_post_once(client_of, external_sid, receiver):
    client = client_of("operator")
    data = open_test(client, external_sid)
    send(client, external_sid, data)

    page = client.post(page_url(external_sid, "webhook/test/"), data, follow=True)

    assert len(receiver.posts) == 1
    assert "This test was already sent. Nothing was sent again." in text(page)


def test_back_from_the_review_keeps_the_text(client_of, external_sid):
    client = client_of("operator")
    data = open_test(client, external_sid, text="My text", reason="Ticket 12")

    page = client.post(page_url(external_sid, "webhook/test/"), {**data, "edit_again": "1"})

    assert form_data(page)["text"] == "My text"
    assert form_data(page)["reason"] == "Ticket 12"


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("", "Enter a message text."),
        ("x" * 501, "at most 500 characters"),
        ("\u200b", "contains only invisible characters"),
    ],
)
@pytest.mark.parametrize("submit", [review, send])
def test_error_is_shown_at_the_field_and_the_reason_stays(
    client_of, external_sid, receiver, typed, error, submit
):
    client = client_of("operator")

    page = submit(client, external_sid, open_test(client, external_sid, text=typed, reason="Why"))

    assert page.status_code == 422
    assert error in text(page)
    assert form_data(page)["reason"] == "Why"
    assert "Nothing was sent." in text(page)
    assert receiver.posts == []


@pytest.mark.parametrize("submit", [review, send])
def test_webhook_that_changed_in_between_is_a_conflict(
    client_of, sandbox, external_sid, receiver, submit
):
    client = client_of("operator")
    data = open_test(client, external_sid, text="My text")
    with Receiver() as other:
        sandbox.edit_flow(external_sid, integration_url=other.url)

        page = submit(client, external_sid, data)

        assert page.status_code == 409
        assert "The webhook was changed in the meantime" in text(page)
        assert other.url in text(page)
        again = form_data(page)
        assert again["text"] == "My text"
        assert (receiver.posts, other.posts) == ([], [])
        send(client, external_sid, again)
        assert [post.form["Body"] for post in other.posts] == ["My text"]


def test_flow_that_lost_its_webhook_is_a_conflict_without_a_form(
    client_of, sandbox, external_sid, receiver
):
    client = client_of("operator")
    data = open_test(client, external_sid)
    sandbox.edit_flow(external_sid, integration_type="studio", integration_flow_sid="FW" + "1" * 32)

    page = send(client, external_sid, data)

    assert page.status_code == 409
    assert "This flow no longer has a webhook." in text(page)
    assert receiver.posts == []


def test_failed_test_says_why(client_of, sandbox, db):
    with Receiver() as internal:
        sid = add_external_flow(sandbox, internal.url)
        client = client_of("operator")
        data = open_test(client, sid)
        page = client.post(page_url(sid, "webhook/test/"), data, follow=True)

    assert internal.posts == []
    assert "The test failed. 127.0.0.1 leads to a private or reserved address" in text(page)
    assert "Latest test Failed after" in text(page)


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_role_without_the_permission_sends_nothing(client_of, external_sid, receiver, role):
    data = open_test(client_of("operator"), external_sid)

    page = send(client_of(role), external_sid, data)

    assert page.status_code == 403
    assert receiver.posts == []
    assert events().get().result == "denied"


def test_read_only_refuses_the_form_and_the_test(client_of, external_sid, receiver, actor):
    client = client_of("operator")
    data = open_test(client, external_sid, text="My text")
    restrictions.set_read_only(account_sid=ACCOUNT, reason="Freeze", actor=actor)

    form = client.get(page_url(external_sid, "webhook/test/"))
    page = send(client, external_sid, data)

    assert (form.status_code, page.status_code) == (403, 403)
    assert "Couldn't test the webhook" in text(page).replace("&#x27;", "'")
    assert form_data(page)["text"] == "My text"
    assert receiver.posts == []
    assert "Send a test" not in text(client.get(page_url(external_sid)))


def test_unwritable_log_sends_nothing_and_keeps_the_text(client_of, external_sid, receiver):
    client = client_of("operator")
    data = open_test(client, external_sid, text="My text")

    with locked_log():
        page = send(client, external_sid, data)

    assert page.status_code == 503
    assert "so nothing was sent" in text(page)
    assert form_data(page)["text"] == "My text"
    assert form_data(page)["change_id"] != data["change_id"]
    assert receiver.posts == []


def test_running_tests_leave_threads_for_other_requests(client_of, external_sid, receiver):
    client = client_of("operator")
    data = open_test(client, external_sid, text="My text")

    with contextlib.ExitStack() as running:
        for _ in range(services.MAX_CONCURRENT_TESTS):
            running.enter_context(services.test_slots)
        page = send(client, external_sid, data)

    assert page.status_code == 429
    assert "Other tests are running, so nothing was sent" in text(page)
    assert {name: form_data(page)[name] for name in ("text", "change_id")} == {
        name: data[name] for name in ("text", "change_id")
    }
    assert receiver.posts == []
    send(client, external_sid, form_data(page))
    assert len(receiver.posts) == 1


def test_lost_result_is_named(client_of, external_sid, receiver):
    client = client_of("operator")
    data = open_test(client, external_sid)

    with mock.patch.object(audit_log, "append", side_effect=NotRecorded("disk full")):
        page = send(client, external_sid, data)

    page = client.get(page.url)
    assert "The test was sent, but its result couldn" in text(page)
    assert "The handler accepted it." in text(page)
    assert "No result is recorded yet." in text(page)


def test_flow_that_was_deleted_after_the_review_is_named(
    client_of, sandbox, external_sid, receiver
):
    client = client_of("operator")
    data = open_test(client, external_sid)
    sandbox.remove_flow(external_sid)

    page = client.post(page_url(external_sid, "webhook/test/"), data, follow=True)

    assert receiver.posts == []
    assert "deleted" in text(page)
    assert page.redirect_chain


def test_unreadable_flow_sends_nothing_and_keeps_the_text(
    client_of, sandbox, external_sid, receiver
):
    client = client_of("operator")
    data = open_test(client, external_sid, text="My text")
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))

    page = send(client, external_sid, data)

    assert page.status_code == 502
    assert form_data(page)["text"] == "My text"
    assert receiver.posts == []


def test_log_finds_tests_by_flow_person_and_host(client_of, external_sid, receiver):
    client = client_of("operator")
    send(client, external_sid, open_test(client, external_sid, reason="Ticket 4711"))

    for query in (f"sid={external_sid}", "actor=operator", "q=4711", "action=flow.webhook_test"):
        page = client.get(f"/audit/?{query}")
        assert "Tested the webhook: HTTP 200" in text(page), query
    assert "Tested the webhook" not in text(client.get("/audit/?result=unresolved"))


def test_event_pages_show_what_was_posted_and_offer_no_version(client_of, external_sid, receiver):
    client = client_of("operator")
    send(client, external_sid, open_test(client, external_sid, text="A test"))
    start, result = events().order_by("seq")

    first = text(client.get(f"/audit/{start.event_id}/"))
    last = text(client.get(f"/audit/{result.event_id}/"))

    assert f"Webhook URL {receiver.url}" in first
    assert "Message text A test" in first
    assert "HTTP status 200" in last
    assert "Start of the answer OK" in last
    for page in (first, last):
        assert "Restore" not in page
        assert "could not be read before this change" not in page


def test_history_of_the_flow_has_one_line_for_each_test(client_of, external_sid, receiver):
    client = client_of("operator")
    for _ in range(2):
        send(client, external_sid, open_test(client, external_sid))

    page = client.get(page_url(external_sid, "")).content.decode()
    lines = re.findall(r'<p class="event-head">(.*?)</p>', page, re.DOTALL)
    headlines = [" ".join(strip_tags(line).split()) for line in lines]

    assert headlines == [*["Tested the webhook: HTTP 200 Done"] * 2, "First synced Recorded"]


def test_test_leaves_the_last_change_undoable_and_the_flow_unlocked(
    client_of, sandbox, external_sid, receiver
):
    client = client_of("operator")
    sandbox.edit_flow(external_sid, enabled=False)
    sync_account(ACCOUNT)
    client.post(
        page_url(external_sid, "enabled/"),
        form_data(client.get(page_url(external_sid, "enabled/"))),
    )
    send(client, external_sid, open_test(client, external_sid))

    page = text(client.get(page_url(external_sid, "")))

    assert "You made the last change" in page
    assert "This flow is locked" not in page
    rename_flow(external_sid)
