"""The payload of a test: the fields that Twilio posts, with made-up values of the right shape."""

import json
import re
import uuid
from datetime import UTC, datetime

import pytest
from twilio.request_validator import RequestValidator

from flows.webhook_tests.payload import as_form, build_payload
from flows.webhook_tests.signature import sign
from tests import ACCOUNT

TEST_ID = uuid.UUID("7f3a0000-0000-4000-8000-00000000002c")
# The one example that Twilio's documentation gives, written down apart from the product.
DOCUMENTED = [
    "EventType",
    "InstanceSid",
    "Attributes",
    "DateCreated",
    "Index",
    "From",
    "MessageSid",
    "AccountSid",
    "Source",
    "ChannelSid",
    "RetryCount",
    "WebhookType",
    "Body",
    "WebhookSid",
]
SIDS = {"InstanceSid": "IS", "MessageSid": "IM", "AccountSid": "AC", "ChannelSid": "CH", "WebhookSid": "WH"}  # fmt: skip


@pytest.fixture
def form():
    at = datetime(2026, 11, 26, 8, 5, 4, 30_999, tzinfo=UTC)
    return as_form(
        build_payload(
            account_sid=ACCOUNT,
            chat_service_sid="IS" + "7" * 32,
            text="Hello",
            at=at,
            test_id=TEST_ID,
        )
    )


def test_payload_has_the_documented_fields(form):
    assert list(form) == DOCUMENTED
    assert form["EventType"] == "onMessageSent"
    assert (form["Body"], form["RetryCount"], form["WebhookType"]) == ("Hello", "0", "webhook")


@pytest.mark.parametrize(("name", "prefix"), SIDS.items())
def test_sids_have_the_right_shape(form, name, prefix):
    assert re.fullmatch(f"{prefix}[0-9a-f]{{32}}", form[name])


def test_account_and_chat_service_are_the_flows_own_and_the_message_is_of_this_test(form):
    assert form["AccountSid"] == ACCOUNT
    assert form["InstanceSid"] == "IS" + "7" * 32
    assert form["MessageSid"] == "IM" + TEST_ID.hex


def test_date_is_written_as_twilio_writes_it(form):
    assert form["DateCreated"] == "2026-11-26T08:05:04.030Z"


def test_attributes_are_json_that_marks_a_test(form):
    assert json.loads(form["Attributes"]) == {"proxied": True, "test": True}


def test_flow_without_a_chat_service_still_has_a_sid_of_the_right_shape():
    payload = build_payload(
        account_sid=ACCOUNT,
        chat_service_sid="",
        text="x",
        at=datetime(2026, 1, 1, tzinfo=UTC),
        test_id=TEST_ID,
    )

    assert as_form(payload)["InstanceSid"] == "IS" + "0" * 32


@pytest.mark.parametrize(
    "fields",
    [{}, {"b": "2", "a": "1"}, {"Body": "Grüße & mehr", "Empty": ""}, {"B": "1", "a": "2"}],
)
def test_signature_is_that_of_twilios_validator(fields):
    url = "https://hooks.example.com/in?x=1"

    assert sign(url, fields, "token") == RequestValidator("token").compute_signature(url, fields)
