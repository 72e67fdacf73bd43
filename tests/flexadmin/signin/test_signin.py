"""Sign-in by password: access and audit events."""

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from flexadmin.models import SignInTry
from flexadmin.signin.auth_events import ANONYMOUS_LABEL, UNKNOWN_USER_LABEL
from flows.audit.models import AuditEvent, AuditPayload
from tests.conftest import form_data
from tests.flexadmin.http.rescued_forms import form_with
from tests.flexadmin.signing_in import (
    is_signed_in,
    recorded_events,
    sign_in,
)

pytestmark = pytest.mark.django_db
ADDRESS, OTHER_ADDRESS = "192.0.2.7", "198.51.100.9"


def test_username_and_password_are_enough_to_sign_in(client, person):
    person()

    response = sign_in(client)

    assert (response.status_code, response["Location"]) == (302, "/")
    assert is_signed_in(client)


def test_sign_in_redirects_to_the_requested_page_but_never_off_the_site(client, person):
    person()

    assert sign_in(client, next="/audit/")["Location"] == "/audit/"
    assert sign_in(Client(), next="https://evil.example/")["Location"] == "/"


def test_sign_in_and_sign_out_are_recorded(client, person):
    user = person()

    sign_in(client, REMOTE_ADDR=ADDRESS)
    client.post("/logout/")

    assert recorded_events() == [
        ("auth.login", "succeeded", "operator", "operator"),
        ("auth.logout", "succeeded", "operator", "operator"),
    ]
    event = AuditEvent.objects.get(action="auth.login")
    assert (event.actor_id, event.actor_role, event.source_ip) == (
        str(user.pk),
        "operator",
        ADDRESS,
    )
    assert not is_signed_in(client)


def test_wrong_password_is_recorded_without_an_actor(client, person):
    person()

    response = sign_in(client, password="wrong")

    assert response.status_code == 200
    assert recorded_events() == [("auth.login", "denied", ANONYMOUS_LABEL, "operator")]
    assert AuditEvent.objects.get().actor_id == ""


def test_password_entered_as_username_is_stored_nowhere(client, person):
    person()

    sign_in(client, name="hunter2 is my password", password="x")

    stored_fields = [
        *AuditEvent.objects.values(),
        *AuditPayload.objects.values(),
        *SignInTry.objects.values(),
    ]
    assert recorded_events() == [("auth.login", "denied", ANONYMOUS_LABEL, UNKNOWN_USER_LABEL)]
    assert "hunter2" not in str(stored_fields)


def test_sign_in_fails_if_it_cannot_be_recorded(client, person, make_log_unwritable):
    person()
    make_log_unwritable()

    refused = sign_in(client)

    assert (refused.status_code, refused["Retry-After"]) == (503, "10")
    assert "Couldn’t write to the audit log" in refused.content.decode()
    assert not is_signed_in(client)


def test_pending_form_survives_a_sign_in_that_cannot_be_recorded(
    client_of, sandbox, flow_sid, make_log_unwritable
):
    client = client_of()
    path = f"/flows/{flow_sid}/edit/"
    form = {**form_data(client.get(path)), "friendly_name": "Plaintes Lyon"}
    Session.objects.all().delete()
    _, fields = form_with(client.post(path, form), "password")
    make_log_unwritable()

    refused = sign_in(client, typed=fields["typed"])

    action, stored_fields = form_with(refused, "edit_again")
    assert (refused.status_code, action, stored_fields["friendly_name"]) == (
        503,
        path,
        "Plaintes Lyon",
    )


def test_deactivated_user_cannot_sign_in(client, person):
    User.objects.filter(pk=person().pk).update(is_active=False)

    sign_in(client)

    assert not is_signed_in(client)


def test_sign_out_works_if_it_cannot_be_recorded(client_of, make_log_unwritable):
    client = client_of()
    make_log_unwritable()

    client.post("/logout/")

    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "path",
    [
        "/signup/", "/accounts/signup/", "/login/signup/", "/password/reset/", "/people/me/email/",
        "/people/me/codes/download/", "/login/code/", "/login/cancelled/", "/people/me/passkeys/login/", "/login/sso/oidc/",
    ],
)  # fmt: skip
def test_unused_pages_of_allauth_do_not_exist(client_of, path):
    assert client_of("admin").get(path).status_code == 404
