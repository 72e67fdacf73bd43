"""What pages say about the readings of an account's names."""

import pytest

from flows.names.models import NameReading
from flows.names.readings import describe_failures

FORBIDDEN = {"status": 403, "code": 20003, "error": "Twilio refused with status 403, code 20003"}


def failure(resource, **fields):
    return NameReading(resource=resource, **fields)


def test_resources_with_the_same_cause_share_a_sentence():
    failures = [failure(name, **FORBIDDEN) for name in ("phone_number", "studio_flow", "workflow")]

    (sentence,) = describe_failures(failures)
    assert sentence == (
        "This account's API key may not read Studio Flows, Workflows and phone numbers "
        "(status 403, code 20003)."
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"status": 404, "code": 20404, "error": "Twilio refused with status 404, code 20404"},
            "Couldn't read WhatsApp senders: Twilio answered with status 404, code 20404.",
        ),
        (
            {"status": 403, "code": None, "error": "Twilio refused with status 403"},
            "This account's API key may not read WhatsApp senders (status 403).",
        ),
        (
            {"error": "couldn't connect to Twilio"},
            "Couldn't read WhatsApp senders: couldn't connect to Twilio.",
        ),
    ],
)
def test_sentence_names_the_cause(fields, sentence):
    assert describe_failures([failure("whatsapp_sender", **fields)]) == [sentence]


def test_nothing_is_said_without_a_failure():
    assert describe_failures([]) == []
