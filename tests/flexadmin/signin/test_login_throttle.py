"""Throttling of failed sign-ins by username, address and both."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from flexadmin.models import SignInTry
from flexadmin.signin import login_throttle
from flexadmin.signin.auth_events import ANONYMOUS_LABEL, UNKNOWN_USER_LABEL
from tests.flexadmin.signing_in import (
    is_signed_in,
    recorded_events,
    sign_in,
)
from tests.markup import squeezed

pytestmark = pytest.mark.django_db
ADDRESS, OTHER_ADDRESS = "192.0.2.7", "198.51.100.9"


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
