"""Sign-in by password and second factor: access, throttling and audit events."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from flexadmin.models import SignInTry
from flexadmin.signin import login_throttle
from flexadmin.signin.auth_events import ANONYMOUS_LABEL, UNKNOWN_USER_LABEL
from flows.audit import audit_log
from flows.audit.models import AuditEvent, AuditPayload
from tests.conftest import form_data
from tests.flexadmin.http.test_form_rescue import form_with
from tests.flexadmin.signing_in import (
    is_signed_in,
    reauthenticate,
    recorded_events,
    set_up_app,
    sign_in,
    totp_code,
)
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
ADDRESS, OTHER_ADDRESS = "192.0.2.7", "198.51.100.9"


@pytest.fixture
def make_log_unwritable(monkeypatch):
    def refuse(**_event):
        raise audit_log.NotRecorded("the audit log cannot be written")

    return lambda: monkeypatch.setattr(audit_log, "append", refuse)


def test_username_and_password_are_enough_to_sign_in(client, person):
    person()

    response = sign_in(client)

    assert (response.status_code, response["Location"]) == (302, "/flows/")
    assert is_signed_in(client)


def test_sign_in_redirects_to_the_requested_page_but_never_off_the_site(client, person):
    person()

    assert sign_in(client, next="/audit/")["Location"] == "/audit/"
    assert sign_in(Client(), next="https://evil.example/")["Location"] == "/flows/"


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


# Throttling


def fail_sign_in(times, name="operator", address=ADDRESS):
    for _ in range(times):
        response = sign_in(Client(), name, "wrong", REMOTE_ADDR=address)
    return response


def test_ten_failed_sign_ins_block_even_the_right_password(client, person):
    person()
    assert fail_sign_in(10).status_code == 200

    throttled = sign_in(client, REMOTE_ADDR=ADDRESS)

    assert throttled.status_code == 429
    assert 0 < int(throttled["Retry-After"]) <= 900
    assert "Too many failed attempts" in throttled.content.decode()
    assert "Try again in 15 minutes" in squeezed(throttled.content.decode())
    assert not is_signed_in(client)


SPELLINGS = [
    "operator",
    "ｏperator",
    "o𝐩erator",
    "opera𝑡or",
    "ＯPERATOR",
]  # the last is another username, which counts together with the others


@pytest.mark.parametrize("name", SPELLINGS)
def test_spellings_of_a_username_count_together(person, name):
    person()
    for spelling in SPELLINGS * 2:
        fail_sign_in(1, name=spelling)

    assert sign_in(Client(), name, REMOTE_ADDR=ADDRESS).status_code == 429
    assert (
        sign_in(Client(), "ｏ𝐩erator", "operator-password", REMOTE_ADDR=OTHER_ADDRESS).status_code
        == 302
    )
    assert {event[3] for event in recorded_events("auth.lockout")} <= {
        "operator",
        UNKNOWN_USER_LABEL,
    }
    assert [event[3] for event in recorded_events("auth.login")].count("operator") == 2 * 4 + 1


def test_other_spelling_keeps_the_exception_for_a_familiar_address(person):
    person()
    sign_in(Client(), REMOTE_ADDR=ADDRESS)
    for number in range(50):
        fail_sign_in(1, address=f"198.51.100.{number}")

    assert (
        sign_in(Client(), "ｏperator", "operator-password", REMOTE_ADDR=ADDRESS).status_code == 302
    )


def test_ipv6_network_counts_as_one_address(person):
    person()
    for number in range(10):
        fail_sign_in(1, address=f"2001:db8::{number}:{number}")

    assert sign_in(Client(), REMOTE_ADDR="2001:db8::ffff").status_code == 429
    assert sign_in(Client(), REMOTE_ADDR="2001:db8:0:1::1").status_code == 302


def test_user_under_attack_can_sign_in_from_a_familiar_ipv6_network(person):
    person()
    assert sign_in(Client(), REMOTE_ADDR="2001:db8::1").status_code == 302
    for number in range(50):
        fail_sign_in(1, address=f"198.51.100.{number}")

    assert sign_in(Client(), REMOTE_ADDR="2001:db8::2").status_code == 302
    assert sign_in(Client(), REMOTE_ADDR="2001:db8:0:1::1").status_code == 429


@pytest.mark.parametrize(
    "entered_name", ["oper\x00ator", "\x00", "oper\x07ator", "oper\x85ator", "x" * 200, "ﷺ" * 150]
)
def test_username_that_cannot_be_stored_is_unknown(client, person, entered_name):
    person()

    response = sign_in(client, entered_name, "operator-password")

    assert (response.status_code, is_signed_in(client)) == (200, False)
    assert recorded_events() == [("auth.login", "denied", ANONYMOUS_LABEL, UNKNOWN_USER_LABEL)]


def test_lockout_is_recorded_once(person):
    person()

    fail_sign_in(14)

    assert recorded_events("auth.lockout") == [
        ("auth.lockout", "denied", ANONYMOUS_LABEL, "operator")
    ]
    assert len(recorded_events("auth.login")) == 10
    assert SignInTry.objects.count() == 11, "refused attempts must not fill the table"


def test_lockout_blocks_neither_other_users_nor_other_addresses(person):
    person()
    person("viewer")
    fail_sign_in(12)

    for name, address in (
        ("viewer", OTHER_ADDRESS),
        ("viewer", ADDRESS),
        ("operator", OTHER_ADDRESS),
    ):
        assert sign_in(Client(), name, REMOTE_ADDR=address).status_code == 302


def test_user_under_attack_can_sign_in_from_a_familiar_address(client, person):
    person()
    assert sign_in(client, REMOTE_ADDR="203.0.113.1").status_code == 302
    for number in range(50):
        fail_sign_in(1, address=f"198.51.100.{number}")

    assert sign_in(Client(), REMOTE_ADDR=ADDRESS).status_code == 429
    assert sign_in(Client(), REMOTE_ADDR="203.0.113.1").status_code == 302


def test_address_that_tries_many_usernames_is_blocked(person):
    person()
    for number in range(100):
        fail_sign_in(1, name=f"guess{number}")

    assert sign_in(Client(), REMOTE_ADDR=ADDRESS).status_code == 429
    assert sign_in(Client(), REMOTE_ADDR=OTHER_ADDRESS).status_code == 302


def test_successful_sign_in_clears_failed_attempts(client, person):
    person()
    fail_sign_in(9)
    sign_in(client, REMOTE_ADDR=ADDRESS)

    assert fail_sign_in(10).status_code == 200


def test_lockout_ends_after_its_window(person, monkeypatch):
    person()
    fail_sign_in(11)
    later = timezone.now() + login_throttle.WINDOW + timedelta(seconds=1)
    monkeypatch.setattr(login_throttle.timezone, "now", lambda: later)

    assert sign_in(Client(), REMOTE_ADDR=ADDRESS).status_code == 302
    assert not SignInTry.objects.exists()


# Second factor


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


@pytest.mark.parametrize(
    "path",
    [
        "/signup/", "/accounts/signup/", "/login/signup/", "/password/reset/", "/people/me/email/",
        "/people/me/codes/download/", "/login/code/", "/login/cancelled/", "/people/me/passkeys/login/", "/login/sso/oidc/",
    ],
)  # fmt: skip
def test_unused_pages_of_allauth_do_not_exist(client_of, path):
    assert client_of("admin").get(path).status_code == 404
