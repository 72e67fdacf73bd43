"""The named resources against facts from Twilio's reference, written down separately."""

import json

import pytest

from flows.twilio.description import READ_OPERATIONS
from flows.twilio.labels import display_value
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.named_resources import NAMED_RESOURCES
from flows.twilio.registry import KNOWN_FIELDS
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from tests.data import HERE

FACTS = json.loads((HERE / "named_resource_facts.json").read_text(encoding="utf-8"))
AC, WS = "AC" + "1" * 32, "WS" + "2" * 32
every_resource = pytest.mark.parametrize("resource", NAMED_RESOURCES, ids=lambda one: one.name)


def test_resources_are_those_of_the_facts():
    assert FACTS.keys() == {resource.name for resource in NAMED_RESOURCES}


@every_resource
def test_resource_is_as_the_reference_describes_it(resource):
    fact = FACTS[resource.name]
    parent_sid = WS if resource.parent else ""
    path = resource.collection_path(account_sid=AC, parent_sid=parent_sid)
    root = resource.base_url("https://{product}.twilio.com")

    address = f"{root}/{path}{resource.api_style.suffix}"

    assert address == fact["list"].format(AC=AC, WS=WS)
    assert resource.list_key == fact["key"]
    assert resource.max_page_size == fact["largest_page"]
    assert resource.sid_prefix == fact["sid"]
    assert dict(resource.list_parameters) == fact.get("query", {})
    assert [field.name for field in resource.fields] == fact["fields"]


@every_resource
def test_resource_can_only_be_read(resource):
    assert resource.operations == READ_OPERATIONS
    assert resource.writable_fields == ()


@every_resource
def test_field_has_a_label_and_a_help_text(resource):
    assert all(field.label and field.help for field in resource.fields)
    assert resource.name_field in resource.by_name


def test_labels_of_a_flows_fields_stay():
    assert KNOWN_FIELDS["sid"].label == "Flex Flow SID"
    assert KNOWN_FIELDS["account_sid"].help == "The Twilio account that owns this flow."


@pytest.mark.parametrize(
    ("resource", "status", "label"),
    [
        (STUDIO_FLOW, "draft", "Draft"),
        (STUDIO_FLOW, "Published", "Published"),
        (WHATSAPP_SENDER, "ONLINE:UPDATING", "Online, being updated"),
        (WHATSAPP_SENDER, "SUSPENDED", "SUSPENDED"),
    ],
)
def test_status_has_a_label_unless_it_is_new(resource, status, label):
    assert display_value(resource, "status", status) == label
