"""Notifications over the API: the same changes as on pages, and no secret in a later answer."""

from __future__ import annotations

import uuid

import pytest

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent
from flows.notifications.models import Message, MessageStatus, Subscription
from tests import ACCOUNT
from tests.flows.notifications.conftest import (
    admin,
    change_flow,
    clock,
    receiver,
    run,
    subscribe,
)

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["admin", "change_flow", "clock", "receiver", "run", "subscribe"]  # fixtures
SECRET_PATH = "hook-canary-path"
WEBHOOK = {
    "name": "Ops",
    "channel": "webhook",
    "url": f"https://ops.example.com/{SECRET_PATH}",
    "actions": ["flow.update"],
    "results": ["failed"],
    "query": "owner=Lyon",
}
EMPTY = {"recipients": [], "accounts": []}


def create(client, **changes):
    return client.send("POST", "notifications", {**WEBHOOK, "reason": "Control room", **changes})


def act(client, path, step, **body):
    return client.send("POST", f"{path}/{step}", {"reason": "Because", **body})


@pytest.fixture
def client(admin, api_client):
    return api_client("admin")


@pytest.fixture
def path(client):
    """The address of a webhook's notification."""
    return create(client)["Location"].removeprefix("/api/v1/")


def events():
    return AuditEvent.objects.filter(action__startswith="notification.").order_by("seq")


def test_secret_is_answered_once_and_the_address_never(client):
    created = create(client)
    secret = created.json()["secret"]
    path = created["Location"].removeprefix("/api/v1/")

    listed = client.get("notifications")
    read = client.get(path)
    changed = client.send("PATCH", path, {"name": "Night shift"})

    assert created.status_code == 201
    assert secret.startswith("whsec_")
    values = {name: value for name, value in WEBHOOK.items() if name != "url"}
    assert {**values, **EMPTY, "host": "ops.example.com", "has_secret": True}.items() <= (
        created.json().items()
    )
    assert created["Cache-Control"] == "no-store, private"
    for answer in (listed, read, changed):
        assert answer.status_code == 200
        assert secret not in answer.content.decode()
        assert "secret" not in answer.json()
    for answer in (created, listed, read, changed):
        assert SECRET_PATH not in answer.content.decode()
    event = events().first()
    assert (event.reason, event.token_key) == ("Control room", client.token.key)


def test_list_comes_by_cursor(client):
    for name in ("A", "B", "C"):
        create(client, name=name)

    first = client.get("notifications", limit=2).json()
    second = client.get("notifications", limit=2, cursor=first["next_cursor"]).json()

    assert [item["name"] for item in first["items"] + second["items"]] == ["A", "B", "C"]
    assert second["next_cursor"] is None


def test_edit_keeps_what_is_not_sent(client, path):
    stored = Subscription.objects.get().encrypted_url

    kept = client.send("PATCH", path, {"name": "Night shift", "results": []})

    assert (kept.json()["name"], kept.json()["results"]) == ("Night shift", [])
    assert (kept.json()["actions"], kept.json()["query"]) == (["flow.update"], "owner=Lyon")
    assert Subscription.objects.get().encrypted_url == stored
    other = client.send("PATCH", path, {"url": "https://other.example.com/x"})
    assert other.json()["host"] == "other.example.com"
    assert Subscription.objects.get().encrypted_url != stored


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"channel": "pigeon"}, "channel"),
        ({"channel": "email"}, "channel"),
        ({"url": ""}, "url"),
        ({"url": "http://ops.example.com/x"}, "url"),
        ({"recipients": ["a@example.com"]}, "recipients"),
        ({"actions": ["flow.fly"]}, "actions"),
        ({"results": ["fine"]}, "results"),
        ({"accounts": ["AC" + "9" * 32]}, "accounts"),
        ({"query": "channel=pigeon"}, "query"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_invalid_value_names_its_field(client, changes, field):
    response = create(client, **changes)

    assert (response.status_code, list(response.json()["errors"])) == (422, [field])
    assert not Subscription.objects.exists()


def test_invalid_edit_changes_nothing(client, path):
    response = client.send("PATCH", path, {"name": "Night shift", "results": ["fine"]})

    assert (response.status_code, list(response.json()["errors"])) == (422, ["results"])
    assert Subscription.objects.get().name == "Ops"


def test_account_of_a_notification_is_not_lost_with_an_edit(client, staging):
    path = create(client, accounts=[ACCOUNT])["Location"].removeprefix("/api/v1/")

    response = client.send("PATCH", path, {"name": "Night shift"})

    assert response.json()["accounts"] == [ACCOUNT]


def test_taken_name_is_refused_so_that_a_repetition_creates_one(client):
    create(client)
    again = create(client)
    other_path = create(client, name="Other")["Location"].removeprefix("/api/v1/")
    renamed = client.send("PATCH", other_path, {"name": "Ops"})

    for response in (again, renamed):
        assert (response.status_code, list(response.json()["errors"])) == (422, ["name"])
    assert Subscription.objects.count() == 2


def test_steps_change_the_notification_and_are_logged(client, path):
    old_secret = Subscription.objects.get().encrypted_secret

    disabled = act(client, path, "disable")
    enabled = act(client, path, "enable")
    rotated = act(client, path, "rotate-secret")
    tested = act(client, path, "test")
    deleted = client.send("DELETE", path, query={"reason": "Because"})

    assert [each.json()["status"] for each in (disabled, enabled)] == ["disabled", "enabled"]
    assert rotated.json()["secret"].startswith("whsec_")
    assert rotated.json()["previous_secret_until"]
    assert (tested.status_code, tested.json()["waiting"]) == (202, 1)
    assert old_secret
    assert (deleted.status_code, Subscription.objects.exists()) == (204, False)
    assert client.get(path).status_code == 404
    assert [event.action.removeprefix("notification.") for event in events()] == [
        "create",
        "disable",
        "enable",
        "rotate_secret",
        "test",
        "delete",
    ]
    assert {event.reason for event in events()[1:]} == {"Because"}
    assert {event.token_key for event in events()} == {client.token.key}


def test_message_is_read_with_its_attempts_and_sent_again(
    client, receiver, subscribe, change_flow, run, clock
):
    subscription, _ = subscribe(receiver.url)
    change_flow()
    run()
    path = f"notifications/{subscription.pk}"
    (message,) = client.get(path).json()["messages"]

    replayed = act(client, path, f"messages/{message['id']}/replay")
    waiting = act(client, path, f"messages/{message['id']}/replay")
    clock.advance(seconds=5)
    run()

    assert (message["status"], message["attempts"][0]["status"]) == ("delivered", 200)
    assert "Réclamations" in message["subject"]
    assert (replayed.status_code, replayed.json()["waiting"]) == (202, 1)
    assert (waiting.status_code, waiting.json()["code"]) == (409, "not_possible")
    assert len({one.message_id for one in receiver.deliveries}) == 1
    assert len(receiver.deliveries) == 2


def test_messages_come_by_cursor(client, path):
    for _ in range(3):
        act(client, path, "test")

    first = client.get(path, limit=2).json()
    second = client.get(path, limit=2, cursor=first["next_cursor"]).json()

    ids = [message["id"] for message in first["messages"] + second["messages"]]
    latest = Message.objects.order_by("-id").values_list("message_id", flat=True)
    assert ids == list(map(str, latest))
    assert second["next_cursor"] is None


def test_message_of_another_notification_is_not_found(client, path, subscribe):
    act(client, path, "test")
    Message.objects.update(status=MessageStatus.FAILED)
    other, _ = subscribe("https://example.com/")
    message_id = Message.objects.get().message_id

    for message in (message_id, uuid.uuid4()):
        step = f"messages/{message}/replay"
        assert act(client, f"notifications/{other.pk}", step).status_code == 404


def test_automatic_notification_is_disabled_only(client):
    user = client.token.person
    automatic = Subscription.objects.create(
        name="Change requests", owner=user, is_automatic=True, channel="own_email", start_seq=0
    )
    path = f"notifications/{automatic.pk}"

    refused = [
        client.send("PATCH", path, {"name": "Mine"}),
        client.send("DELETE", path),
        act(client, path, "rotate-secret"),
    ]

    assert {each.status_code for each in refused} == {409}
    assert act(client, path, "disable").json()["status"] == "disabled"
    assert Subscription.objects.filter(pk=automatic.pk, name="Change requests").exists()


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_calls_take_the_role_and_the_scope_and_denials_are_logged(
    api_client, path, settings, role, scope
):
    settings.EMAIL_IS_CONFIGURED = True
    client = api_client(role, scope=scope)
    client.token.person.email = "vera@example.com"
    client.token.person.save()
    own = {"name": "Mine", "channel": "own_email"}
    steps = ("enable", "disable", "test", "rotate-secret", f"messages/{uuid.uuid4()}/replay")

    created = client.send("POST", "notifications", own)
    read = client.get(path).status_code
    statuses = {act(client, path, step).status_code for step in steps}
    statuses |= {client.send("PATCH", path, {}).status_code}
    statuses |= {client.send("DELETE", path).status_code}

    manages = role == "admin" and scope == "write"
    assert created.status_code == (201 if scope == "write" else 403)
    assert read == (200 if manages else 404)
    if scope == "read":
        assert statuses == {403}
    else:
        assert statuses == ({200, 202, 204, 404} if manages else {404})
    denials = AuditEvent.objects.filter(action__startswith="notification.", result="denied")
    assert denials.count() == (8 if scope == "read" else 0)
    listed = [item["name"] for item in client.get("notifications").json()["items"]]
    assert listed == ["Mine"] * (scope == "write")


def test_site_notification_takes_its_manager(api_client):
    response = create(api_client("operator"))

    assert (response.status_code, list(response.json()["errors"])) == (422, ["channel"])


def test_token_that_is_limited_to_an_account_uses_no_notifications(api_client, staging, path):
    client = api_client("admin", accounts=[ACCOUNT])

    assert client.get("notifications").status_code == 403
    assert client.get(path).status_code == 403
    assert create(client, name="Other").status_code == 403
    assert act(client, path, "disable").status_code == 403
    assert Subscription.objects.get().is_enabled
