"""A flow as code. The sandbox receives the snippets where that is possible."""

import json
import shlex

import pytest

from flows.flex_flows.snippets import build_snippets
from flows.redaction.masking import redact
from flows.twilio.flex.flex_flow import FLEX_FLOW

FLOW = {
    "sid": "FO" + "1" * 32,
    "friendly_name": 'L\'été ${HOME} $(id) "x"',
    "channel_type": "sms",
    "contact_identity": "+33199000123",
    "chat_service_sid": "IS" + "1" * 32,
    "enabled": False,
    "integration_type": "external",
    "integration_url": "https://u:canary@h.example/?a=1&b=2",
    "integration_retry_count": 0,
    "long_lived": None,
    "date_created": "2026-01-01T00:00:00Z",
}


@pytest.fixture
def of():
    snippets_by_title = {
        snippet.title: snippet
        for snippet in build_snippets(
            FLEX_FLOW, redact(FLOW), api_url="https://flex-api.twilio.com/v1"
        )
    }
    return snippets_by_title.__getitem__


def test_no_secret_is_in_any(of):
    for title in ("JSON", "curl", "twilio-cli", "Terraform", "Terraform (RJPearson94/twilio)"):
        assert "canary" not in of(title).text
        assert "masked-" not in of(title).text


def test_json_has_the_fields_that_can_be_written(of):
    assert json.loads(of("JSON").text) == {
        "friendly_name": FLOW["friendly_name"],
        "chat_service_sid": FLOW["chat_service_sid"],
        "channel_type": "sms",
        "contact_identity": "+33199000123",
        "enabled": False,
        "integration_type": "external",
        "integration_url": "${INTEGRATION_URL}",
        "integration_retry_count": 0,
    }


def test_curl_says_each_parameter_as_the_api_has_it(of):
    words = shlex.split(of("curl").text.replace("\\\n", " "))

    assert words[:4] == ["curl", "--request", "POST", "https://flex-api.twilio.com/v1/FlexFlows"]
    parameters = [
        words[place + 1] for place, word in enumerate(words) if word == "--data-urlencode"
    ]
    assert f"FriendlyName={FLOW['friendly_name']}" in parameters
    assert "Integration.Url=$INTEGRATION_URL" in parameters
    assert {"Enabled=false", "Integration.RetryCount=0"} <= set(parameters)
    assert '"Integration.Url=$INTEGRATION_URL"' in of("curl").text
    assert "'FriendlyName=L'" in of("curl").text  # single quotes: the shell does nothing with $(id)
    assert of("curl").variables == ["TWILIO_API_KEY", "TWILIO_API_SECRET", "INTEGRATION_URL"]


def test_twilio_cli_has_flags(of):
    words = shlex.split(of("twilio-cli").text.replace("\\\n", " "))

    assert words[:2] == ["twilio", "api:flex:v1:flex-flows:create"]
    assert "--no-enabled" in words
    words.remove("--no-enabled")
    flags = dict(zip(words[2::2], words[3::2], strict=True))
    assert flags["--friendly-name"] == FLOW["friendly_name"]
    assert flags["--integration.retry-count"] == "0"
    assert flags["--integration.url"] == "$INTEGRATION_URL"


def test_terraform_expands_nothing_that_is_text(of):
    text = of("Terraform").text

    assert text.startswith('resource "twilio_flex_flex_flows_v1" "l_t_home_id_x" {')
    assert '= "L\'été $${HOME} $(id) \\"x\\""' in text
    assert "= var.integration_url" in text
    assert "= false" in text


def test_flow_without_values_is_still_code():
    for snippet in build_snippets(FLEX_FLOW, {"sid": "FO"}, api_url="https://x"):
        assert snippet.text


@pytest.mark.django_db
def test_page_shows_all_five(client_of, flow_sid):
    page = client_of("viewer").get(f"/flows/{flow_sid}/code/")

    assert [snippet.title for snippet in page.context["snippets"]] == [
        "JSON",
        "curl",
        "twilio-cli",
        "Terraform",
        "Terraform (RJPearson94/twilio)",
    ]
    assert "curl --request POST" in page.content.decode()
    assert "U+000A" not in page.content.decode()
    assert client_of("viewer").get(f"/flows/FO{'0' * 32}/code/").status_code == 404
