"""The sandbox's rules for parameters and new flows, checked against facts in this file."""

import pytest

from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import (
    EXTERNAL,
    FLOWS,
    FW,
    NEW,
    STUDIO,
    TASK,
    WS,
    WW,
    Clock,
    call,
    create,
    refusal,
)

BASES = {"studio": STUDIO, "external": EXTERNAL, "task": TASK}

# wire name: what is accepted and how it comes back, from a flow of the integration type that takes it
ACCEPTED = [
    ("studio", "FriendlyName", "x" * 256, ("friendly_name",), "x" * 256),
    ("studio", "ChatServiceSid", "IS" + "Ab" * 16, ("chat_service_sid",), "IS" + "Ab" * 16),
    ("studio", "ChannelType", "web", ("channel_type",), "web"),
    ("studio", "ChannelType", "facebook", ("channel_type",), "facebook"),
    ("studio", "ChannelType", "whatsapp", ("channel_type",), "whatsapp"),
    ("studio", "ChannelType", "line", ("channel_type",), "line"),
    ("studio", "ChannelType", "custom", ("channel_type",), "custom"),
    ("studio", "ContactIdentity", "no number at all", ("contact_identity",), "no number at all"),
    ("studio", "Enabled", "true", ("enabled",), True),
    ("studio", "Enabled", "false", ("enabled",), False),
    ("studio", "LongLived", "true", ("long_lived",), True),
    ("studio", "Enabled", "True", ("enabled",), True),
    ("studio", "Enabled", "FALSE", ("enabled",), False),
    ("studio", "JanitorEnabled", "true", ("janitor_enabled",), True),
    ("studio", "JanitorEnabled", "True", ("janitor_enabled",), True),
    ("studio", "LongLived", "TRUE", ("long_lived",), True),
    (
        "studio",
        "Integration.CreationOnMessage",
        "False",
        ("integration", "creation_on_message"),
        False,
    ),
    ("studio", "IntegrationType", "studio", ("integration_type",), "studio"),
    (
        "studio",
        "Integration.FlowSid",
        "FW" + "9f" * 16,
        ("integration", "flow_sid"),
        "FW" + "9f" * 16,
    ),
    ("studio", "Integration.RetryCount", "0", ("integration", "retry_count"), 0),
    ("external", "Integration.RetryCount", "3", ("integration", "retry_count"), 3),
    (
        "studio",
        "Integration.CreationOnMessage",
        "false",
        ("integration", "creation_on_message"),
        False,
    ),
    ("task", "Integration.CreationOnMessage", "true", ("integration", "creation_on_message"), True),
    (
        "external",
        "Integration.Url",
        "http://a.example/?b=c",
        ("integration", "url"),
        "http://a.example/?b=c",
    ),
    (
        "task",
        "Integration.WorkspaceSid",
        "WS" + "9f" * 16,
        ("integration", "workspace_sid"),
        "WS" + "9f" * 16,
    ),
    (
        "task",
        "Integration.WorkflowSid",
        "WW" + "9f" * 16,
        ("integration", "workflow_sid"),
        "WW" + "9f" * 16,
    ),
    ("task", "Integration.Channel", "voice", ("integration", "channel"), "voice"),
    ("task", "Integration.Timeout", "0", ("integration", "timeout"), 0),
    ("task", "Integration.Timeout", "2147483647", ("integration", "timeout"), 2147483647),
    ("task", "Integration.Priority", "7", ("integration", "priority"), 7),
]

REFUSED = [
    ("FriendlyName", "x" * 257),
    ("ChatServiceSid", "FW" + "0a" * 16),
    ("ChatServiceSid", "IS" + "0a" * 15),
    ("ChatServiceSid", "IS" + "0g" * 16),
    ("ChatServiceSid", "IS" + "0a" * 16 + "\n"),
    ("ChannelType", "SMS"),
    ("ContactIdentity", "x" * 257),
    ("Enabled", "yes"),
    ("Enabled", "1"),
    ("LongLived", "yes"),
    ("JanitorEnabled", "0"),
    ("IntegrationType", "flex"),
    ("Integration.FlowSid", "FO" + "0a" * 16),
    ("Integration.Url", "ftp://hooks.example.com/"),
    ("Integration.Url", "hooks.example.com"),
    ("Integration.Url", "https://"),
    ("Integration.Url", "http://[::1"),
    ("Integration.Url", "https://a.example/" + "x" * 2048),
    ("Integration.WorkspaceSid", "WW" + "0a" * 16),
    ("Integration.WorkflowSid", "WS" + "0a" * 16),
    ("Integration.Channel", "x" * 65),
    ("Integration.Timeout", "-1"),
    ("Integration.Timeout", "2147483648"),
    ("Integration.Priority", "1.5"),
    ("Integration.Priority", "-1"),
    ("Integration.CreationOnMessage", "on"),
    ("Integration.RetryCount", "4"),
    ("Integration.RetryCount", "-1"),
    ("Integration.RetryCount", "three"),
    ("Integration.RetryCount", "٣"),
]


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sandbox(clock):
    with Sandbox(clock=clock) as sandbox:
        yield sandbox


def test_all_parameters_are_covered():
    assert {wire for _, wire, *_ in ACCEPTED} == set(FLEX_FLOW.by_wire_name)
    assert {wire for wire, _ in REFUSED} == set(FLEX_FLOW.by_wire_name)


@pytest.mark.parametrize(("kind", "wire", "text", "keys", "value"), ACCEPTED)
def test_create_accepts(sandbox, kind, wire, text, keys, value):
    reply = call(sandbox, "POST", FLOWS, BASES[kind] | {wire: text})

    value = reply.json
    for key in keys:
        value = value[key]
    assert reply.status == 201
    assert value == value
    assert type(value) is type(value)


@pytest.mark.parametrize(("wire", "text"), REFUSED)
def test_create_refuses_and_names_the_parameter(sandbox, wire, text):
    reply = call(sandbox, "POST", FLOWS, STUDIO | {wire: text})

    status, code, message = refusal(reply)
    assert (status, code) == (400, 20001)
    assert message.startswith(f"Invalid parameter {wire}: ")
    assert sandbox.flows == {}


@pytest.mark.parametrize(("wire", "text"), REFUSED)
def test_update_refuses_and_names_the_parameter(sandbox, wire, text):
    flow = create(sandbox)
    before = sandbox.flows

    reply = call(sandbox, "POST", f"{FLOWS}/{flow['sid']}", {wire: text})

    status, code, message = refusal(reply)
    assert (status, code) == (400, 20001)
    assert message.startswith(f"Invalid parameter {wire}: ")
    assert sandbox.flows == before


def test_minimal_create_has_the_defaults(sandbox):
    reply = call(sandbox, "POST", FLOWS, NEW)

    sid = reply.json["sid"]
    assert reply.status == 201
    assert reply.json == {
        "sid": sid,
        "account_sid": "AC5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
        "friendly_name": "Réclamations – Lyon (SMS)",
        "chat_service_sid": "IS0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a",
        "channel_type": "sms",
        "contact_identity": None,
        "enabled": False,
        "integration_type": "studio",
        "integration": {"retry_count": 3},
        "long_lived": False,
        "janitor_enabled": False,
        "date_created": "2026-03-01T12:00:00Z",
        "date_updated": "2026-03-01T12:00:00Z",
        "url": f"{sandbox.url}/FlexFlows/{sid}",
    }
    assert sid[:2] == "FO"
    assert len(sid) == 34


@pytest.mark.parametrize(
    ("parameters", "integration"),
    [
        (STUDIO, {"flow_sid": FW, "retry_count": 3}),
        (EXTERNAL, {"url": "https://hooks.example.com/in", "retry_count": 3}),
        (
            {name: text for name, text in TASK.items() if name != "Integration.Channel"},
            {
                "workspace_sid": WS,
                "workflow_sid": WW,
                "channel": "default",
                "timeout": 86400,
                "priority": 0,
            },
        ),
    ],
)
def test_create_has_the_defaults_and_keys_of_its_type_only(sandbox, parameters, integration):
    stray = {"Integration.RetryCount": "", "LongLived": ""}
    if parameters["IntegrationType"] != "task":
        stray |= {"Integration.Timeout": "60", "Integration.WorkspaceSid": WS}

    reply = call(sandbox, "POST", FLOWS, parameters | stray)

    assert reply.status == 201
    assert reply.json["integration"] == integration
    assert reply.json["long_lived"] is False


@pytest.mark.parametrize("left_out", [{}, {"empty": ""}])
@pytest.mark.parametrize(
    ("kind", "wire"),
    [
        ("studio", "FriendlyName"),
        ("studio", "ChatServiceSid"),
        ("studio", "ChannelType"),
        ("studio", "Integration.FlowSid"),
        ("external", "Integration.Url"),
        ("task", "Integration.WorkspaceSid"),
        ("task", "Integration.WorkflowSid"),
    ],
)
def test_create_without_required_fields_is_refused(sandbox, kind, wire, left_out):
    parameters = {name: text for name, text in BASES[kind].items() if name != wire}
    if left_out:
        parameters[wire] = ""

    reply = call(sandbox, "POST", FLOWS, parameters)

    assert refusal(reply) == (400, 20001, f"Missing required parameter {wire} in the post body")
    assert sandbox.flows == {}


def test_create_ignores_unknown_parameters(sandbox):
    flow = create(sandbox, Colour="red", FlowSid="not a SID")

    assert "colour" not in {key.lower() for key in flow}


def test_create_over_the_limit_is_refused():
    with Sandbox(flow_limit=1) as sandbox:
        create(sandbox)

        reply = call(sandbox, "POST", FLOWS, STUDIO)

        assert (reply.status, reply.json["code"]) == (400, 45002)
        assert len(sandbox.flows) == 1


@pytest.mark.parametrize(("seeded", "limit"), [(0, 2500), (2000, 4000)])
def test_limit_leaves_room_in_a_large_account(seeded, limit):
    sandbox = Sandbox(flows=seeded)

    assert sandbox._store._limit == limit
