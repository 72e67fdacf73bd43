"""Lifetime of sessions, and the steps that a user must complete first."""

import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from flexadmin.signin import sessions
from flows.audit import audit_log
from flows.audit.models import AuditEvent
from tests.conftest import form_data
from tests.flexadmin.http.rescued_forms import form_with
from tests.flexadmin.signing_in import is_signed_in, recorded_events, set_up_app, sign_in

pytestmark = pytest.mark.django_db
MINUTE, HOUR = 60, 3600


@pytest.fixture
def clock(monkeypatch):
    """Function that moves the sessions' clock forward by seconds."""
    started_at, offset = time.time(), [0]
    monkeypatch.setattr(sessions.time, "time", lambda: started_at + offset[0])

    def forward(seconds):
        offset[0] += seconds

    return forward


@pytest.fixture
def client(client_of):
    return client_of()


def test_idle_session_expires(client, clock):
    clock(59 * MINUTE)
    assert is_signed_in(client)
    clock(59 * MINUTE)
    assert is_signed_in(client)

    clock(61 * MINUTE)

    assert client.get("/flows/")["Location"] == "/login/?next=/flows/"


def test_session_of_an_expired_row_is_none(client):
    assert is_signed_in(client)

    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))

    assert not is_signed_in(client)


def test_active_session_expires_after_its_maximum_age(client, clock):
    for _ in range(12 * 2 - 1):
        clock(30 * MINUTE)
        assert is_signed_in(client)

    clock(30 * MINUTE)

    assert not is_signed_in(client)
    assert not Session.objects.exists()


def test_settings_limit_the_lifetime(client, clock, settings):
    settings.SESSION_IDLE_MINUTES, settings.SESSION_HOURS = 5, 1

    clock(6 * MINUTE)

    assert not is_signed_in(client)


def test_sign_in_starts_a_new_lifetime(client, clock):
    clock(13 * HOUR)
    sign_in(client)

    clock(50 * MINUTE)

    assert is_signed_in(client)


def test_pending_form_survives_an_expired_session(client, clock, sandbox, flow_sid):
    path = f"/flows/{flow_sid}/edit/"
    form = {**form_data(client.get(path)), "friendly_name": "Plaintes Lyon"}
    clock(2 * HOUR)

    sign_in_page = client.post(path, form)

    assert sign_in_page.status_code == 401
    resumed = sign_in(client, typed=form_with(sign_in_page, "password")[1]["typed"])
    assert form_with(resumed, "edit_again")[1]["friendly_name"] == "Plaintes Lyon"


def test_pages_work_while_sessions_cannot_be_written(client, clock, monkeypatch):
    def refuse(*_, **_kwargs):
        raise DatabaseError("disk full")

    clock(2 * MINUTE)
    monkeypatch.setattr(Session, "save", refuse)

    assert client.get("/flows/").status_code == 200
    assert Session.objects.exists()


@pytest.mark.parametrize("path", ["/flows/", "/login/"])
def test_session_ended_during_the_request_leads_to_sign_in(client, clock, monkeypatch, path):
    real = SessionStore.load

    def load_and_delete(self):
        data = real(self)
        Session.objects.all().delete()
        return data

    clock(2 * MINUTE)
    monkeypatch.setattr(SessionStore, "load", load_and_delete)

    response = client.get(path, follow=True)

    assert response.status_code == 200
    assert response.request["PATH_INFO"] == "/login/"
    assert "_auth_user_id" not in client.session


def test_request_within_a_minute_writes_no_session(client, django_assert_num_queries):
    client.get("/people/me/password/")

    with django_assert_num_queries(2):  # session and user
        client.get("/login/")


def change_password(client, old="operator-password"):
    new = {"new_password1": "a long passphrase", "new_password2": "a long passphrase"}
    return client.post("/people/me/password/", {"old_password": old, **new})


def test_new_password_ends_other_sessions_and_is_recorded(client):
    other = Client()
    sign_in(other)

    assert change_password(client)["Location"] == "/people/me/"

    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert recorded_events("auth.password") == [
        ("auth.password_change", "succeeded", "operator", "operator")
    ]
    assert "a long passphrase" not in str(
        list(AuditEvent.objects.values("reason", "payload__after"))
    )


def test_password_is_not_changed_without_the_old_one(client):
    response = change_password(client, old="guessed")

    assert response.status_code == 422
    assert User.objects.get(username="operator").check_password("operator-password")


def test_wrong_old_password_is_counted_and_recorded(client):
    for number in range(10):
        assert change_password(client, old=f"guess{number}").status_code == 422

    throttled = change_password(client)

    assert (throttled.status_code, 0 < int(throttled["Retry-After"]) <= 900) == (429, True)
    assert "Too many failed attempts" in throttled.content.decode()
    assert sign_in(Client()).status_code == 429, "the same password, guessed elsewhere"
    assert (
        recorded_events("auth.password")
        == [("auth.password_change", "denied", "operator", "operator")] * 10
    )
    assert recorded_events("auth.lockout") == [("auth.lockout", "denied", "operator", "operator")]
    assert User.objects.get(username="operator").check_password("operator-password")


def test_right_old_password_clears_failed_attempts(client):
    for _ in range(9):
        change_password(client, old="guessed")
    for _ in range(12):
        client.post("/people/me/password/", {"old_password": ""})
    mistyped = {
        "old_password": "operator-password",
        "new_password1": "short",
        "new_password2": "other",
    }
    assert client.post("/people/me/password/", mistyped).status_code == 422

    for _ in range(9):
        change_password(client, old="guessed")

    assert change_password(client).status_code == 302
    assert len(recorded_events("auth.password")) == 9 + 9 + 1


def test_wrong_password_and_code_at_reauthentication_are_counted_and_recorded(client):
    set_up_app(client)
    for number in range(5):
        change_password(client, old=f"guess{number}")
        assert client.post("/people/me/confirm/", {"password": f"guess{number}"}).status_code == 200
    throttled = client.post("/people/me/confirm/", {"password": "operator-password"})
    client.post("/people/me/confirm/code/", {"code": "x"})

    assert throttled.status_code == 429
    assert "Too many failed attempts" in throttled.content.decode()
    assert (
        recorded_events("auth.confirm") == [("auth.confirm", "denied", "operator", "operator")] * 6
    )
    last_event = AuditEvent.objects.latest("seq")
    assert last_event.payload.message == "wrong code or passkey"


def test_wrong_password_that_cannot_be_recorded_returns_503(client, monkeypatch):
    def refuse(_log, **_event):
        raise audit_log.NotRecorded("full")

    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse)

    assert change_password(client, old="guessed").status_code == 503
    assert client.post("/people/me/confirm/", {"password": "guessed"}).status_code == 503


def test_user_ends_their_other_sessions(person):
    person()
    own_client, other_client = Client(), Client(headers={"User-Agent": "Telephone"})
    sign_in(own_client)
    sign_in(other_client, REMOTE_ADDR="192.0.2.7")
    page = own_client.get("/people/me/").content.decode()

    own_client.post("/people/me/sessions/end/")

    assert "192.0.2.7" in page
    assert "Telephone" in page
    assert is_signed_in(own_client)
    assert not is_signed_in(other_client)
    assert recorded_events("auth.sessions") == [
        ("auth.sessions_end", "succeeded", "operator", "operator")
    ]


# Required second factor

PATHS = [
    "/",
    "/flows/",
    "/flows/new/",
    "/audit/",
    "/people/",
    "/people/me/password/",
    "/flows/plans/",
    "/nowhere/",
]


@pytest.mark.parametrize("path", PATHS[:-1])
def test_user_without_second_factor_is_redirected_to_set_one_up(client_of, settings, path):
    settings.SECOND_FACTOR_REQUIRED = True
    client = client_of("admin")

    assert client.get(path)["Location"] == "/people/me/"
    assert client.post(path, {}).status_code in (302, 405)
    assert client.get(path, headers={"HX-Request": "true"})["HX-Redirect"] == "/people/me/"


def test_user_with_second_factor_continues(client, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    assert (
        "Set up two-factor authentication to continue" in client.get("/people/me/").content.decode()
    )

    set_up_app(client)

    assert client.get("/flows/").status_code == 200


def test_second_factor_is_optional_by_default(client):
    assert client.get("/flows/").status_code == 200
