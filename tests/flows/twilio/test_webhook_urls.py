"""Problems of webhook URLs and their messages: on the form, on import and in the sandbox."""

import json
import uuid

import pytest

from flows.flex_flows.forms import FlowForm
from flows.plans.import_entries import check_items
from flows.plans.import_text import parse_items
from flows.twilio.webhook_urls import find_url_problem
from tests.flows.twilio import EXTERNAL, FLOWS, call

FAULTS = {
    "https://h.example/a b": "contains a space. Write %20 for a space, or remove it.",
    "https://h.example/a\tb": "contains a tab. Write %20 for a space, or remove it.",
    "https://h.example/a\nb": "contains a line break. Write %20 for a space, or remove it.",
    "https://h.example/a\u00a0b": "contains a no-break space. Write %20 for a space, or remove it.",
    "https://h.example/a\u2003b": "contains white space (U+2003). Write %20 for a space, or remove it.",
    "https://h\u200b.example/": "contains an invisible character (U+200B). Remove it.",
    "https://h.example/\x7fx": "contains a control character (U+007F). Remove it.",
    "h.example/in": "must start with https:// or http://.",
    "h.example:8443/in": "must start with https:// or http://.",
    "//h.example/in": "must start with https:// or http://.",
    "localhost": "must start with https:// or http://.",
    "ftp://h.example/": "starts with ftp:. Twilio only calls https:// and http:// URLs.",
    "javascript:alert(1)": "starts with javascript:. Twilio only calls https:// and http:// URLs.",
    "https:h.example": "must have two slashes after https:",
    "https:/h.example/in": "must have two slashes after https:",
    "https:\\\\h.example\\in": "contains a backslash. Use / or write %5C.",
    "https://": "has no host, such as hooks.example.com.",
    "https:///path": "has no host, such as hooks.example.com.",
    "https://?q": "has no host, such as hooks.example.com.",
    "https://u:p@/in": "has no host, such as hooks.example.com.",
    "https://[::1/": "has a host in brackets that is not an IPv6 address.",
    "https://h<b>.example/": "has an invalid host: h<b>.example.",
    "https://h.example:99999/": "has an invalid port. Use a number from 1 to 65535.",
    "https://h.example:x/": "has an invalid port. Use a number from 1 to 65535.",
    "https://h.example:0/": "has an invalid port. Use a number from 1 to 65535.",
    "https://u:p@ss@h.example/": "has two @ before the host. Write %40 for an @ in a username or password.",
}
GOOD = [
    "https://hooks.example.com", "http://127.0.0.1:8000/in", "HTTPS://HOOKS.EXAMPLE.COM/A?b=c#d", "https://[::1]:8443/", "https://localhost/x",
    "https://user:pass@hooks.example.com/?token=abc", "https://bücher.example/pfad", "https://h.example/?q=a%20b+c&e=@",
]  # fmt: skip
VALID = {
    "change_id": str(uuid.uuid4()), "friendly_name": "Lyon", "channel_type": "sms", "chat_service_sid": "IS" + "1" * 32,
    "integration_type": "external", "integration_retry_count": "2",
}  # fmt: skip


@pytest.mark.parametrize(("address", "sentence"), FAULTS.items(), ids=ascii)
def test_each_problem_has_its_message(address, sentence):
    form = FlowForm(VALID | {"integration_url": address})

    assert find_url_problem(address).sentence == sentence
    assert form.errors["integration_url"] == [f"Webhook URL {sentence}"]
    assert form["integration_url"].value() == address


@pytest.mark.parametrize("address", GOOD)
def test_valid_url_has_no_problem(address):
    assert find_url_problem(address) is None
    assert FlowForm(VALID | {"integration_url": address}).is_valid()


@pytest.mark.parametrize(
    "address", ["https://h.example/a b", "ftp://h.example/", "https://h.example:0/"]
)
def test_import_says_the_same(address):
    entry = {name: value for name, value in VALID.items() if name != "change_id"} | {
        "integration_url": address
    }

    (checked,) = check_items(parse_items(json.dumps([entry])), {})

    assert checked.error == f"Webhook URL {FAULTS[address]}"


def test_length_has_its_own_message():
    form = FlowForm(VALID | {"integration_url": "https://h.example/" + "a" * 2031})

    assert form.errors["integration_url"] == ["Webhook URL can have at most 2048 characters."]


@pytest.mark.parametrize(
    "address", ["ftp://h.example/", "h.example/in", "https://", "https:h.example"]
)
def test_sandbox_refuses_invalid_webhooks_with_the_same_message(sandbox, address):
    reply = call(sandbox, "POST", FLOWS, EXTERNAL | {"Integration.Url": address})

    assert reply.status == 400
    assert reply.json["message"].endswith(f"is not an http or https address: it {FAULTS[address]}")


@pytest.mark.parametrize(
    "address",
    [
        "https://h.example/a b?label=Sales desk",
        "https://flex bot:pw@h.example/in",
        "https://h.example\\in",
    ],
)
def test_sandbox_accepts_webhooks_that_twilio_may_accept(sandbox, address):
    reply = call(sandbox, "POST", FLOWS, EXTERNAL | {"Integration.Url": address})

    assert reply.status == 201
    assert reply.json["integration"]["url"] == address
