"""What each channel sends, and what none of them ever does: values, secrets, erased data."""

import json

import pytest
from django.core import mail

from flows.audit.audit_log import Payload
from flows.erasure.erasure import erase
from flows.notifications import secret_box, sending
from flows.notifications.models import Attempt, Message, MessageStatus, Subscription
from flows.redaction.redacted import redact_fields
from tests.flows.notifications.conftest import FLOW_A

pytestmark = pytest.mark.django_db
NUMBER = "+33199000123"
SECRET = "canary-secret-0123456789"


@pytest.fixture
def mail_server(settings):
    """Mail that stays in the process."""
    settings.EMAIL_IS_CONFIGURED = True
    settings.SITE_URL = "https://flows.example.com"


def test_values_and_secrets_of_a_flow_are_never_sent(receiver, subscribe, change_flow, run):
    subscribe(receiver.url)
    values = redact_fields(
        {
            "contact_identity": NUMBER,
            "integration_url": f"https://u:{SECRET}@example.com/?k={SECRET}",
        }
    )
    payload = Payload(friendly_name="Lyon", contact_identity=NUMBER, before=values, after=values)
    change_flow(payload=payload, changed_fields=["integration_url"])
    run()

    body = receiver.deliveries[0].body.decode()
    assert NUMBER not in body
    assert SECRET not in body
    assert "example.com" not in body.replace("testserver", "")


def test_slack_gets_a_text_that_mentions_nobody(receiver, subscribe, change_flow, run):
    subscribe(receiver.url, channel="slack")
    change_flow(name="<!channel> & <https://evil.example|here>")
    run()

    text = json.loads(receiver.deliveries[0].body)["text"]
    assert "&lt;!channel&gt; &amp; &lt;https" in text
    assert "<!channel>" not in text
    assert "webhook-signature" not in receiver.deliveries[0].headers


def test_teams_gets_a_card_without_links_from_names(receiver, subscribe, change_flow, run):
    subscribe(receiver.url, channel="teams")
    change_flow(name="[here](https://evil.example)")
    run()

    (attachment,) = json.loads(receiver.deliveries[0].body)["attachments"]
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    assert "\\[here]" in attachment["content"]["body"][0]["text"]
    assert attachment["content"]["actions"][0]["url"].startswith("http://testserver/audit/")


def test_mail_has_the_event_a_link_and_a_stable_id(mail_server, subscribe, change_flow, run):
    subscribe(channel="email", recipients=["ops@example.com"])
    event = change_flow(name="Lyon\nBcc: evil@example.com")
    run()

    (sent,) = mail.outbox
    assert sent.to == ["ops@example.com"]
    assert "\n" not in sent.subject
    assert f"https://flows.example.com/audit/{event.event_id}/" in sent.body
    assert str(Message.objects.get().message_id) in sent.extra_headers["Message-ID"]


def test_own_mail_goes_to_the_address_in_the_profile(
    mail_server, subscribe, change_flow, run, clock, person
):
    vera = person("viewer", "vera")
    subscribe(channel="own_email", user=vera)
    change_flow()
    run()
    assert mail.outbox == []
    assert "profile" in Attempt.objects.get().problem

    vera.email = "vera@example.com"
    vera.save()
    clock.advance(hours=1)
    run()
    assert [sent.to for sent in mail.outbox] == [["vera@example.com"]]


def test_message_that_waits_is_not_sent_to_a_user_who_lost_the_role(
    mail_server, subscribe, change_flow, run, clock, person
):
    vera = person("viewer", "vera")
    subscribe(channel="own_email", user=vera)
    change_flow()
    run()
    vera.email = "vera@example.com"
    vera.save()
    vera.groups.clear()
    clock.advance(hours=1)
    run()

    assert mail.outbox == []
    assert Message.objects.get().status == MessageStatus.FAILED
    assert Attempt.objects.order_by("pk").last().problem == sending.NOT_PERMITTED


def test_mail_is_off_without_a_mail_server(subscribe, change_flow, run):
    subscribe(channel="email", recipients=["ops@example.com"])
    change_flow()
    run()

    assert mail.outbox == []
    assert Attempt.objects.get().problem == sending.EMAIL_OFF


def test_mail_server_that_fails_is_tried_again(
    mail_server, subscribe, change_flow, run, clock, settings
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    subscribe(channel="email", recipients=["ops@example.com"])
    change_flow()
    run()
    assert Attempt.objects.get().problem.startswith("The mail server didn't take the mail (")

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    clock.advance(seconds=10)
    run()
    assert len(mail.outbox) == 1


def test_addresses_and_secrets_are_encrypted_with_secret_key(
    receiver, subscribe, change_flow, run, clock, settings
):
    subscription, secret = subscribe(receiver.url)
    stored = str(Subscription.objects.values().get())
    assert "secret-path" not in stored
    assert secret not in stored

    old_key, settings.SECRET_KEY = (
        settings.SECRET_KEY,
        "another-key-0123456789-0123456789-0123456789",
    )
    change_flow()
    run()
    assert "SECRET_KEY was replaced" in Attempt.objects.get().problem
    with pytest.raises(secret_box.UnreadableSecret):
        secret_box.decrypt(subscription.encrypted_url)

    settings.SECRET_KEY_FALLBACKS = [old_key]
    clock.advance(seconds=10)
    run()
    assert len(receiver.accepted) == 1


def test_erased_data_is_not_sent_though_its_message_waits(
    receiver, subscribe, change_flow, run, clock, actor
):
    subscribe(receiver.url)
    change_flow(FLOW_A, name="Anna Example", reason="Asked by Anna")
    receiver.status = 500
    run()
    assert "Anna Example" in receiver.deliveries[0].body.decode()

    erase(sid=FLOW_A, actor=actor)
    receiver.status = 200
    clock.advance(seconds=10)
    run()

    sent = receiver.accepted[0]
    assert "Anna" not in sent.body.decode()
    assert sent.message_id == receiver.deliveries[0].message_id


def test_erasure_reaches_names_filters_and_recipients(receiver, subscribe, change_flow, actor):
    change_flow(FLOW_A, payload=Payload(friendly_name="Lyon", contact_identity=NUMBER))
    by_query, _ = subscribe(receiver.url, query="q=%2B33199000123")
    by_name, _ = subscribe(receiver.url, name=f"Calls of {NUMBER}")
    other, _ = subscribe(receiver.url, query="q=Paris")

    erase(identity=NUMBER, actor=actor)

    for one in (by_query, by_name, other):
        one.refresh_from_db()
    assert (by_query.query, by_query.is_enabled) == ("", False)  # else it would send more
    assert "33199000123" not in by_name.name
    assert (other.query, other.is_enabled) == ("q=Paris", True)
