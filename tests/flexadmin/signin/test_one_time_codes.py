"""Codes and challenges of second factors work once, and are counted by user and address."""

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

HERE, ELSEWHERE, THIRD = "192.0.2.7", "198.51.100.9", "203.0.113.5"
CODE = "/login/second-factor/"


@pytest.fixture
def secret(db, person):
    """The secret of the operator's authenticator app."""
    person()
    client = Client()
    sign_in(client, REMOTE_ADDR=THIRD)
    made = set_up_app(client)
    client.post("/logout/")
    return made


@pytest.fixture
def clock(monkeypatch):
    """Moves the time that codes go by: clock(seconds)."""
    real, ahead = totp.time.time, [0]
    monkeypatch.setattr(totp.time, "time", lambda: real() + ahead[0])

    def forward(seconds):
        ahead[0] += seconds

    return forward


def after_password(address=HERE):
    client = Client(REMOTE_ADDR=address)
    sign_in(client)
    return client


def last_message():
    return AuditEvent.objects.select_related("payload").latest("seq").payload.message


def test_code_works_once_as_long_as_it_would_be_accepted(secret, clock):
    code = totp_code(secret, step=1)
    first = after_password()
    first.post(CODE, {"code": code})
    assert is_signed_in(first)

    for _ in range(
        3
    ):  # 0, 29 and 58 seconds later, in the last of which allauth alone has forgotten it
        again = after_password()
        answer = again.post(CODE, {"code": code})
        assert "This code was already used." in answer.content.decode()
        assert not is_signed_in(again)
        clock(29)

    assert last_message() == "code already used"


def test_code_outlives_no_emptied_cache(secret):
    code = totp_code(secret)
    after_password().post(CODE, {"code": code})
    cache.clear()

    again = after_password()
    again.post(CODE, {"code": code})

    assert not is_signed_in(again)


def test_code_that_signed_in_confirms_nothing_and_the_other_way_round(secret):
    client = after_password()
    client.post(CODE, {"code": totp_code(secret)})

    same = client.post("/people/me/confirm/code/", {"code": totp_code(secret)})
    client.post("/people/me/confirm/code/", {"code": totp_code(secret, step=1)})
    again = after_password()
    again.post(CODE, {"code": totp_code(secret, step=1)})

    assert "This code was already used." in same.content.decode()
    assert recorded_events("auth.confirm")[-1][:2] == ("auth.confirm", "denied")
    assert not is_signed_in(again)


def test_code_that_set_the_app_up_signs_nobody_in(db, person):
    person()
    client = Client()
    sign_in(client)
    secret = reauthenticate(client, "/people/me/app/add/").context["form"].secret
    client.post("/people/me/app/add/", {"code": totp_code(secret)})

    again = after_password()
    again.post(CODE, {"code": totp_code(secret)})

    assert not is_signed_in(again)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_code_that_comes_twice_at_once_works_once(secret, kind):
    authenticator = Authenticator.objects.get(type=kind)
    code = totp_code(secret) if kind == "totp" else authenticator.wrap().get_unused_codes()[0]
    verdicts, start = [], threading.Barrier(4)

    def use():
        start.wait()
        try:
            verdicts.append(one_time_codes.use_code(Authenticator.objects.get(type=kind), code))
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert verdicts.count(CodeStatus.RIGHT) == 1
    assert len(verdicts) == 4


@pytest.mark.django_db
def test_challenge_is_used_up_by_any_answer_and_works_once():
    state = {"challenge": "Y2hhbGxlbmdl", "user_verification": None}

    assert one_time_codes.use_challenge(state)
    assert not one_time_codes.use_challenge(state)
    assert not one_time_codes.use_challenge(None)


def test_wrong_answer_to_a_challenge_uses_it_up(secret, monkeypatch):
    client = after_password()
    session = client.session
    session[webauthn.STATE_SESSION_KEY] = {"challenge": "Y2hhbGxlbmdl", "user_verification": None}
    session.save()
    asked = []
    monkeypatch.setattr(webauthn, "complete_authentication", lambda *said: asked.append(said))
    credential = '{"id": "AA", "rawId": "AA", "type": "public-key", "response": {}}'

    client.post(CODE, {"credential": credential})
    session = client.session
    session[webauthn.STATE_SESSION_KEY] = {"challenge": "Y2hhbGxlbmdl", "user_verification": None}
    session.save()
    client.post(CODE, {"credential": credential})

    assert not asked
    assert not one_time_codes.use_challenge({"challenge": "Y2hhbGxlbmdl"})


# Counting


def test_owner_gets_in_from_elsewhere_while_somebody_guesses(secret):
    guesser = after_password()
    for _ in range(5):
        guesser.post(CODE, {"code": "123456"})
    held_back = guesser.post(CODE, {"code": totp_code(secret)})

    owner = after_password(ELSEWHERE)
    owner.post(CODE, {"code": totp_code(secret)})

    assert held_back.status_code == 429
    assert "Too many failed attempts" in held_back.content.decode()
    assert is_signed_in(owner)


def test_right_code_that_the_limit_refused_is_not_used_up(secret):
    guesser = after_password()
    for _ in range(6):
        guesser.post(CODE, {"code": "123456"})
    guesser.post(CODE, {"code": totp_code(secret)})

    owner = after_password(ELSEWHERE)
    owner.post(CODE, {"code": totp_code(secret)})

    assert is_signed_in(owner)


def test_lockout_is_recorded_once_and_what_it_refuses_is_not(secret):
    guesser = after_password()
    before = AuditEvent.objects.count()

    for _ in range(30):
        guesser.post(CODE, {"code": "123456"})

    assert AuditEvent.objects.count() == before + 6
    assert recorded_events("auth.lockout") == [
        ("auth.lockout", "denied", ANONYMOUS_LABEL, "operator")
    ]
    assert SignInTry.objects.filter(kind="code").count() == 6


def test_user_is_guessed_from_many_addresses_so_often_and_gets_in_where_they_did_before(secret):
    most = login_throttle.CODE_LIMIT.rules[1].max_attempts
    for number in range(most):
        after_password(f"198.51.100.{number}").post(CODE, {"code": "123456"})
    before = AuditEvent.objects.filter(action="auth.lockout").count()

    refused = [
        after_password(f"203.0.113.{number}").post(CODE, {"code": "123456"})
        for number in (100, 101, 102)
    ]
    owner = after_password(THIRD)
    owner.post(CODE, {"code": totp_code(secret)})

    assert {answer.status_code for answer in refused} == {429}
    assert AuditEvent.objects.filter(action="auth.lockout").count() == before + 1
    assert is_signed_in(owner)


def test_wrong_codes_of_a_confirmation_are_held_back_and_keep_nobody_out_elsewhere(secret):
    client = after_password()
    client.post(CODE, {"code": totp_code(secret)})

    answers = [client.post("/people/me/confirm/code/", {"code": "x"}) for _ in range(8)]
    owner = after_password(ELSEWHERE)
    owner.post(CODE, {"code": totp_code(secret, step=1)})

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 3
    assert len(recorded_events("auth.confirm")) == 5
    assert recorded_events("auth.lockout") == [("auth.lockout", "denied", "operator", "operator")]
    assert is_signed_in(owner)


def test_recovery_codes_count_as_codes_do(secret):
    codes = Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes()
    guesser = after_password()
    for _ in range(5):
        guesser.post(CODE, {"code": "00000000"})

    held_back = guesser.post(CODE, {"code": codes[0]})
    owner = after_password(ELSEWHERE)
    owner.post(CODE, {"code": codes[0]})

    assert held_back.status_code == 429
    assert is_signed_in(owner)


def test_wrong_passkeys_count_as_codes_do(secret):
    guesser = after_password()

    answers = [guesser.post(CODE, {"credential": '{"id": "x"}'}) for _ in range(6)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429]


def test_empty_code_is_no_attempt(secret):
    client = after_password()
    for _ in range(10):
        client.post(CODE, {"code": ""})

    client.post(CODE, {"code": totp_code(secret)})

    assert is_signed_in(client)
    assert User.objects.count() == 1
