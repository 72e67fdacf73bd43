"""The request that would create an address: what Twilio would get, and curl with the same values."""

import shlex

import pytest

from flows.migration.address_values import address_values
from flows.migration.requests import build_request
from flows.redaction.redacted import redact_fields
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from tests.data import EXAMPLES
from tests.flows.checks.complete_flows import flow

API = "https://conversations.twilio.com/v1"


def request_of(*arguments, **fields):
    return build_request(redact_fields(flow(*arguments, **fields)), api_url=API)


def values_of(request):
    return {each.name: each.value for each in request.parameters}


def curl_values(request):
    """Return the form that a shell would give to curl, with the variables as they are."""
    arguments = shlex.split(request.curl.replace("\\\n", " "))
    options = [arguments[i + 1] for i, each in enumerate(arguments) if each == "--data-urlencode"]
    return [tuple(option.split("=", 1)) for option in options]


def test_studio_flow_becomes_an_address_that_is_off():
    request = request_of("studio", "sms", friendly_name="Rock 'n' roll $HOME")

    assert (request.method, request.url) == ("POST", f"{API}/Configuration/Addresses")
    assert values_of(request) == {
        "Type": "sms",
        "Address": "+14155550123",
        "FriendlyName": "Rock 'n' roll $HOME",
        "AutoCreation.Enabled": "false",
        "AutoCreation.ConversationServiceSid": EXAMPLES["chat_service_sid"],
        "AutoCreation.Type": "studio",
        "AutoCreation.StudioFlowSid": EXAMPLES["integration_flow_sid"],
        "AutoCreation.StudioRetryCount": "1",
    }
    assert request.variables == ["TWILIO_API_KEY", "TWILIO_API_SECRET"]
    assert curl_values(request) == [(each.name, each.value) for each in request.parameters]


@pytest.mark.parametrize("channel", ["sms", "whatsapp", "facebook"])
@pytest.mark.parametrize("kind", ["studio", "external"])
def test_parameters_are_those_that_the_client_sends(kind, channel):
    snapshot = flow(kind, channel)

    sent = ADDRESS_CONFIGURATION.to_parameters(address_values(snapshot))

    assert values_of(build_request(snapshot, api_url=API)) == {
        name: value if isinstance(value, str) else value[0] for name, value in sent.items()
    }


def test_secret_of_a_webhook_is_masked_and_curl_has_a_variable():
    url = "https://hooks.example.com/in?token=s3cr3t-t0ken-98765"

    request = request_of("external", "sms", integration_url=url)

    assert "s3cr3t" not in values_of(request)["AutoCreation.WebhookUrl"]
    assert "s3cr3t" not in request.curl
    assert '"AutoCreation.WebhookUrl=$AUTO_CREATION_WEBHOOK_URL"' in request.curl
    assert request.variables[-1] == "AUTO_CREATION_WEBHOOK_URL"


def test_address_of_a_web_chat_is_a_deployment_key_that_no_one_knows_yet():
    request = request_of("studio", "web")

    assert '"Address=$DEPLOYMENT_KEY"' in request.curl
    assert "DEPLOYMENT_KEY" in request.variables


@pytest.mark.parametrize(("kind", "channel"), [("task", "sms"), ("studio", "line")])
def test_flow_that_no_address_can_replace_has_no_request(kind, channel):
    assert request_of(kind, channel) is None
