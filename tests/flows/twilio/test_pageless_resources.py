"""The resources of a number's SMS settings and of its membership: where they are and what they send."""

import pytest

from flows.audit.action_registry import REGISTRY
from flows.twilio import flex_resources, pageless_resources
from flows.twilio.api.phone_number_settings import PHONE_NUMBER_SETTINGS
from flows.twilio.client import ResourceClient
from flows.twilio.messaging.service_membership import SERVICE_MEMBERSHIP
from flows.twilio.registry import resource_of_action
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.flows.changes.number_changes import SERVICE_SID, free_number, number_of_service

NUMBER_SID, APPLICATION_SID = "PN" + "1" * 32, "AP" + "1" * 32


@pytest.fixture
def sandbox():
    with Sandbox(flows=120) as started_sandbox:
        yield started_sandbox


def client_for(sandbox, resource):
    return ResourceClient(
        resource,
        base_url=resource.base_url(sandbox.api_url),
        account_sid=sandbox.account_sid,
        auth=(sandbox.api_key, sandbox.api_secret),
        rate_limits=False,
    )


def test_settings_of_a_number_have_twilios_names():
    values = {"sms_url": "", "sms_method": "GET", "sms_application_sid": APPLICATION_SID}

    assert PHONE_NUMBER_SETTINGS.to_parameters(values) == {
        "SmsUrl": "",
        "SmsMethod": "GET",
        "SmsApplicationSid": APPLICATION_SID,
    }
    assert set(PHONE_NUMBER_SETTINGS.writable_names) == values.keys()


def test_membership_is_created_with_the_sid_of_its_number():
    assert SERVICE_MEMBERSHIP.to_parameters({"sid": NUMBER_SID}) == {"PhoneNumberSid": NUMBER_SID}
    assert SERVICE_MEMBERSHIP.writable_names == ("sid",)
    assert SERVICE_MEMBERSHIP.requested_sid({"sid": NUMBER_SID}) == NUMBER_SID
    assert PHONE_NUMBER_SETTINGS.requested_sid({"sid": NUMBER_SID}) == ""


def test_paths_are_twilios():
    assert PHONE_NUMBER_SETTINGS.collection_path(account_sid=ACCOUNT) == (
        f"Accounts/{ACCOUNT}/IncomingPhoneNumbers"
    )
    assert SERVICE_MEMBERSHIP.collection_path(account_sid=ACCOUNT, parent_sid=SERVICE_SID) == (
        f"Services/{SERVICE_SID}/PhoneNumbers"
    )


def test_client_sends_a_form_and_keeps_the_described_fields_only(sandbox):
    sid, client = free_number(sandbox), client_for(sandbox, PHONE_NUMBER_SETTINGS)

    response = client.update(sid, {"sms_url": "https://hooks.example.com/in"})

    request = sandbox.requests[-1]
    assert (request.method, request.status) == ("POST", 200)
    assert request.path == (
        f"/api/2010-04-01/Accounts/{sandbox.account_sid}/IncomingPhoneNumbers/{sid}.json"
    )
    assert request.parameters == {"SmsUrl": "https://hooks.example.com/in"}
    assert response.snapshot.keys() == PHONE_NUMBER_SETTINGS.by_name.keys()
    assert client.fetch(sid) == response.snapshot


def test_client_removes_and_adds_a_member(sandbox):
    sid, client = number_of_service(sandbox), client_for(sandbox, SERVICE_MEMBERSHIP)

    client.delete(sid, parent_sid=SERVICE_SID)
    response = client.create({"sid": sid}, parent_sid=SERVICE_SID)

    assert [(one.method, one.status) for one in sandbox.requests] == [
        ("DELETE", 204),
        ("POST", 201),
    ]
    assert sandbox.requests[-1].parameters == {"PhoneNumberSid": sid}
    assert response.snapshot.keys() == SERVICE_MEMBERSHIP.by_name.keys()
    assert [one["sid"] for one in client.list(parent_sid=SERVICE_SID)].count(sid) == 1


@pytest.mark.parametrize("resource", pageless_resources.PAGELESS_RESOURCES)
def test_resource_without_pages_is_known_to_the_log_only(resource):
    actions = [
        resource.action(one) for one in resource.operations if resource.action(one) in REGISTRY
    ]

    assert actions
    assert all(resource_of_action(action) is resource for action in actions)
    assert resource not in flex_resources.PAGE_RESOURCES
    assert resource.permission_owner == "flow"
