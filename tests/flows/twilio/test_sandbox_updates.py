"""The sandbox's rules for updates, collisions and deletions, checked against facts in this file."""

from datetime import timedelta

import pytest

from flows.twilio.sandbox.server import Sandbox
from tests.flows.twilio import (
    FLOWS,
    FO,
    FW,
    IS,
    STUDIO,
    TASK,
    WS,
    WW,
    Clock,
    call,
    create,
    refusal,
)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def sandbox(clock):
    with Sandbox(clock=clock) as sandbox:
        yield sandbox


def test_update_changes_only_its_fields(sandbox, clock):
    flow = create(sandbox, ContactIdentity="+14155550100")
    clock.now += timedelta(seconds=90)

    reply = call(
        sandbox, "POST", f"{FLOWS}/{flow['sid']}", {"FriendlyName": "São Paulo", "Colour": "red"}
    )

    assert reply.status == 200
    assert reply.json == flow | {
        "friendly_name": "São Paulo",
        "date_updated": "2026-03-01T12:01:30Z",
    }
    assert call(sandbox, "GET", f"{FLOWS}/{flow['sid']}").json == reply.json


@pytest.mark.parametrize("body", [None, "", "Colour=red"])
def test_update_without_known_fields_changes_nothing(sandbox, clock, body):
    flow = create(sandbox)
    clock.now += timedelta(days=1)

    reply = call(sandbox, "POST", f"{FLOWS}/{flow['sid']}", body=body)

    assert (reply.status, reply.json) == (200, flow)
    assert sandbox.requests[-1].applied is False


@pytest.mark.parametrize(
    ("wire", "key"),
    [("ContactIdentity", "contact_identity"), ("Enabled", "enabled"), ("LongLived", "long_lived")],
)
def test_update_with_an_empty_value_unsets(sandbox, wire, key):
    flow = create(sandbox, ContactIdentity="+14155550100", Enabled="true", LongLived="true")

    reply = call(sandbox, "POST", f"{FLOWS}/{flow['sid']}", {wire: ""})

    assert (reply.status, reply.json[key]) == (200, None)


def test_update_that_empties_the_integration_type_drops_the_integration(sandbox):
    flow = create(sandbox)

    reply = call(sandbox, "POST", f"{FLOWS}/{flow['sid']}", {"IntegrationType": ""})

    assert (reply.json["integration_type"], reply.json["integration"]) == (None, {})


def test_update_that_empties_an_integration_field_keeps_its_key(sandbox):
    flow = create(sandbox)

    reply = call(sandbox, "POST", f"{FLOWS}/{flow['sid']}", {"Integration.RetryCount": ""})

    assert reply.json["integration"] == {"flow_sid": FW, "retry_count": None}


@pytest.mark.parametrize(
    "wire", ["FriendlyName", "ChatServiceSid", "ChannelType", "Integration.FlowSid"]
)
def test_update_cannot_empty_required_fields(sandbox, wire):
    flow = create(sandbox)

    reply = call(sandbox, "POST", f"{FLOWS}/{flow['sid']}", {wire: ""})

    assert refusal(reply) == (400, 20001, f"Missing required parameter {wire} in the post body")


def test_update_that_empties_a_required_field_with_a_default_falls_back(sandbox):
    sid = call(sandbox, "POST", FLOWS, TASK).json["sid"]

    reply = call(sandbox, "POST", f"{FLOWS}/{sid}", {"Integration.Channel": ""})

    assert reply.json["integration"]["channel"] == "default"


def test_update_of_the_type_drops_the_old_fields_and_keeps_the_shared(sandbox):
    parameters = {"Integration.RetryCount": "1", "Integration.CreationOnMessage": "true"}
    flow = create(sandbox, **parameters)
    url = "https://hooks.example.com/in"

    reply = call(
        sandbox,
        "POST",
        f"{FLOWS}/{flow['sid']}",
        {"IntegrationType": "external", "Integration.Url": url, "Integration.FlowSid": FW},
    )

    assert reply.status == 200
    assert reply.json["integration"] == {"url": url, "retry_count": 1, "creation_on_message": True}


def test_update_of_the_type_fills_in_the_new_types_defaults(sandbox):
    flow = create(sandbox)

    reply = call(
        sandbox,
        "POST",
        f"{FLOWS}/{flow['sid']}",
        {"IntegrationType": "task", "Integration.WorkspaceSid": WS, "Integration.WorkflowSid": WW},
    )

    assert reply.json["integration"] == {
        "workspace_sid": WS,
        "workflow_sid": WW,
        "channel": "default",
        "timeout": 86400,
        "priority": 0,
    }


@pytest.mark.parametrize(
    ("parameters", "missing"),
    [
        ({"IntegrationType": "external"}, "Integration.Url"),
        ({"IntegrationType": "task", "Integration.WorkflowSid": WW}, "Integration.WorkspaceSid"),
        ({"IntegrationType": "task", "Integration.WorkspaceSid": WS}, "Integration.WorkflowSid"),
    ],
)
def test_update_of_the_type_without_required_fields_is_refused(sandbox, parameters, missing):
    flow = create(sandbox)
    before = sandbox.flows

    reply = call(sandbox, "POST", f"{FLOWS}/{flow['sid']}", parameters)

    assert refusal(reply) == (400, 20001, f"Missing required parameter {missing} in the post body")
    assert sandbox.flows == before


def test_update_of_a_flawed_flow_requires_no_missing_fields(sandbox):
    sid = sandbox.add_flow(integration_flow_sid=None)

    reply = call(
        sandbox, "POST", f"{FLOWS}/{sid}", {"IntegrationType": "studio", "LongLived": "true"}
    )

    assert (reply.status, reply.json["long_lived"]) == (200, True)


ENABLED = {"Enabled": "true", "ContactIdentity": "+14155550100"}


def test_create_of_a_second_enabled_flow_is_refused(sandbox):
    create(sandbox, **ENABLED)

    reply = call(sandbox, "POST", FLOWS, STUDIO | ENABLED)

    assert (reply.status, reply.json["code"]) == (400, 45210)
    assert len(sandbox.flows) == 1


@pytest.mark.parametrize(
    "different",
    [
        {"Enabled": "false"},
        {"ContactIdentity": "+14155550101"},
        {"ChannelType": "whatsapp"},
    ],
)
def test_create_that_does_not_collide_is_accepted(sandbox, different):
    create(sandbox, **ENABLED)

    reply = call(sandbox, "POST", FLOWS, STUDIO | ENABLED | different)

    assert reply.status == 201


def test_create_of_a_second_web_flow_without_identity_is_accepted(sandbox):
    parameters = STUDIO | {"ChannelType": "web", "Enabled": "true"}
    call(sandbox, "POST", FLOWS, parameters)

    reply = call(sandbox, "POST", FLOWS, parameters)

    assert reply.status == 201


@pytest.mark.parametrize(
    ("own", "change"),
    [
        ({"Enabled": "false"}, {"Enabled": "true"}),
        ({"ContactIdentity": "+14155550101"}, {"ContactIdentity": "+14155550100"}),
        ({"ChannelType": "whatsapp"}, {"ChannelType": "sms"}),
    ],
)
def test_update_to_a_second_enabled_flow_is_refused(sandbox, own, change):
    create(sandbox, **ENABLED)
    second = create(sandbox, **(ENABLED | own))
    before = sandbox.flows

    reply = call(sandbox, "POST", f"{FLOWS}/{second['sid']}", change)

    assert (reply.status, reply.json["code"]) == (400, 45212)
    assert sandbox.flows == before


def test_update_of_an_enabled_flow_does_not_collide_with_itself(sandbox):
    flow = create(sandbox, **ENABLED)

    reply = call(sandbox, "POST", f"{FLOWS}/{flow['sid']}", {"Enabled": "false"})
    second_reply = call(sandbox, "POST", f"{FLOWS}/{flow['sid']}", {"Enabled": "true"})

    assert (reply.status, second_reply.status) == (200, 200)


def test_update_of_other_fields_succeeds_despite_a_collision(sandbox):
    place = {"channel_type": "sms", "contact_identity": "+14155550100", "enabled": True}
    sandbox.add_flow(**place)
    sid = sandbox.add_flow(**place)

    reply = call(sandbox, "POST", f"{FLOWS}/{sid}", {"FriendlyName": "Another"})

    assert (reply.status, reply.json["friendly_name"]) == (200, "Another")


def test_delete_has_an_empty_response(sandbox):
    flow = create(sandbox)
    path = f"{FLOWS}/{flow['sid']}"

    reply = call(sandbox, "DELETE", path)

    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["Content-Length"] is None
    assert sandbox.flows == {}
    assert call(sandbox, "GET", path).status == 404


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_unknown_sid_is_not_found(sandbox, method):
    reply = call(sandbox, method, f"{FLOWS}/{FO}")

    assert reply.status == 404
    assert reply.json == {
        "code": 20404,
        "message": f"The requested resource /FlexFlows/{FO} was not found",
        "more_info": "https://www.twilio.com/docs/errors/20404",
        "status": 404,
    }
    assert IS not in reply.headers.values()
