"""Sessions and pending sign-ins that are ended stay ended, whatever becomes of the user later."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.test import Client

from flexadmin import access
from flexadmin.access import NOBODY
from flexadmin.models import OneTimePassword
from flows.models import AuditEvent
from tests.flexadmin.provider import Provider
from tests.flexadmin.signing_in import code_of, is_in, recorded, sign_in, with_app
from tests.flexadmin.test_people import ages, do
from tests.flexadmin.test_sso import came_back

pytestmark = pytest.mark.django_db
CODE = "/login/second-factor/"


@pytest.fixture
def admin(client_of):
    return client_of("admin")


@pytest.fixture
def someone(person):
    return person("operator")


@pytest.fixture
def pending(someone):
    """A sign-in that waits for its second factor: (client, secret)."""
    client = Client()
    sign_in(client)
    secret = with_app(client)
    client.post("/logout/")
    assert sign_in(client)["Location"] == CODE
    return client, secret


def finished(pending):
    client, secret = pending
    return client.post(CODE, {"code": code_of(secret, step=1)}, follow=True)


def last_event():
    return AuditEvent.objects.select_related("payload").latest("seq")


def by_session_row(client, someone):
    sign_in(client)


def without_one(client, someone):
    client.force_login(someone)


@pytest.mark.parametrize("begin", [by_session_row, without_one])
def test_cookie_of_before_a_deactivation_stays_dead(admin, someone, begin):
    theirs = Client()
    begin(theirs, someone)
    assert is_in(theirs)

    do(admin, someone, "active")
    assert not is_in(theirs)
    do(admin, someone, "active", active="true")

    assert not is_in(theirs)
    assert not UserSession.objects.filter(user=someone).exists()
    assert sign_in(Client())["Location"] == "/flows/"


def test_cookie_that_was_not_used_meanwhile_is_dead_too(admin, someone):
    theirs = Client()
    theirs.force_login(someone)
    do(admin, someone, "active")
    do(admin, someone, "active", active="true")

    assert theirs.get("/flows/")["Location"].startswith("/login/")


@pytest.mark.parametrize("deed", ["factors", "single-sign-on", "password"])
def test_what_an_administrator_resets_ends_every_session(admin, someone, deed):
    theirs = Client()
    theirs.force_login(someone)

    do(admin, someone, deed)

    assert not is_in(theirs)


def test_pending_sign_in_of_who_is_deactivated_is_refused_and_recorded(admin, someone, pending):
    do(admin, someone, "active")

    answer = finished(pending)

    assert "Your access is deactivated." in answer.content.decode()
    assert recorded()[-1] == ("auth.login", "denied", NOBODY, "operator")
    assert last_event().payload.message == "user deactivated"
    do(admin, someone, "active", active="true")
    assert not is_in(pending[0])


def test_pending_sign_in_of_who_was_deactivated_meanwhile_is_refused(admin, someone, pending):
    do(admin, someone, "active")
    do(admin, someone, "active", active="true")

    answer = finished(pending)

    assert (
        "Your password or access changed while you were signing in. Sign in again." in answer.content.decode()
    )
    assert not is_in(pending[0])
    assert "during the sign-in" in last_event().payload.message


def own_password(admin, someone):
    theirs = Client()
    theirs.force_login(someone)
    new = {"new_password1": "a long passphrase", "new_password2": "a long passphrase"}
    assert (
        theirs.post("/people/me/password/", {"old_password": "operator-password", **new}).status_code == 302
    )


def sessions_ended(admin, someone):
    theirs = Client()
    theirs.force_login(someone)
    theirs.post("/people/me/sessions/end/")
    assert is_in(theirs)


def temporary_password(admin, someone):
    do(admin, someone, "password")


def single_sign_on_removed(admin, someone):
    do(admin, someone, "single-sign-on")


@pytest.mark.parametrize("change", [own_password, sessions_ended, temporary_password, single_sign_on_removed])
def test_pending_sign_in_is_refused_once_what_it_rests_on_changed(admin, someone, pending, change):
    change(admin, someone)

    finished(pending)

    assert not is_in(pending[0])
    assert recorded("auth.login")[-1] == ("auth.login", "denied", NOBODY, "operator")


def test_pending_sign_in_ends_when_2fa_is_reset(admin, someone, pending):
    do(admin, someone, "factors")

    finished(pending)

    assert not is_in(pending[0])


def test_pending_sign_in_goes_on_when_a_role_changes(admin, someone, pending):
    do(admin, someone, "role")

    finished(pending)

    assert is_in(pending[0])
    assert pending[0].get("/flows/new/").status_code == 403


def test_temporary_password_that_expires_before_the_code_lets_nobody_in(admin, someone, pending):
    OneTimePassword.objects.create(person=someone)
    ages(hours=73)

    answer = finished(pending)

    assert "This temporary password has expired." in answer.content.decode()
    assert not is_in(pending[0])


def test_pending_single_sign_on_is_refused_once_it_was_removed(admin, client, settings):
    with Provider() as provider:
        settings.SOCIALACCOUNT_PROVIDERS = provider.settings()
        came_back(client, provider)
        secret = client.get("/people/me/app/add/").context["form"].secret
        client.post("/people/me/app/add/", {"code": code_of(secret, step=-1)})
        other = Client()
        assert came_back(other, provider)["Location"] == CODE
        do(admin, User.objects.get(username="nina"), "single-sign-on")

        other.post(CODE, {"code": code_of(secret)})

    assert not is_in(other)


def test_own_session_goes_on_when_the_others_end(someone):
    here, there = Client(), Client()
    here.force_login(someone)
    there.force_login(someone)

    here.post("/people/me/sessions/end/")

    assert is_in(here)
    assert not is_in(there)


def test_deactivation_while_a_sign_in_is_being_recorded_ends_it(admin, someone, pending, monkeypatch):
    """The sign-in waits for the log, which an administrator's change holds."""
    append = access.audit.append

    def later(**event):
        if event["action"] == "auth.login" and someone.is_active:
            do(admin, someone, "active")
            someone.refresh_from_db()
        return append(**event)

    monkeypatch.setattr(access.audit, "append", later)

    finished(pending)
    monkeypatch.undo()
    do(admin, someone, "active", active="true")

    assert not is_in(pending[0])
