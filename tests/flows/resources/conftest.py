"""A Flex API with flows and what belongs to them, and the helpers that fill in the forms."""

import functools
import json
import uuid
from pathlib import Path

import pytest

from flows.accounts import clients
from flows.mirror.sync import sync_account
from flows.resources import flex_status
from flows.twilio.flex_resources import PAGE_RESOURCES
from flows.twilio.sandbox.named_bodies import make_sid
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT

FACTS = json.loads(
    (Path(__file__).parents[2] / "data" / "flex_resource_facts.json").read_text(encoding="utf-8")
)
CONFIGURATION_SID = make_sid("FJ", "Callbacks 2 (pilot)")
RESOURCES = {
    resource.name: resource for resource in PAGE_RESOURCES if resource.name != "configured_plugin"
}
# The objects that have the collections of resources below a parent.
PARENTS = {
    "plugin_version": make_sid("FP", "plugin-callbacks"),
    "interaction_channel": make_sid("KD", "Order 4711"),
}
# An accepted value of each field as a form has it.
VALUES = {
    "identity": "ana",
    "chat_user_friendly_name": "Ana Silva",
    "customer_friendly_name": "Ana Silva",
    "chat_friendly_name": "Chat with Ana",
    "target": "+14155550100",
    "chat_unique_name": "chat-ana-1",
    "pre_engagement_data": '{"question": "Where is my parcel?"}',
    "task_sid": "WT" + "1" * 32,
    "task_attributes": '{"language": "pt"}',
    "long_lived": "false",
    "chat_status": "inactive",
    "post_engagement_data": '{"stars": 5}',
    "name": "Quick check",
    "description": "For new agents",
    "ui_language": "fr-FR",
    "unique_name": "plugin-quick-check",
    "friendly_name": "Quick check",
    "channel": '{"type": "sms", "initiated_by": "agent"}',
    "routing": '{"status": "closed"}',
    "interaction_context_sid": "HQ" + "1" * 32,
    "webhook_ttid": "flex_interactionwebhook_1",
    "status": "closed",
    "version": "3.0.0",
    "plugin_url": "https://plugins.example.com/quick-check.js",
    "changelog": "All of it",
    "private": "true",
    "cli_version": "7.1.0",
    "validate_status": "passed",
    "plugins": json.dumps(
        [{"plugin_version": make_sid("FV", "plugin-callbacks 2.0.0"), "phase": 3}]
    ),
    "active": "false",
    "questions": "GE" + "1" * 32 + "\nGE" + "2" * 32,
    "type": "sms",
    "address": "+14155550188",
    "address_country": "US",
    "auto_creation_enabled": "true",
    "auto_creation_type": "webhook",
    "auto_creation_conversation_service_sid": "IS" + "1" * 32,
    "auto_creation_webhook_url": "https://hooks.example.com/conversations",
    "auto_creation_webhook_method": "get",
    "auto_creation_webhook_filters": "onMessageAdded\nonConversationRemoved",
}


@pytest.fixture
def sandbox(settings, monkeypatch):
    """A Flex API with 60 flows, their conversations and some questionnaires."""
    monkeypatch.setattr(
        clients,
        "ResourceClient",
        functools.partial(clients.ResourceClient, sleep=lambda _seconds: None),
    )
    settings.FLEX_RATE_LIMITS = False
    flex_status.STATUSES.clear()
    with Sandbox(flows=60) as server:
        settings.FLEX_API_URL, settings.TWILIO_API_URL = server.url, server.api_url
        yield server
        clients.close_clients()


@pytest.fixture
def flow_on(sandbox, db):
    """SID of a flow that is on, at Twilio and in the mirror."""
    sync_account(ACCOUNT)
    return next(sid for sid, flow in sandbox.flows.items() if flow["enabled"])


@pytest.fixture
def make(sandbox, flow_on):
    """Function that creates an object at Twilio, as if elsewhere, and returns its SID."""

    def create(name):
        if "create" not in FACTS[name]["calls"]:
            return next(iter(sandbox.store_of(RESOURCES[name], PARENTS[name]).snapshot()))
        client = clients.resource_client(RESOURCES[name], ACCOUNT)
        required = [FACTS[name]["create"][wire] for wire in FACTS[name]["required"]]
        values = form_values(name, "create", flow_on)
        required_values = {one: values[one] for one in required}
        created = client.create(required_values, parent_sid=PARENTS.get(name, ""))
        return created.snapshot["sid"]

    return create


def place_of(name):
    """Return the argument that the addresses of a resource below a parent have."""
    return {"parent_sid": PARENTS[name]} if name in PARENTS else {}


def path_of(name):
    """Return the path of a resource's collection at the sandbox, which has products by name."""
    product = FACTS[name].get("product", "")
    root = f"/{product}" if product else ""
    return root + FACTS[name]["path"].format(parent=PARENTS.get(name))


def form_values(name, operation, flow_sid):
    """Return an accepted value for each field of an operation, but those of other variants."""
    names = [one for one in FACTS[name][operation].values() if not is_of_other_variant(name, one)]
    values = {**VALUES, "flex_flow_sid": flow_sid, "configuration_sid": CONFIGURATION_SID}
    return {one: values[one] for one in names}


def is_of_other_variant(name, field):
    """Return True if objects with these values don't have the field."""
    variant = FACTS[name].get("takes", {}).get(field)
    return variant is not None and variant != VALUES["auto_creation_type"]


def common(**values):
    """Return the data that each form of a change has."""
    return {"change_id": str(uuid.uuid4()), "reason": "as agreed", **values}


def sent(sandbox):
    """Return the requests that change something, with the parameters."""
    return [
        (request.method, request.path, request.parameters)
        for request in sandbox.requests
        if request.method != "GET"
    ]
