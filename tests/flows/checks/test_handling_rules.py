"""Rules about what else answers a flow's messages: each with a flow that breaks it, and siblings."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from flows.checks.account_rules import AccountState, check_account
from flows.names.handling import ChatServices, NumberHandling, SenderHandling, Surroundings
from flows.names.lookup import Name
from tests.data import EXAMPLES
from tests.flows.checks.complete_flows import flow

NUMBER, DIGITS = "+14155550123", "14155550123"
READ_AT = datetime(2026, 11, 20, tzinfo=UTC)
NUMBER_NEEDS = ("phone_number", "messaging_service", "service_number")
SENDER_NEEDS = ("whatsapp_sender", "messaging_service", "service_sender")
OWN, OTHER = EXAMPLES["chat_service_sid"], "IS" + "9" * 32
PROXIED = NumberHandling(
    NUMBER, "PN1", can_receive_sms=True, sms_url_host="webhooks.twilio.com", is_proxy=True,
    read_at=READ_AT,
)  # fmt: skip
SENDER = SenderHandling(
    f"whatsapp:{NUMBER}", "XE1", "ONLINE", webhook_host="webhooks.twilio.com", is_proxy=True,
    read_at=READ_AT,
)  # fmt: skip
IN_SERVICE = {
    "messaging_service_sid": "MG1",
    "service_inbound_host": "bots.example",
    "service_uses_number_webhook": False,
    "service_read_at": READ_AT,
}
LATER = "2026-11-21T00:00:00Z"


def find(surroundings=None, *, snapshot=None, complete=NUMBER_NEEDS, left_hosts=(), names=None):
    """Return what the rules of this file find, as pairs of a rule's id and a sentence."""
    state = AccountState(
        {"FO1": {"enabled": True, **(snapshot or flow("studio", "sms", contact_identity=NUMBER))}},
        names or {},
        complete=complete,
        surroundings=surroundings or Surroundings(),
        left_hosts=left_hosts,
    )
    others = ("number-not-owned", "whatsapp-sender-missing")
    return [
        (rule.rule_id, text) for _, rule, text in check_account(state) if rule.rule_id not in others
    ]


def find_for(number, **options):
    return find(Surroundings(numbers={DIGITS: number}), **options)


def find_for_sender(sender, **fields):
    snapshot = flow("studio", "whatsapp", contact_identity=f"whatsapp:{NUMBER}", **fields)
    return find(Surroundings(senders={DIGITS: sender}), snapshot=snapshot, complete=SENDER_NEEDS)


def test_number_that_nothing_hands_to_the_flow():
    blank = replace(PROXIED, sms_url_host="", is_proxy=False)

    assert find_for(blank) == [
        (
            "number-not-with-flex-proxy",
            f"Nothing hands messages to {NUMBER} to this flow: the number has no webhook.",
        )
    ]


@pytest.mark.parametrize(
    "number",
    [
        PROXIED,
        replace(PROXIED, sms_url_host="", is_proxy=False, can_receive_sms=False),
        replace(PROXIED, sms_url_host="", is_proxy=False, read_at=None),
        replace(PROXIED, sms_url_host="", is_proxy=False, **IN_SERVICE, service_is_proxy=True),
        replace(PROXIED, **(IN_SERVICE | {"service_uses_number_webhook": True})),
        replace(PROXIED, **(IN_SERVICE | {"service_inbound_host": ""})),
    ],
    ids=[
        "Flex Proxy", "takes no SMS", "handling not read", "its service is with Flex Proxy",
        "service defers to the number", "service without a webhook",
    ],
)  # fmt: skip
def test_number_that_is_as_it_should_be(number):
    assert find_for(number) == []


@pytest.mark.parametrize(
    "snapshot",
    [
        flow("studio", "sms", contact_identity=NUMBER, enabled=False),
        flow("studio", "sms", contact_identity="+14155550199"),
        flow("studio", "sms", contact_identity="12345"),
        flow("studio", "web"),
        flow("studio", "sms", contact_identity=NUMBER, date_updated=LATER),
    ],
    ids=["off", "another number", "short code", "web", "changed since the reading"],
)
def test_flow_that_the_number_does_not_concern(snapshot):
    blank = replace(PROXIED, sms_url_host="hooks.example", is_proxy=False)

    assert find_for(blank, snapshot=snapshot) == []
    assert len(find_for(blank)) == 1


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            {"sms_url_host": "hooks.example", "is_proxy": False},
            (
                f"Messages to {NUMBER} go to the number's own webhook at hooks.example, "
                "and not to Flex Proxy."
            ),
        ),
        (
            {"application_sid": "AP" + "1" * 32},
            (
                f"Messages to {NUMBER} go to the messaging application AP1111…1111, "
                "and not to Flex Proxy."
            ),
        ),
        (
            IN_SERVICE,
            (
                f"Messages to {NUMBER} can also be answered by the Messaging Service's webhook at "
                "bots.example."
            ),
        ),
        (
            {"sms_url_host": "hooks.example", "is_proxy": False, **IN_SERVICE},
            (
                f"Messages to {NUMBER} go to the number's own webhook at hooks.example and the "
                "Messaging Service's webhook at bots.example, and not to Flex Proxy."
            ),
        ),
    ],
    ids=["own webhook", "application", "service", "two others"],
)
def test_number_that_something_else_answers(change, sentence):
    assert find_for(replace(PROXIED, **change)) == [("number-handled-twice", sentence)]


def test_service_that_was_read_before_the_flow_changed_is_not_judged():
    number = replace(PROXIED, **IN_SERVICE, read_at=datetime(2026, 11, 22, tzinfo=UTC))
    snapshot = flow("studio", "sms", contact_identity=NUMBER, date_updated=LATER)

    assert find_for(number, snapshot=snapshot) == []
    blank = replace(number, sms_url_host="", is_proxy=False)
    assert find_for(blank, snapshot=snapshot) == []


@pytest.mark.parametrize("missing", NUMBER_NEEDS)
def test_unread_resources_are_not_judged(missing):
    complete = [each for each in NUMBER_NEEDS if each != missing]
    blank = replace(PROXIED, sms_url_host="", is_proxy=False)
    own_webhook = replace(PROXIED, sms_url_host="hooks.example", is_proxy=False)

    assert find_for(blank, complete=complete) == []
    assert find_for(replace(PROXIED, **IN_SERVICE), complete=complete) == []
    # What the number says itself needs no service.
    assert len(find_for(own_webhook, complete=complete)) == (missing != "phone_number")


def test_sender_with_another_webhook():
    own_webhook = replace(SENDER, webhook_host="hooks.example", is_proxy=False)

    assert find_for_sender(own_webhook) == [
        (
            "number-handled-twice",
            (
                f"Messages to whatsapp:{NUMBER} can also be answered by the sender's own webhook at "
                "hooks.example."
            ),
        )
    ]
    assert find_for_sender(own_webhook, enabled=False) == []
    assert find_for_sender(own_webhook, date_updated=LATER) == []


def test_service_of_a_sender_answers_even_if_it_defers():
    defers = replace(SENDER, **(IN_SERVICE | {"service_uses_number_webhook": True}))

    assert [rule_id for rule_id, _ in find_for_sender(defers)] == ["number-handled-twice"]


@pytest.mark.parametrize(
    "sender",
    [
        SENDER,
        replace(SENDER, webhook_host="", is_proxy=False),
        replace(SENDER, **IN_SERVICE, service_is_proxy=True),
        replace(SENDER, webhook_host="hooks.example", is_proxy=False, read_at=None),
    ],
    ids=["Flex Proxy", "no webhook", "service with Flex Proxy", "not read"],
)
def test_sender_that_is_as_it_should_be(sender):
    assert find_for_sender(sender) == []


def find_service(services, complete=("configuration", "conversation_configuration"), **options):
    snapshot = flow("studio", "web", chat_service_sid=OWN)
    surroundings = Surroundings(chat_services=services)
    return find(surroundings, snapshot=snapshot, complete=complete, **options)


def test_chat_service_of_another_product():
    names = {OWN: Name(OWN, "conversation_service", "Bots", "", "", is_gone=False)}

    assert find_service(ChatServices(OTHER, OTHER), names=names) == [
        ("chat-service-not-of-flex", "The flow uses the chat service “Bots”, which is not that of Flex.")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "services",
    [ChatServices(OWN, OTHER), ChatServices(OTHER, OWN), ChatServices(OWN, ""), ChatServices()],
    ids=["of Flex", "the default", "only one read", "none read"],
)
def test_chat_service_that_may_be_used(services):
    assert find_service(services) == []


@pytest.mark.parametrize("complete", [("configuration",), ("conversation_configuration",)])
def test_chat_service_is_not_judged_by_half(complete):
    assert find_service(ChatServices(OTHER, ""), complete) == []


def test_host_that_others_left():
    hosts = {"old.example"}
    at_host = flow("external", "web", integration_url="https://bot:x@old.example/in?a=b")

    assert find(snapshot=at_host, left_hosts=hosts) == [
        ("webhook-host-left", "Other flows that used old.example have moved to another host.")
    ]
    moved = flow("external", "web", integration_url="https://new.example/in")
    unused = flow("studio", "web", integration_url="https://old.example/in")
    assert find(snapshot=moved, left_hosts=hosts) == []
    assert find(snapshot=unused, left_hosts=hosts) == []
    assert find(snapshot=at_host) == []
