"""Second step of a sign-in: app codes, recovery codes, their setup and removal."""

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session

from flexadmin.signin.auth_events import ANONYMOUS_LABEL
from flows.audit.models import AuditEvent, AuditPayload
from tests.conftest import form_data
from tests.flexadmin.http.rescued_forms import form_with
from tests.flexadmin.signing_in import (
    is_signed_in,
    reauthenticate,
    recorded_events,
    set_up_app,
    sign_in,
    totp_code,
)

pytestmark = pytest.mark.django_db
ADDRESS, OTHER_ADDRESS = "192.0.2.7", "198.51.100.9"


@pytest.fixture
def with_factor(client, person):
    """Client and app secret of a user with an authenticator app, who is signed out."""
    person()
    sign_in(client)
    secret = set_up_app(client)
    client.post("/logout/")
    return client, secret


def test_password_alone_is_not_enough_with_a_second_factor(with_factor):
    client, secret = with_factor

    redirect = sign_in(client, next="/audit/")

    assert redirect["Location"] == "/login/second-factor/"
    assert not is_signed_in(client)
    response = client.post("/login/second-factor/", {"code": totp_code(secret)})
    assert (response.status_code, response["Location"]) == (302, "/audit/")
    assert is_signed_in(client)
    last_event = AuditEvent.objects.order_by("seq").last()
    assert (last_event.action, last_event.payload.after) == (
        "auth.login",
        {"by": "password, then authenticator app"},
    )


def test_code_works_once(with_factor):
    client, secret = with_factor
    code = totp_code(secret)
    sign_in(client)
    client.post("/login/second-factor/", {"code": code})
    client.post("/logout/")

    sign_in(client)
    resumed = client.post("/login/second-factor/", {"code": code})

    assert resumed.status_code == 200
    assert not is_signed_in(client)


def test_wrong_codes_are_recorded_and_throttled(with_factor):
    client, secret = with_factor
    sign_in(client)

    responses = [client.post("/login/second-factor/", {"code": "x"}) for _ in range(6)]
    right = client.post("/login/second-factor/", {"code": totp_code(secret)})

    assert [response.status_code for response in responses] == [200] * 5 + [429]
    assert right.status_code == 429
    assert 0 < int(right["Retry-After"]) <= 300
    assert recorded_events()[-2:] == [
        ("auth.login", "denied", ANONYMOUS_LABEL, "operator"),
        ("auth.lockout", "denied", ANONYMOUS_LABEL, "operator"),
    ]
    assert not is_signed_in(client)


def test_recovery_code_works_once(with_factor):
    client, secret = with_factor
    sign_in(client)
    client.post("/login/second-factor/", {"code": totp_code(secret)})
    codes = reauthenticate(client, "/people/me/codes/").context["unused_codes"]
    client.post("/logout/")

    assert len(codes) == 10
    for is_accepted in (True, False):
        sign_in(client)
        client.post("/login/second-factor/", {"code": codes[0]})
        assert is_signed_in(client) is is_accepted
        client.post("/logout/")


def test_pending_form_is_carried_through_the_second_factor(with_factor, sandbox, flow_sid):
    client, secret = with_factor
    path = f"/flows/{flow_sid}/edit/"
    sign_in(client)
    client.post("/login/second-factor/", {"code": totp_code(secret)})
    form = {**form_data(client.get(path)), "friendly_name": "Plaintes Lyon"}
    Session.objects.all().delete()

    _, fields = form_with(client.post(path, form), "password")
    second_step = sign_in(client, typed=fields["typed"])
    _, fields = form_with(second_step, "code")
    wrong = client.post("/login/second-factor/", {"code": "x", "typed": fields["typed"]})
    _, fields = form_with(wrong, "code")
    resumed = client.post(
        "/login/second-factor/", {"code": totp_code(secret, step=1), "typed": fields["typed"]}
    )

    action, stored_fields = form_with(resumed, "edit_again")
    assert (action, stored_fields["friendly_name"]) == (path, "Plaintes Lyon")
    assert "Plaintes" not in str([session.get_decoded() for session in Session.objects.all()])


def test_second_factor_is_not_set_up_if_it_cannot_be_recorded(client, person, make_log_unwritable):
    person()
    sign_in(client)
    secret = reauthenticate(client, "/people/me/app/add/").context["form"].secret
    make_log_unwritable()

    response = client.post("/people/me/app/add/", {"code": totp_code(secret)})

    assert response.status_code == 503
    assert not User.objects.get().authenticator_set.exists()


def test_setup_and_removal_of_second_factors_are_recorded(with_factor):
    client, secret = with_factor
    sign_in(client)
    client.post("/login/second-factor/", {"code": totp_code(secret)})

    reauthenticate(client, "/people/me/app/remove/")
    client.post("/people/me/app/remove/")

    assert recorded_events("auth.mfa") == [
        ("auth.mfa_add", "succeeded", "operator", "operator"),
        ("auth.mfa_remove", "succeeded", "operator", "operator"),
    ]
    assert not User.objects.get().authenticator_set.exists()


def test_app_secret_is_not_stored_in_plain_text(with_factor):
    _, secret = with_factor
    stored_fields = [*User.objects.get().authenticator_set.values(), *AuditPayload.objects.values()]

    assert secret not in str(stored_fields)
