"""How long a session lasts, where somebody is signed in, and what they have to do before anything else."""

import time

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.test import Client

from flexadmin import sessions
from flows.models import AuditEvent
from flows.services import audit
from tests.conftest import form_data
from tests.flexadmin.signing_in import is_in, recorded, sign_in, with_app
from tests.flexadmin.test_typed import form_with

pytestmark = pytest.mark.django_db
MINUTE, HOUR = 60, 3600


@pytest.fixture
def clock(monkeypatch):
    """Moves the time that sessions go by: clock(seconds)."""
    started, ahead = time.time(), [0]
    monkeypatch.setattr(sessions.time, "time", lambda: started + ahead[0])

    def forward(seconds):
        ahead[0] += seconds

    return forward


@pytest.fixture
def client(client_of):
    return client_of()


def test_session_ends_when_nobody_is_there(client, clock):
    clock(59 * MINUTE)
    assert is_in(client)
    clock(59 * MINUTE)
    assert is_in(client)

    clock(61 * MINUTE)

    assert client.get("/flows/")["Location"] == "/login/?next=/flows/"


def test_session_ends_after_its_hours_whatever_happens(client, clock):
    for _ in range(12 * 2 - 1):
        clock(30 * MINUTE)
        assert is_in(client)

    clock(30 * MINUTE)

    assert not is_in(client)
    assert not Session.objects.exists()


def test_settings_say_how_long(client, clock, settings):
    settings.SESSION_IDLE_MINUTES, settings.SESSION_HOURS = 5, 1

    clock(6 * MINUTE)

    assert not is_in(client)


def test_sign_in_begins_the_time_anew(client, clock):
    clock(13 * HOUR)
    sign_in(client)

    clock(50 * MINUTE)

    assert is_in(client)


def test_what_was_typed_survives_an_ended_session(client, clock, sandbox, flow_sid):
    path = f"/flows/{flow_sid}/edit/"
    form = {**form_data(client.get(path)), "friendly_name": "Plaintes Lyon"}
    clock(2 * HOUR)

    asked = client.post(path, form)

    assert asked.status_code == 401
    again = sign_in(client, typed=form_with(asked, "password")[1]["typed"])
    assert form_with(again, "edit_again")[1]["friendly_name"] == "Plaintes Lyon"


def test_pages_are_read_while_sessions_cannot_be_written(client, clock, monkeypatch):
    def refuse(*_, **_said):
        raise DatabaseError("disk full")

    clock(2 * MINUTE)
    monkeypatch.setattr(Session, "save", refuse)

    assert client.get("/flows/").status_code == 200
    assert Session.objects.exists()


@pytest.mark.parametrize("path", ["/flows/", "/login/"])
def test_session_that_is_ended_elsewhere_meanwhile_leads_to_sign_in(client, clock, monkeypatch, path):
    real = SessionStore.load

    def load_and_lose(self):
        data = real(self)
        Session.objects.all().delete()
        return data

    clock(2 * MINUTE)
    monkeypatch.setattr(SessionStore, "load", load_and_lose)

    answer = client.get(path, follow=True)

    assert answer.status_code == 200
    assert answer.request["PATH_INFO"] == "/login/"
    assert "_auth_user_id" not in client.session


def test_request_within_a_minute_writes_no_session(client, django_assert_num_queries):
    client.get("/people/me/password/")

    with django_assert_num_queries(2):  # the session and the person
        client.get("/login/")


def changed(client, old="operator-password"):
    new = {"new_password1": "a long passphrase", "new_password2": "a long passphrase"}
    return client.post("/people/me/password/", {"old_password": old, **new})


def test_changed_password_ends_the_other_sessions_and_goes_on_record(client):
    other = Client()
    sign_in(other)

    assert changed(client)["Location"] == "/people/me/"

    assert is_in(client)
    assert not is_in(other)
    assert recorded("auth.password") == [("auth.password_change", "succeeded", "operator", "operator")]
    assert "a long passphrase" not in str(list(AuditEvent.objects.values("reason", "payload__after")))


def test_password_is_not_changed_without_the_old_one(client):
    answer = changed(client, old="guessed")

    assert answer.status_code == 422
    assert User.objects.get(username="operator").check_password("operator-password")


def test_wrong_old_password_counts_and_goes_on_record(client):
    for number in range(10):
        assert changed(client, old=f"guess{number}").status_code == 422

    held_back = changed(client)

    assert (held_back.status_code, held_back["Retry-After"]) == (429, "900")
    assert "Too many failed attempts" in held_back.content.decode()
    assert sign_in(Client()).status_code == 429, "the same password, guessed elsewhere"
    assert recorded("auth.password") == [("auth.password_change", "denied", "operator", "operator")] * 10
    assert recorded("auth.lockout") == [("auth.lockout", "denied", "operator", "operator")]
    assert User.objects.get(username="operator").check_password("operator-password")


def test_right_old_password_counts_not_and_forgets(client):
    for _ in range(9):
        changed(client, old="guessed")
    for _ in range(12):
        client.post("/people/me/password/", {"old_password": ""})
    mistyped = {"old_password": "operator-password", "new_password1": "short", "new_password2": "other"}
    assert client.post("/people/me/password/", mistyped).status_code == 422

    for _ in range(9):
        changed(client, old="guessed")

    assert changed(client).status_code == 302
    assert len(recorded("auth.password")) == 9 + 9 + 1


def test_wrong_password_and_code_of_a_confirmation_count_and_go_on_record(client):
    with_app(client)
    for number in range(5):
        changed(client, old=f"guess{number}")
        assert client.post("/people/me/confirm/", {"password": f"guess{number}"}).status_code == 200
    held_back = client.post("/people/me/confirm/", {"password": "operator-password"})
    client.post("/people/me/confirm/code/", {"code": "x"})

    assert held_back.status_code == 429
    assert "Too many failed attempts" in held_back.content.decode()
    assert recorded("auth.confirm") == [("auth.confirm", "denied", "operator", "operator")] * 6
    last = AuditEvent.objects.latest("seq")
    assert last.payload.message == "wrong code or passkey"


def test_nothing_is_confirmed_or_changed_while_a_wrong_password_cannot_be_recorded(client, monkeypatch):
    monkeypatch.setattr(audit, "append", lambda **_: (_ for _ in ()).throw(audit.NotRecorded("full")))

    assert changed(client, old="guessed").status_code == 503
    assert client.post("/people/me/confirm/", {"password": "guessed"}).status_code == 503


def test_everywhere_else_is_signed_out(person):
    person()
    here, there = Client(), Client(headers={"User-Agent": "Telephone"})
    sign_in(here)
    sign_in(there, REMOTE_ADDR="192.0.2.7")
    page = here.get("/people/me/").content.decode()

    here.post("/people/me/sessions/end/")

    assert "192.0.2.7" in page
    assert "Telephone" in page
    assert is_in(here)
    assert not is_in(there)
    assert recorded("auth.sessions") == [("auth.sessions_end", "succeeded", "operator", "operator")]


# The second factor that the site asks for

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
def test_who_has_no_second_factor_is_led_to_set_one_up_whatever_the_address(client_of, settings, path):
    settings.SECOND_FACTOR_REQUIRED = True
    client = client_of("admin")

    assert client.get(path)["Location"] == "/people/me/"
    assert client.post(path, {}).status_code in (302, 405)
    assert client.get(path, headers={"HX-Request": "true"})["HX-Redirect"] == "/people/me/"


def test_who_has_set_one_up_goes_on(client, settings):
    settings.SECOND_FACTOR_REQUIRED = True
    assert "Set up two-factor authentication to continue" in client.get("/people/me/").content.decode()

    with_app(client)

    assert client.get("/flows/").status_code == 200


def test_second_factor_is_not_asked_for_unless_the_site_says_so(client):
    assert client.get("/flows/").status_code == 200
