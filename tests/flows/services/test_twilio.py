"""The client of the account that the settings name."""

import pytest

from flows.flexapi.errors import Refused
from flows.services import twilio


def test_client_follows_the_settings(settings):
    settings.FLEX_API_URL, settings.FLEX_RATE_LIMITS = "https://flex.example/v1", True

    client = twilio.flex_client(deadline=3.5)

    assert (client.base_url, client.deadline) == ("https://flex.example/v1", 3.5)
    assert client.account_sid == settings.TWILIO_ACCOUNT_SID
    assert client._rate_limits is True


def test_client_has_a_writes_deadline_of_itself():
    assert twilio.flex_client().deadline == twilio.WRITE_DEADLINE


def test_api_key_is_preferred_to_the_auth_token(sandbox, settings):
    settings.TWILIO_AUTH_TOKEN, settings.TWILIO_API_SECRET = "sandbox-auth-token", "wrong"

    with pytest.raises(Refused) as raised:
        list(twilio.flex_client().list())

    assert raised.value.status == 401


def test_api_key_signs_in(sandbox):
    sandbox.add_flow()

    assert len(list(twilio.flex_client().list())) == 1


def test_auth_token_signs_in_where_there_is_no_key(sandbox, settings):
    settings.TWILIO_API_KEY = settings.TWILIO_API_SECRET = ""
    settings.TWILIO_AUTH_TOKEN = "sandbox-auth-token"
    sandbox.add_flow()

    assert len(list(twilio.flex_client().list())) == 1
