"""Ended sessions and pending sign-ins stay ended, even if the user is activated again."""

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.test import Client

from flexadmin.models import OneTimePassword
from flexadmin.signin import auth_events
from flexadmin.signin.auth_events import ANONYMOUS_LABEL
from flows.audit.models import AuditEvent
from tests.flexadmin.provider import Provider
from tests.flexadmin.signin.test_sso import sign_in_by_sso
from tests.flexadmin.signing_in import is_signed_in, recorded_events, set_up_app, sign_in, totp_code
from tests.flexadmin.users.test_users import age_temporary_passwords, post_operation

pytestmark = pytest.mark.django_db
CODE_PATH = "/login/second-factor/"


@pytest.fixture
def admin(client_of):
    return client_of("admin")


@pytest.fixture
def user(person):
    return person("operator")


@pytest.fixture
def pending(user):
    """Client and app secret of a sign-in that waits for its second factor."""
    client = Client()
    sign_in(client)
    secret = set_up_app(client)
    client.post("/logout/")
    assert sign_in(client)["Location"] == CODE_PATH
    return client, secret


def finish_sign_in(pending):
    client, secret = pending
    return client.post(CODE_PATH, {"code": totp_code(secret, step=1)}, follow=True)


def last_event():
    return AuditEvent.objects.select_related("payload").latest("seq")


def with_session_row(client, user):
    sign_in(client)


def without_session_row(client, user):
    client.force_login(user)


@pytest.mark.parametrize("sign_user_in", [with_session_row, without_session_row])
def test_session_stays_ended_after_reactivation(admin, user, sign_user_in):
    user_client = Client()
    sign_user_in(user_client, user)
    assert is_signed_in(user_client)

    post_operation(admin, user, "active")
    assert not is_signed_in(user_client)
    post_operation(admin, user, "active", active="true")

    assert not is_signed_in(user_client)
    assert not UserSession.objects.filter(user=user).exists()
    assert sign_in(Client())["Location"] == "/"


def test_session_unused_during_the_deactivation_is_ended(admin, user):
    user_client = Client()
    user_client.force_login(user)
    post_operation(admin, user, "active")
    post_operation(admin, user, "active", active="true")

    assert user_client.get("/flows/")["Location"].startswith("/login/")


@pytest.mark.parametrize("operation", ["factors", "single-sign-on", "password"])
def test_reset_by_an_administrator_ends_every_session(admin, user, operation):
    user_client = Client()
    user_client.force_login(user)

    post_operation(admin, user, operation)

    assert not is_signed_in(user_client)


def test_pending_sign_in_of_a_deactivated_user_is_refused_and_recorded(admin, user, pending):
    post_operation(admin, user, "active")

    response = finish_sign_in(pending)

    assert "Your access is deactivated." in response.content.decode()
    assert recorded_events()[-1] == ("auth.login", "denied", ANONYMOUS_LABEL, "operator")
    assert last_event().payload.message == "user deactivated"
    post_operation(admin, user, "active", active="true")
    assert not is_signed_in(pending[0])


def test_pending_sign_in_is_refused_after_deactivation_and_reactivation(admin, user, pending):
    post_operation(admin, user, "active")
    post_operation(admin, user, "active", active="true")

    response = finish_sign_in(pending)

    assert (
        "Your password or access changed while you were signing in. Sign in again."
        in response.content.decode()
    )
    assert not is_signed_in(pending[0])
    assert "during the sign-in" in last_event().payload.message


def change_own_password(admin, user):
    user_client = Client()
    user_client.force_login(user)
    new = {"new_password1": "a long passphrase", "new_password2": "a long passphrase"}
    assert (
        user_client.post(
            "/people/me/password/", {"old_password": "operator-password", **new}
        ).status_code
        == 302
    )


def end_other_sessions(admin, user):
    user_client = Client()
    user_client.force_login(user)
    user_client.post("/people/me/sessions/end/")
    assert is_signed_in(user_client)


def set_temporary_password(admin, user):
    post_operation(admin, user, "password")


def unlink_sso(admin, user):
    post_operation(admin, user, "single-sign-on")


@pytest.mark.parametrize(
    "change", [change_own_password, end_other_sessions, set_temporary_password, unlink_sso]
)
def test_pending_sign_in_is_refused_after_a_change_of_access(admin, user, pending, change):
    change(admin, user)

    finish_sign_in(pending)

    assert not is_signed_in(pending[0])
    assert recorded_events("auth.login")[-1] == (
        "auth.login",
        "denied",
        ANONYMOUS_LABEL,
        "operator",
    )


def test_pending_sign_in_ends_when_2fa_is_reset(admin, user, pending):
    post_operation(admin, user, "factors")

    finish_sign_in(pending)

    assert not is_signed_in(pending[0])


def test_pending_sign_in_continues_when_a_role_changes(admin, user, pending):
    post_operation(admin, user, "role")

    finish_sign_in(pending)

    assert is_signed_in(pending[0])
    assert pending[0].get("/flows/new/").status_code == 403


def test_temporary_password_may_not_expire_before_the_code_is_entered(admin, user, pending):
    OneTimePassword.objects.create(person=user)
    age_temporary_passwords(hours=73)

    response = finish_sign_in(pending)

    assert "This temporary password has expired." in response.content.decode()
    assert not is_signed_in(pending[0])


def test_pending_single_sign_on_is_refused_after_unlinking(admin, client, settings):
    with Provider() as provider:
        settings.SOCIALACCOUNT_PROVIDERS = provider.settings()
        sign_in_by_sso(client, provider)
        secret = client.get("/people/me/app/add/").context["form"].secret
        client.post("/people/me/app/add/", {"code": totp_code(secret, step=-1)})
        other = Client()
        assert sign_in_by_sso(other, provider)["Location"] == CODE_PATH
        post_operation(admin, User.objects.get(username="nina"), "single-sign-on")

        other.post(CODE_PATH, {"code": totp_code(secret)})

    assert not is_signed_in(other)


def test_own_session_continues_when_the_others_end(user):
    own_client, other_client = Client(), Client()
    own_client.force_login(user)
    other_client.force_login(user)

    own_client.post("/people/me/sessions/end/")

    assert is_signed_in(own_client)
    assert not is_signed_in(other_client)


def test_deactivation_during_the_recording_of_a_sign_in_ends_it(admin, user, pending, monkeypatch):
    """The sign-in waits for the log's lock, which an administrator's change holds."""
    transaction = auth_events.audit_log.transaction

    def transaction_after_deactivation():
        monkeypatch.setattr(auth_events.audit_log, "transaction", transaction)
        post_operation(admin, user, "active")
        user.refresh_from_db()
        return transaction()

    monkeypatch.setattr(auth_events.audit_log, "transaction", transaction_after_deactivation)

    finish_sign_in(pending)
    assert not user.is_active
    post_operation(admin, user, "active", active="true")

    assert not is_signed_in(pending[0])
