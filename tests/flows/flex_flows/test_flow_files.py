"""Flows as a file for `apply`, and the formats of the list's export."""

import pytest
import yaml

from flows.audit.models import AuditEvent
from flows.desired_state.flow_file import read_flow_file
from flows.flex_flows.flow_files import as_yaml
from flows.mirror.sync import sync_account
from flows.redaction.masking import redact
from tests import ACCOUNT
from tests.flows.flex_flows.test_terraform import SECRET_FLOW, STUDIO_FLOW


def test_file_has_the_fields_that_the_flow_uses():
    text = as_yaml([redact(STUDIO_FLOW)])

    assert yaml.safe_load(text) == {
        "account": ACCOUNT,
        "flows": [
            {
                "sid": STUDIO_FLOW["sid"],
                "friendly_name": STUDIO_FLOW["friendly_name"],
                "chat_service_sid": STUDIO_FLOW["chat_service_sid"],
                "channel_type": "sms",
                "contact_identity": "+33199000123",
                "enabled": False,
                "integration_type": "studio",
                "integration_flow_sid": STUDIO_FLOW["integration_flow_sid"],
                "integration_retry_count": 0,
            }
        ],
    }


def test_secret_is_not_in_the_file_and_a_comment_says_so():
    text = as_yaml([redact(SECRET_FLOW)])

    assert "integration_url" not in yaml.safe_load(text)["flows"][0]
    assert f"# Not in the file: integration_url of {SECRET_FLOW['sid']} has a secret.\n" in text
    assert "canary" not in text
    assert "masked-" not in text


def test_value_that_is_unreadable_is_not_in_the_file():
    text = as_yaml([{**STUDIO_FLOW, "integration_retry_count": "many", "enabled": "maybe"}])

    assert (
        yaml.safe_load(text)["flows"][0].keys().isdisjoint({"integration_retry_count", "enabled"})
    )
    assert "# Not in the file: enabled of" in text


def test_accounts_are_named_by_each_flow_if_there_are_several():
    other = STUDIO_FLOW | {"account_sid": "AC" + "9" * 32}
    document = yaml.safe_load(as_yaml([STUDIO_FLOW, other]))

    assert "account" not in document
    assert [flow["account_sid"] for flow in document["flows"]] == [ACCOUNT, "AC" + "9" * 32]


@pytest.mark.parametrize(
    "name",
    ["no", "0800", "1_0", "1:30", "a: b", "- a", "# a", "'", '"', "é😀", "<<", " a ", "a\nb"],
)
def test_text_comes_back_from_the_file_as_it_was(name):
    text = as_yaml([{**STUDIO_FLOW, "friendly_name": name}])

    (entry,) = read_flow_file(text).entries
    assert entry.fields["friendly_name"] == name


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("file_format", "extension", "word"),
    [
        ("yaml", "yaml", "\nflows:\n"),
        ("terraform", "tf", "twilio_flex_flex_flows_v1"),
        ("terraform-rjpearson94", "tf", '"twilio_flex_flow"'),
    ],
)
def test_selected_flows_are_exported_and_logged(
    sandbox, client_of, flow_sid, file_format, extension, word
):
    sandbox.add_flow(friendly_name="Other")
    sync_account(ACCOUNT)

    response = client_of("viewer").post(
        "/flows/copy-out/", {"sid": [flow_sid], "format": file_format}
    )

    text = response.content.decode()
    assert response["Content-Disposition"].endswith(f'.{extension}"')
    assert (word in text, flow_sid in text, "Other" in text) == (True, True, False)
    event = AuditEvent.objects.get(action="flow.export")
    assert event.payload.requested == {"format": file_format, "flows": 1}


@pytest.mark.django_db
def test_unknown_format_exports_nothing(client_of, flow_sid):
    response = client_of("viewer").post(
        "/flows/copy-out/", {"sid": [flow_sid], "format": "exe"}, follow=True
    )

    assert "“exe” is not a format. Choose one in the list." in response.content.decode()
