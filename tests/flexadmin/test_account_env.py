"""Accounts in the environment: one with the plain variables, or several with their own."""

from unittest import mock

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from flexadmin import settings
from flexadmin.account_env import parse_allowed_networks, read_accounts
from flexadmin.env import Env
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.flex.plugin import PLUGIN
from flows.twilio.flex.questionnaire import QUESTIONNAIRE

ONE, TWO, KEY = "AC" + "1" * 32, "AC" + "2" * 32, "SK" + "3" * 32
SOLE = {"TWILIO_ACCOUNT_SID": ONE, "TWILIO_AUTH_TOKEN": "token"}
BOTH = {
    "TWILIO_ACCOUNTS": "production, eu-test",
    "TWILIO_ACCOUNT_SID__PRODUCTION": ONE,
    "TWILIO_API_KEY__PRODUCTION": KEY,
    "TWILIO_API_SECRET__PRODUCTION": "secret",
    "TWILIO_ACCOUNT_SID__EU_TEST": TWO,
    "TWILIO_AUTH_TOKEN__EU_TEST": "token",
}


def read(**environment):
    with mock.patch.dict("os.environ", environment, clear=True):
        return read_accounts(environ.Env(), settings.required)


def test_single_account_has_no_name_and_no_colour():
    (account,) = read(**SOLE)

    assert (account.sid, account.auth, account.name, account.colour, account.is_production) == (
        ONE, (ONE, "token"), "", "", False,
    )  # fmt: skip


def test_api_key_is_preferred_to_the_auth_token():
    (account,) = read(**SOLE, TWILIO_API_KEY=KEY, TWILIO_API_SECRET="secret")

    assert account.auth == (KEY, "secret")


def test_each_of_several_has_its_own_credentials_and_colour():
    first, second = read(**BOTH)

    assert [(one.name, one.sid, one.auth) for one in (first, second)] == [
        ("production", ONE, (KEY, "secret")),
        ("eu-test", TWO, (TWO, "token")),
    ]
    assert (first.is_production, first.colour, second.is_production) == (True, "red", False)
    assert second.colour not in ("", "red")


def test_any_account_can_be_marked_as_production():
    _, second = read(**BOTH, TWILIO_PRODUCTION__EU_TEST="true", TWILIO_COLOUR__EU_TEST="violet")

    assert (second.is_production, second.colour) == (True, "violet")


def test_account_can_have_its_own_api_url():
    first, second = read(**BOTH, FLEX_API_URL__EU_TEST="http://127.0.0.1:9/v1/")

    assert (first.api_url, second.api_url) == ("", "http://127.0.0.1:9/v1")


def test_account_can_have_its_own_address_of_the_other_apis():
    first, second = read(**BOTH, TWILIO_API_URL__EU_TEST="http://127.0.0.1:9/{product}/")

    assert (first.twilio_api_url, second.twilio_api_url) == ("", "http://127.0.0.1:9/{product}")


def test_headers_of_some_resources_come_from_their_variables():
    (without,) = read(**SOLE)
    (account,) = read(**SOLE, TWILIO_INSIGHTS_AUTHORIZATION="Bearer 7", TWILIO_FLEX_METADATA="m 1")

    assert without.headers == {}
    assert account.headers_of(QUESTIONNAIRE) == {"Authorization": "Bearer 7"}
    assert account.headers_of(PLUGIN) == {"Flex-Metadata": "m 1"}
    assert account.headers_of(FLEX_FLOW) == {}


@pytest.mark.parametrize("ending", ["", "__EU_TEST"])
def test_header_that_proves_the_sender_is_kept_out_of_the_log(monkeypatch, ending):
    monkeypatch.setenv(f"TWILIO_INSIGHTS_AUTHORIZATION{ending}", "Bearer of-the-log")
    own_env = Env()

    own_env.str(f"TWILIO_INSIGHTS_AUTHORIZATION{ending}")

    assert "Bearer of-the-log" in own_env.secrets()


def test_each_account_has_its_own_headers():
    first, second = read(**BOTH, TWILIO_FLEX_METADATA__EU_TEST="of the second")

    assert (first.headers, second.headers) == ({}, {"Flex-Metadata": "of the second"})


def test_secrets_are_not_in_the_repr():
    accounts = read(**BOTH, TWILIO_INSIGHTS_AUTHORIZATION__EU_TEST="a secret token")

    assert "secret" not in repr(accounts)
    assert "token" not in repr(accounts)


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({}, "TWILIO_ACCOUNT_SID is not set"),
        ({**SOLE, "TWILIO_ACCOUNT_SID": "AC"}, "TWILIO_ACCOUNT_SID is not an account"),
        ({**SOLE, "TWILIO_API_KEY": KEY}, "go together"),
        ({"TWILIO_ACCOUNT_SID": ONE}, "No Twilio credentials"),
        ({**BOTH, "TWILIO_ACCOUNT_SID__EU_TEST": ""}, "TWILIO_ACCOUNT_SID__EU_TEST is not set"),
        ({**BOTH, "TWILIO_AUTH_TOKEN__EU_TEST": ""}, "TWILIO_API_KEY__EU_TEST"),
        ({**BOTH, "TWILIO_ACCOUNT_SID__EU_TEST": ONE}, "the same sid"),
        ({**BOTH, "TWILIO_ACCOUNTS": "production, Production"}, "the same name"),
        ({**BOTH, "TWILIO_ACCOUNTS": "pro duction"}, "not an account's name"),
        ({**BOTH, "TWILIO_COLOUR__EU_TEST": "#f00"}, "TWILIO_COLOUR__EU_TEST"),
        ({**BOTH, "TWILIO_API_URL__EU_TEST": "https://twilio.com"}, "TWILIO_API_URL__EU_TEST"),
        ({**SOLE, "TWILIO_FLEX_METADATA": "two\nlines"}, "TWILIO_FLEX_METADATA can't be sent"),
        ({**SOLE, "TWILIO_INSIGHTS_AUTHORIZATION": " x"}, "white space at an end"),
    ],
)
def test_invalid_variable_stops_the_start_with_its_name(environment, said):
    with pytest.raises(ImproperlyConfigured, match=said):
        read(**environment)


def test_auth_token_signs_tests_also_with_an_api_key():
    (with_key,) = read(**SOLE, TWILIO_API_KEY=KEY, TWILIO_API_SECRET="secret")
    first, second = read(**BOTH)

    assert with_key.auth_token == "token"
    assert (first.auth_token, second.auth_token) == ("", "token")
    assert "token'" not in repr(with_key)


def test_networks_that_may_be_reached():
    networks = parse_allowed_networks("SOME_NETWORKS", ["10.1.0.0/16", " ::1"])

    assert list(map(str, networks)) == ["10.1.0.0/16", "::1/128"]
    assert parse_allowed_networks("SOME_NETWORKS", []) == ()


def test_invalid_network_stops_the_start_with_its_name():
    with pytest.raises(ImproperlyConfigured, match=r"SOME_NETWORKS.*intranet"):
        parse_allowed_networks("SOME_NETWORKS", ["intranet"])
