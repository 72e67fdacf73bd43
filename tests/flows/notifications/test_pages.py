"""The pages of notifications: who sees and changes what, and that no secret is shown again."""

import re

import pytest

from flows.audit import audit_log
from flows.audit.models import AuditEvent, AuditPayload
from flows.notifications.models import Message, MessageStatus, Subscription

pytestmark = pytest.mark.django_db
SECRET_PATH = "T000/B000/canary-path"
SLACK_URL = f"https://hooks.slack.com/services/{SECRET_PATH}"
WEBHOOK = {"name": "Ops", "channel": "webhook", "url": "https://ops.example.com/hook-canary-path"}


@pytest.fixture
def admin_client(admin, client_of):
    return client_of("admin")


def create(client, **data):
    return client.post("/notifications/new/", data)


def actions_of_log():
    return list(
        AuditEvent.objects.filter(action__startswith="notification.")
        .order_by("seq")
        .values_list("action", flat=True)
    )


def test_signing_secret_is_shown_once_and_the_address_never(admin_client):
    page = create(admin_client, **WEBHOOK, reason="For the control room")
    (secret,) = set(re.findall(r"whsec_[\w+/=]+", page.content.decode()))
    assert page["Cache-Control"].startswith("max-age=0") or "no-store" in page["Cache-Control"]
    subscription = Subscription.objects.get()

    for path in ("", f"{subscription.pk}/", f"{subscription.pk}/edit/"):
        content = admin_client.get(f"/notifications/{path}").content.decode()
        assert secret not in content
        assert "hook-canary-path" not in content
        assert "Ops" in content
    event = AuditEvent.objects.get(action="notification.create")
    assert (event.actor_label, event.reason) == ("admin", "For the control room")
    logged = str(list(AuditPayload.objects.values()))
    assert "ops.example.com" in logged
    assert "hook-canary-path" not in logged
    assert secret not in logged


def test_edit_keeps_the_address_unless_another_is_entered(admin_client):
    create(admin_client, name="Ops", channel="slack", url=SLACK_URL)
    subscription = Subscription.objects.get()
    url = f"/notifications/{subscription.pk}/edit/"
    stored = subscription.encrypted_url

    data = {"name": "Night shift", "channel": "slack", "url": "", "results": ["failed"]}
    assert admin_client.post(url, data).status_code == 302
    subscription.refresh_from_db()
    assert (subscription.name, subscription.results) == ("Night shift", ["failed"])
    assert subscription.encrypted_url == stored

    admin_client.post(url, {**data, "url": "https://hooks.slack.com/services/other"})
    subscription.refresh_from_db()
    assert subscription.encrypted_url != stored
    assert actions_of_log() == ["notification.create", *["notification.change"] * 2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"name": ""}, "Enter a name."),
        ({"channel": ""}, "Choose a channel."),
        ({"url": ""}, "Enter the address that messages are posted to."),
        ({"url": "http://ops.example.com/x"}, "Enter an address that starts with https://."),
        ({"url": "ops example"}, "The address contains a space"),
        ({"channel": "email"}, "E-mail is off"),
        ({"channel": "own_email"}, "E-mail is off"),
        ({"query": "channel=pigeon"}, "“pigeon” is not a channel of any flow."),
    ],
)
def test_invalid_input_is_refused_beside_its_field_and_kept(admin_client, data, message):
    page = create(admin_client, **{**WEBHOOK, "query": "owner=Lyon", **data})

    assert page.status_code == 422
    assert message in page.content.decode()
    assert Subscription.objects.count() == 0
    assert page.context["form"]["query"].value() == data.get("query", "owner=Lyon")


def test_recipients_are_checked(admin_client, settings):
    settings.EMAIL_IS_CONFIGURED = True
    page = create(admin_client, name="Ops", channel="email", recipients="a@example.com, b")
    assert "“b” is not an e-mail address." in page.content.decode()
    assert create(admin_client, name="Ops", channel="email").status_code == 422

    create(admin_client, name="Ops", channel="email", recipients="a@example.com\nb@example.com")
    assert Subscription.objects.get().recipients == ["a@example.com", "b@example.com"]


def test_same_name_is_refused_so_that_a_double_click_makes_one(admin_client):
    create(admin_client, **WEBHOOK)
    page = create(admin_client, **WEBHOOK)

    assert page.status_code == 422
    assert "There is a notification of this name already." in page.content.decode()
    assert Subscription.objects.count() == 1


@pytest.mark.parametrize("role", ["viewer", "operator", "auditor"])
def test_others_subscribe_their_own_mail_only(client_of, admin_client, settings, person, role):
    settings.EMAIL_IS_CONFIGURED = True
    create(admin_client, **WEBHOOK)
    site_wide = Subscription.objects.get()
    user = person(role, "vera")
    user.email = "vera@example.com"
    user.save()
    client = client_of(role, "vera")

    assert create(client, **{**WEBHOOK, "name": "Mine"}).status_code == 422
    assert "Ops" not in client.get("/notifications/").content.decode()
    for path, method in [("", "get"), ("edit/", "get"), ("edit/", "post"), ("act/", "post")]:
        url = f"/notifications/{site_wide.pk}/{path}"
        assert getattr(client, method)(url, {"action": "delete"}).status_code == 404
    assert create(client, name="Mine", channel="own_email").status_code == 302
    mine = Subscription.objects.get(owner=user)
    assert client.get(f"/notifications/{mine.pk}/").status_code == 200
    assert admin_client.get(f"/notifications/{mine.pk}/").status_code == 404


def test_user_without_an_address_in_the_profile_is_told_so(client_of, settings):
    settings.EMAIL_IS_CONFIGURED = True
    page = create(client_of("viewer"), name="Mine", channel="own_email")

    assert "Your profile has no e-mail address." in page.content.decode()


def test_buttons_disable_enable_rotate_test_and_delete(admin_client):
    create(admin_client, **WEBHOOK)
    subscription = Subscription.objects.get()
    url = f"/notifications/{subscription.pk}/act/"

    def act(action):
        page = admin_client.post(url, {"action": action, "reason": "Because"})
        assert page.status_code in (200, 302)
        return page

    act("disable")
    assert not Subscription.objects.get().is_enabled
    act("enable")
    assert Subscription.objects.get().is_enabled
    assert "whsec_" in act("rotate").content.decode()
    act("test")
    assert Message.objects.get().is_test
    act("delete")
    assert not Subscription.objects.exists()
    assert not Message.objects.exists()
    assert actions_of_log() == [
        f"notification.{name}"
        for name in ("create", "disable", "enable", "rotate_secret", "test", "delete")
    ]
    assert admin_client.post(url, {"action": "delete"}).status_code == 404


def test_test_message_arrives_and_its_attempt_is_shown(
    admin_client, receiver, subscribe, run, clock
):
    subscription, _ = subscribe(receiver.url)
    admin_client.post(f"/notifications/{subscription.pk}/act/", {"action": "test"})
    clock.advance(seconds=5)
    run()

    assert receiver.deliveries[0].payload["type"] == "test"
    content = admin_client.get(f"/notifications/{subscription.pk}/").content.decode()
    assert "Test notification" in content
    assert "HTTP 200" in content
    assert receiver.deliveries[0].message_id in content


def test_message_is_sent_again_with_the_same_id(
    admin_client, receiver, subscribe, change_flow, run, clock
):
    subscription, _ = subscribe(receiver.url)
    change_flow()
    run()
    message = Message.objects.get()
    url = f"/notifications/{subscription.pk}/{message.message_id}/replay/"
    assert admin_client.post(url).status_code == 302
    assert Message.objects.get().status == MessageStatus.PENDING
    clock.advance(seconds=5)
    run()

    assert len(receiver.deliveries) == 2
    assert len({one.message_id for one in receiver.deliveries}) == 1
    other, _ = subscribe(receiver.url)
    assert (
        admin_client.post(url.replace(f"/{subscription.pk}/", f"/{other.pk}/")).status_code == 404
    )


def test_disabled_by_the_receiver_is_explained(admin_client, receiver, subscribe, change_flow, run):
    subscription, _ = subscribe(receiver.url)
    receiver.status = 410
    change_flow()
    run()

    content = admin_client.get(f"/notifications/{subscription.pk}/").content.decode()
    assert "Disabled by the site" in content
    assert "The receiver answered that it no longer exists (HTTP 410)." in content


def test_message_that_no_worker_takes_is_explained(admin_client, subscribe, clock):
    subscription, _ = subscribe("https://example.com/")
    url = f"/notifications/{subscription.pk}/"
    admin_client.post(f"{url}act/", {"action": "test"})
    assert "wait for a background worker" not in admin_client.get(url).content.decode()

    clock.advance(minutes=-2)
    Message.objects.update(next_attempt_at=clock.now)
    assert "wait for a background worker" in admin_client.get(url).content.decode()


@pytest.mark.parametrize("action", ["disable", "test", "rotate", "delete"])
def test_nothing_changes_while_the_log_cannot_be_written(
    admin_client, subscribe, monkeypatch, action
):
    subscription, _ = subscribe("https://example.com/")
    before = Subscription.objects.values().get()

    def fail(*_args, **_kwargs):
        raise audit_log.NotRecorded("no log")

    monkeypatch.setattr(audit_log, "transaction", fail)
    page = admin_client.post(f"/notifications/{subscription.pk}/act/", {"action": action})

    assert page.status_code == 503
    assert "so nothing was changed" in page.content.decode()
    assert Subscription.objects.values().get() == before


def test_saved_view_becomes_the_filter(admin_client):
    admin_client.post("/flows/views/", {"name": "Lyon", "query": "owner=Lyon"})
    form = admin_client.get("/notifications/new/").context["form"]
    ((key, _name),) = form.fields["view"].choices[1:]
    create(admin_client, **WEBHOOK, view=key)

    assert Subscription.objects.get().query == "owner=Lyon"


@pytest.mark.parametrize(
    ("values", "is_shown"),
    [
        ({"failure_count": 2}, False),
        ({"failure_count": 3}, True),
        ({"is_enabled": False, "disabled_reason": "The receiver is gone (410)."}, True),
        ({"is_enabled": False, "failure_count": 3}, False),
    ],
    ids=["restarted", "failing", "disabled by the site", "disabled by a user"],
)
def test_overview_names_what_does_not_arrive(admin_client, client_of, values, is_shown):
    create(admin_client, **WEBHOOK)
    Subscription.objects.update(**values)
    sentence = "1 notification doesn&#x27;t arrive"

    assert (sentence in admin_client.get("/").content.decode()) is is_shown
    assert sentence not in client_of("operator", "omar").get("/").content.decode()
