"""Flows as Terraform code, read by a parser of HCL."""

import hcl2
import pytest

from flows.flex_flows.snippets import build_snippets
from flows.flex_flows.terraform import as_rjpearson94_terraform, as_twilio_terraform
from flows.redaction.masking import redact
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT

STUDIO_FLOW = {
    "sid": "FO" + "1" * 32,
    "account_sid": ACCOUNT,
    "friendly_name": 'L\'été ${HOME} "x"\b\\b',
    "channel_type": "sms",
    "contact_identity": "+33199000123",
    "chat_service_sid": "IS" + "1" * 32,
    "enabled": "false",
    "integration_type": "studio",
    "integration_flow_sid": "FW" + "1" * 32,
    "integration_retry_count": 0,
    "integration_timeout": 60,  # of another integration type
    "long_lived": None,
}
SECRET_FLOW = STUDIO_FLOW | {
    "sid": "FO" + "2" * 32,
    "integration_type": "external",
    "integration_url": "https://u:canary@h.example/?a=1",
}
FLOWS = [redact(STUDIO_FLOW), redact(SECRET_FLOW)]


def parse(text):
    """Return the blocks by kind. Strings keep their quotes."""
    blocks = hcl2.loads(text)
    return blocks["import"], [
        (kind, name, body)
        for resource in blocks["resource"]
        for kind, named in resource.items()
        for name, body in named.items()
    ]


def test_twilio_imports_each_flow_with_its_fields():
    imports, resources = parse(as_twilio_terraform(FLOWS))

    assert [(each["to"], each["id"]) for each in imports] == [
        ("${twilio_flex_flex_flows_v1.l_t_home_x_b}", f'"{STUDIO_FLOW["sid"]}"'),
        ("${twilio_flex_flex_flows_v1.l_t_home_x_b_2}", f'"{SECRET_FLOW["sid"]}"'),
    ]
    (kind, name, body), second = resources
    assert (kind, name) == ('"twilio_flex_flex_flows_v1"', '"l_t_home_x_b"')
    assert {key: value for key, value in body.items() if key != "__is_block__"} == {
        "friendly_name": '"L\'été $${HOME} \\"x\\"\\u0008\\\\b"',
        "chat_service_sid": f'"{STUDIO_FLOW["chat_service_sid"]}"',
        "channel_type": '"sms"',
        "contact_identity": '"+33199000123"',
        "enabled": False,
        "integration_type": '"studio"',
        "integration_flow_sid": f'"{STUDIO_FLOW["integration_flow_sid"]}"',
        "integration_retry_count": 0,
    }
    assert second[2]["integration_url"] == "${var.l_t_home_x_b_2_integration_url}"


def test_rjpearson94_has_a_block_for_the_integration_and_another_form_of_ids():
    imports, resources = parse(as_rjpearson94_terraform(FLOWS))

    assert imports[0]["to"] == "${twilio_flex_flow.l_t_home_x_b}"
    assert imports[0]["id"] == f'"/FlexFlows/{STUDIO_FLOW["sid"]}"'
    _, _, body = resources[0]
    (block,) = body["integration"]
    assert body["integration_type"] == '"studio"'
    assert block["flow_sid"] == f'"{STUDIO_FLOW["integration_flow_sid"]}"'
    assert block["retry_count"] == 0
    assert "timeout" not in block


@pytest.mark.parametrize("write", [as_twilio_terraform, as_rjpearson94_terraform])
def test_secret_is_a_sensitive_variable(write):
    text = write(FLOWS)

    (variable,) = hcl2.loads(text)["variable"]
    assert variable['"l_t_home_x_b_2_integration_url"']["sensitive"] is True
    assert "canary" not in text
    assert "masked-" not in text


def test_names_are_unique_whatever_the_flows_are_called():
    names = ["a", "A", "a 2", "", "7", "é"]
    flows = [{**STUDIO_FLOW, "friendly_name": name} for name in names]

    _, resources = parse(as_twilio_terraform(flows))

    assert [name for _, name, _ in resources] == [
        '"a"', '"a_3"', '"a_2"', '"flow"', '"flow_7"', '"flow_2"',
    ]  # fmt: skip


def test_flows_of_several_accounts_come_with_a_note():
    other = STUDIO_FLOW | {"account_sid": "AC" + "9" * 32}

    assert "The flows are in 2 accounts" in as_twilio_terraform([STUDIO_FLOW, other])
    assert "accounts" not in as_twilio_terraform([STUDIO_FLOW])


def test_snippet_of_the_other_provider_is_code_too():
    snippets = build_snippets(FLEX_FLOW, FLOWS[1], api_url="https://x")
    snippet = snippets[-1]

    ((resource,),) = [hcl2.loads(snippet.text)["resource"]]
    body = resource['"twilio_flex_flow"']['"l_t_home_x_b"']
    assert snippet.title == "Terraform (RJPearson94/twilio)"
    assert snippet.variables == ["integration_url"]
    assert body["integration"][0]["url"] == "${var.integration_url}"
