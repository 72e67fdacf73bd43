"""Single use of codes and passkey challenges, and their limits by user and address."""

import threading

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.webauthn.internal import auth as webauthn
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client

from flexadmin.models import SignInTry
from flexadmin.signin import login_throttle, one_time_codes
from flexadmin.signin.auth_events import ANONYMOUS_LABEL
from flexadmin.signin.one_time_codes import CodeStatus
from flows.audit.models import AuditEvent
from tests.flexadmin.signing_in import (
    is_signed_in,
    reauthenticate,
    recorded_events,
    set_up_app,
    sign_in,
    totp_code,
)

ADDRESS, OTHER_ADDRESS, FAMILIAR_ADDRESS = "192.0.2.7", "198.51.100.9", "203.0.113.5"
CODE_PATH = "/login/second-factor/"


@pytest.fixture
def secret(db, person):
    """Secret of the operator's authenticator app."""
    person()
    client = Client()
    sign_in(client, REMOTE_ADDR=FAMILIAR_ADDRESS)
    app_secret = set_up_app(client)
    client.post("/logout/")
    return app_secret


@pytest.fixture
def clock(monkeypatch):
    """Function that moves the codes' clock forward by seconds."""
    real, offset = totp.time.time, [0]
    monkeypatch.setattr(totp.time, "time", lambda: real() + offset[0])

    def forward(seconds):
        offset[0] += seconds

    return forward


def enter_password(address=ADDRESS):
    client = Client(REMOTE_ADDR=address)
    sign_in(client)
    return client


def last_message():
    return AuditEvent.objects.select_related("payload").latest("seq").payload.message


def test_code_works_once_during_its_whole_lifetime(secret, clock):
    code = totp_code(secret, step=1)
    first_client = enter_password()
    first_client.post(CODE_PATH, {"code": code})
    assert is_signed_in(first_client)

    # 0, 29 and 58 seconds later. allauth itself would accept the code again at the last time.
    for _ in range(3):
        second_client = enter_password()
        response = second_client.post(CODE_PATH, {"code": code})
        assert "This code was already used." in response.content.decode()
        assert not is_signed_in(second_client)
        clock(29)

    assert last_message() == "code already used"


def test_used_code_stays_used_after_the_cache_is_cleared(secret):
    code = totp_code(secret)
    enter_password().post(CODE_PATH, {"code": code})
    cache.clear()

    second_client = enter_password()
    second_client.post(CODE_PATH, {"code": code})

    assert not is_signed_in(second_client)


def test_code_works_once_across_sign_in_and_reauthentication(secret):
    client = enter_password()
    client.post(CODE_PATH, {"code": totp_code(secret)})

    same = client.post("/people/me/confirm/code/", {"code": totp_code(secret)})
    client.post("/people/me/confirm/code/", {"code": totp_code(secret, step=1)})
    second_client = enter_password()
    second_client.post(CODE_PATH, {"code": totp_code(secret, step=1)})

    assert "This code was already used." in same.content.decode()
    assert recorded_events("auth.confirm")[-1][:2] == ("auth.confirm", "denied")
    assert not is_signed_in(second_client)


def test_code_of_the_setup_does_not_work_at_sign_in(db, person):
    person()
    client = Client()
    sign_in(client)
    secret = reauthenticate(client, "/people/me/app/add/").context["form"].secret
    client.post("/people/me/app/add/", {"code": totp_code(secret)})

    second_client = enter_password()
    second_client.post(CODE_PATH, {"code": totp_code(secret)})

    assert not is_signed_in(second_client)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_concurrent_uses_of_a_code_succeed_once(secret, kind):
    authenticator = Authenticator.objects.get(type=kind)
    code = totp_code(secret) if kind == "totp" else authenticator.wrap().get_unused_codes()[0]
    statuses, start = [], threading.Barrier(4)

    def use():
        start.wait()
        try:
            statuses.append(one_time_codes.use_code(Authenticator.objects.get(type=kind), code))
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses.count(CodeStatus.RIGHT) == 1
    assert len(statuses) == 4


@pytest.mark.django_db
def test_challenge_works_once():
    state = {"challenge": "Y2hhbGxlbmdl", "user_verification": None}

    assert one_time_codes.use_challenge(state)
    assert not one_time_codes.use_challenge(state)
    assert not one_time_codes.use_challenge(None)


def test_wrong_response_to_a_challenge_uses_it_up(secret, monkeypatch):
    client = enter_password()
    session = client.session
    session[webauthn.STATE_SESSION_KEY] = {"challenge": "Y2hhbGxlbmdl", "user_verification": None}
    session.save()
    verifications = []
    monkeypatch.setattr(
        webauthn, "complete_authentication", lambda *arguments: verifications.append(arguments)
    )
    credential = '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}'

    client.post(CODE_PATH, {"credential": credential})
    session = client.session
    session[webauthn.STATE_SESSION_KEY] = {"challenge": "Y2hhbGxlbmdl", "user_verification": None}
    session.save()
    client.post(CODE_PATH, {"credential": credential})

    assert not verifications
    assert not one_time_codes.use_challenge({"challenge": "Y2hhbGxlbmdl"})


# Throttling


def test_owner_can_sign_in_from_another_address_during_an_attack(secret):
    guesser = enter_password()
    for _ in range(5):
        guesser.post(CODE_PATH, {"code": "123456"})
    throttled = guesser.post(CODE_PATH, {"code": totp_code(secret)})

    owner = enter_password(OTHER_ADDRESS)
    owner.post(CODE_PATH, {"code": totp_code(secret)})

    assert throttled.status_code == 429
    assert "Too many failed attempts" in throttled.content.decode()
    assert is_signed_in(owner)


def test_throttled_code_is_not_used_up(secret):
    guesser = enter_password()
    for _ in range(6):
        guesser.post(CODE_PATH, {"code": "123456"})
    guesser.post(CODE_PATH, {"code": totp_code(secret)})

    owner = enter_password(OTHER_ADDRESS)
    owner.post(CODE_PATH, {"code": totp_code(secret)})

    assert is_signed_in(owner)


def test_lockout_is_recorded_once_and_its_refusals_are_not(secret):
    guesser = enter_password()
    before = AuditEvent.objects.count()

    for _ in range(30):
        guesser.post(CODE_PATH, {"code": "123456"})

    assert AuditEvent.objects.count() == before + 6
    assert recorded_events("auth.lockout") == [
        ("auth.lockout", "denied", ANONYMOUS_LABEL, "operator")
    ]
    assert SignInTry.objects.filter(kind="code").count() == 6


def test_attack_from_many_addresses_is_throttled_except_at_a_familiar_one(secret):
    max_attempts = login_throttle.CODE_LIMIT.rules[1].max_attempts
    for number in range(max_attempts):
        enter_password(f"198.51.100.{number}").post(CODE_PATH, {"code": "123456"})
    before = AuditEvent.objects.filter(action="auth.lockout").count()

    refused = [
        enter_password(f"203.0.113.{number}").post(CODE_PATH, {"code": "123456"})
        for number in (100, 101, 102)
    ]
    owner = enter_password(FAMILIAR_ADDRESS)
    owner.post(CODE_PATH, {"code": totp_code(secret)})

    assert {response.status_code for response in refused} == {429}
    assert AuditEvent.objects.filter(action="auth.lockout").count() == before + 1
    assert is_signed_in(owner)


def test_wrong_codes_at_reauthentication_are_throttled_by_address(secret):
    client = enter_password()
    client.post(CODE_PATH, {"code": totp_code(secret)})

    responses = [client.post("/people/me/confirm/code/", {"code": "x"}) for _ in range(8)]
    owner = enter_password(OTHER_ADDRESS)
    owner.post(CODE_PATH, {"code": totp_code(secret, step=1)})

    assert [response.status_code for response in responses] == [200] * 5 + [429] * 3
    assert len(recorded_events("auth.confirm")) == 5
    assert recorded_events("auth.lockout") == [("auth.lockout", "denied", "operator", "operator")]
    assert is_signed_in(owner)


def test_recovery_codes_count_like_app_codes(secret):
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    guesser = enter_password()
    for _ in range(5):
        guesser.post(CODE_PATH, {"code": "00000000"})

    throttled = guesser.post(CODE_PATH, {"code": codes[0]})
    owner = enter_password(OTHER_ADDRESS)
    owner.post(CODE_PATH, {"code": codes[0]})

    assert throttled.status_code == 429
    assert is_signed_in(owner)


def test_wrong_passkeys_count_like_app_codes(secret):
    guesser = enter_password()

    responses = [guesser.post(CODE_PATH, {"credential": '{"id": "x"}'}) for _ in range(6)]

    assert [response.status_code for response in responses] == [200] * 5 + [429]


def test_empty_code_is_no_attempt(secret):
    client = enter_password()
    for _ in range(10):
        client.post(CODE_PATH, {"code": ""})

    client.post(CODE_PATH, {"code": totp_code(secret)})

    assert is_signed_in(client)
    assert User.objects.count() == 1
