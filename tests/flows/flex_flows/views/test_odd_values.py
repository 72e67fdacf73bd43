"""Flows that no reference describes: values in another encoding, unknown types, deeply nested JSON.

Each is read where it can be, and otherwise shown as unreadable.
"""

import html
import json
import re
import uuid

import pytest

from flows.audit.models import AuditEvent, OpenDrift
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.plans import drafts
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT
from tests.conftest import form_data

pytestmark = pytest.mark.django_db
FW = "FW" + "1" * 32
TEXTS = {
    "enabled": ("true", "false"), "long_lived": ("False", "True"), "janitor_enabled": ("0", "1"),
    "integration_creation_on_message": ("yes", "no"),
}  # fmt: skip


def text_of(page):
    """Return the text of the page."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page.content.decode())))


def synced_flow(sandbox, **fields):
    sid = sandbox.add_flow(channel_type="sms")
    sandbox.edit_flow(sid, **fields)
    sync_account(ACCOUNT)
    return sid


# Booleans


@pytest.mark.parametrize(
    ("raw_value", "word", "takes"),
    [
        (True, "On", "Receiving messages"), ("true", "On", "Receiving messages"), ("True", "On", "Receiving messages"), (1, "On", "Receiving messages"),
        (False, "Off", "Not receiving messages"), ("false", "Off", "Not receiving messages"), (0, "Off", "Not receiving messages"),
        (None, "Not set", "Twilio doesn't say"), ("maybe", "Unclear", "Unclear whether"), (2, "Unclear", "Unclear whether"),
        (["true"], "Unclear", "Unclear whether"), ({"on": True}, "Unclear", "Unclear whether"),
    ],
    ids=str,
)  # fmt: skip
def test_whether_a_flow_is_on(sandbox, client_of, raw_value, word, takes):
    sid = synced_flow(sandbox, enabled=raw_value)
    client = client_of("operator")

    page, listed = client.get(f"/flows/{sid}/"), client.get("/flows/")

    assert takes in text_of(page)
    assert f">{word}</span>" in page.content.decode()
    assert f">{word}</span>" in listed.content.decode()
    on = client.get("/flows/?enabled=true").context["results"].rows
    assert [row.sid for row in on] == ([sid] if word == "On" else [])
    delete = text_of(client_of("admin").get(f"/flows/{sid}/delete/"))
    assert ("The flow is off and not receiving messages" in delete) == (word == "Off")
    assert ("The flow is on" in delete) == (word == "On")


@pytest.mark.parametrize(("name", "texts"), TEXTS.items(), ids=TEXTS)
def test_boolean_as_text_is_no_change(sandbox, name, texts):
    for text in texts:
        normalized = FLEX_FLOW.normalize_value(name, text)
        sid = synced_flow(sandbox, **{name: normalized})
        events = AuditEvent.objects.count()

        sandbox.edit_flow(sid, **{name: text})
        sync_account(ACCOUNT)

        assert AuditEvent.objects.count() == events
        assert isinstance(normalized, bool)


def test_switch_of_a_flow_that_is_on_as_text_leads_off(sandbox, client_of):
    sid = synced_flow(sandbox, enabled="true")
    client = client_of("operator")

    page = client.get(f"/flows/{sid}/enabled/")

    assert page.context["target"] is False
    assert "Turn off" in text_of(client.get(f"/flows/{sid}/"))


def test_headline_and_undo_of_a_switch_that_twilio_answered_as_text(sandbox, client_of):
    sid = synced_flow(sandbox, enabled="true")
    client = client_of("operator")
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/flows/"}
    data = {"enabled": "false", "change_id": str(uuid.uuid4())}

    toast = client.post(f"/flows/{sid}/enabled/", data, headers=headers)

    assert "Turned off “" in text_of(toast)
    assert toast.context["undo"]["enabled"].value() == "true"


# What handles the messages


@pytest.mark.parametrize(
    ("fields", "handler", "note", "listed"),
    [
        ({"integration_type": None, "integration_flow_sid": FW}, "Studio Flow FW1111…1111", "Studio by default (no integration type set)", "studio"),
        ({"integration_type": "", "integration_flow_sid": FW}, "Studio Flow FW1111…1111", "Studio by default", "studio"),
        ({"integration_type": "Studio", "integration_flow_sid": FW}, "Studio Flow FW1111…1111", "Studio", "studio"),
        ({"integration_type": None, "integration_url": "https://h.example/in"}, "No type set, webhook h.example", "No integration type set; Twilio's default is Studio", "none"),
        ({"integration_type": None}, "No handler", "Messages go nowhere", "none"),
        ({"integration_type": "bot"}, "bot", "Integration type not supported here yet", None),
        ({"integration_type": ["studio"], "integration_flow_sid": FW}, 'Unexpected value: ["studio"]', "The integration type can't be read", None),
    ],
    ids=str,
)  # fmt: skip
def test_what_handles_the_messages(sandbox, client_of, fields, handler, note, listed):
    sid = sandbox.add_flow()
    bare = dict.fromkeys(entry.name for entry in FLEX_FLOW.nested_fields)
    sandbox.edit_flow(sid, **bare | {"integration_type": None})
    sandbox.flows[sid].update(integration_type=fields["integration_type"], integration={
        name.removeprefix("integration_"): value for name, value in fields.items() if name != "integration_type"
    })  # fmt: skip
    sync_account(ACCOUNT)
    client = client_of("viewer")

    route = text_of(client.get(f"/flows/{sid}/"))

    assert handler in route
    assert note in route
    assert handler in text_of(client.get("/flows/"))
    for kind in ("studio", "none"):
        rows = client.get("/flows/", {"integration": kind}).context["results"].rows
        assert [row.sid for row in rows] == ([sid] if kind == listed else [])


@pytest.fixture
def typeless(sandbox):
    """A flow without a type, which Studio handles by default."""
    sid = sandbox.add_flow(integration_flow_sid=FW)
    sandbox.flows[sid]["integration_type"] = None
    sync_account(ACCOUNT)
    return sid


def test_settings_of_a_flow_without_a_type_can_be_edited(sandbox, client_of, typeless):
    client, other = client_of("operator"), "FW" + "2" * 32
    page = client.get(f"/flows/{typeless}/edit/")
    data = form_data(page)

    assert data["integration_flow_sid"] == FW
    assert 'name="integration_flow_sid"' in page.content.decode()
    client.post(f"/flows/{typeless}/edit/", data | {"integration_flow_sid": other})

    flow = sandbox.flows[typeless]
    assert (flow["integration"]["flow_sid"], flow["integration_type"]) == (other, None)
    assert AuditEvent.objects.latest("seq").changed_fields == ["integration_flow_sid"]


def test_plan_and_warnings_know_the_handler_of_a_flow_without_a_type(client_of, typeless):
    plan = drafts.plan_bulk_action(
        action=drafts.BulkAction("studio_flow", "FW" + "2" * 32), sids=[typeless], created_by="omar"
    )

    assert plan.changes.get().skip_reason == ""
    page = text_of(client_of("viewer").get(f"/flows/{typeless}/"))
    assert "No integration type is set. Twilio uses Studio by default." in page
    assert "so messages may go nowhere" not in page


def test_integration_as_a_text_of_json_is_read(sandbox, client_of):
    sid = sandbox.add_flow(integration_type="studio")
    sandbox.flows[sid]["integration"] = json.dumps({"flow_sid": FW, "retry_count": "2"})
    sync_account(ACCOUNT)

    page = text_of(client_of("viewer").get(f"/flows/{sid}/"))

    assert "Studio Flow FW1111…1111" in page
    assert re.search(r"Retry count 2\b", page)


@pytest.mark.parametrize("raw_value", ["not JSON", 7, ["a"], "[1]"], ids=str)
def test_integration_that_cannot_be_read_is_shown_and_not_dropped(sandbox, client_of, raw_value):
    sid = sandbox.add_flow(integration_type="studio")
    sandbox.flows[sid]["integration"] = raw_value
    sync_account(ACCOUNT)

    page = text_of(client_of("viewer").get(f"/flows/{sid}/"))

    assert "Other fields" in page
    assert (raw_value if isinstance(raw_value, str) else json.dumps(raw_value)) in page


# Numbers, dates, texts


def test_numbers_as_text_are_read_and_are_no_change(sandbox, client_of):
    sid = synced_flow(sandbox, integration_retry_count=3)
    events = AuditEvent.objects.count()

    sandbox.edit_flow(sid, integration_retry_count="3")
    sync_account(ACCOUNT)

    assert AuditEvent.objects.count() == events
    assert (
        form_data(client_of("operator").get(f"/flows/{sid}/edit/"))["integration_retry_count"]
        == "3"
    )


@pytest.mark.parametrize(
    "raw_value",
    [
        "2026-03-01T12:00:00Z", "2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00.123456Z", "Sun, 01 Mar 2026 12:00:00 +0000",
        "Sun, 01 Mar 2026 13:00:00 +0100", "2026-03-01 12:00:00",
    ],
    ids=str,
)  # fmt: skip
def test_dates_of_other_forms(sandbox, client_of, raw_value):
    sid = synced_flow(sandbox, date_created=raw_value)

    assert Flow.objects.get(pk=sid).date_created.isoformat().startswith("2026-03-01T12:00:00")
    assert "1 Mar 2026, 12:00 UTC" in text_of(client_of("viewer").get(f"/flows/{sid}/"))


@pytest.mark.parametrize(
    ("name", "raw_value", "label"),
    [
        ("enabled", "maybe", "Status"), ("integration_retry_count", "three", "Retry count"), ("integration_retry_count", True, "Retry count"),
        ("friendly_name", {"de": "Köln"}, "Friendly name"), ("contact_identity", ["+1"], "Contact identity"), ("long_lived", [], "Long-lived"),
        ("channel_type", 5, "Channel type"), ("date_updated", "yesterday", "Last updated"), ("chat_service_sid", {"a": 1}, "Chat service SID"),
    ],
    ids=str,
)  # fmt: skip
def test_what_cannot_be_read_is_said_and_shown(sandbox, client_of, name, raw_value, label):
    sid = synced_flow(sandbox, **{name: raw_value})
    client = client_of("viewer")

    page = text_of(client.get(f"/flows/{sid}/"))

    displayed = (
        raw_value
        if isinstance(raw_value, str)
        else "Yes"
        if raw_value is True
        else json.dumps(raw_value, ensure_ascii=False)
    )
    assert f"{label} Unexpected value {displayed}" in page
    event = AuditEvent.objects.filter(target_sid=sid).latest("seq")
    if name != "date_updated":
        assert f"Unexpected value {displayed}" in text_of(client.get(f"/audit/{event.event_id}/"))
    assert OpenDrift.objects.count() == 0


# How deep


@pytest.mark.parametrize("depth", [40, 600, 900])
def test_flow_that_is_nested_hundreds_deep_can_be_read_and_edited(sandbox, client_of, depth):
    deep = "c4n4ry"
    for _ in range(depth):
        deep = {"a": [deep]} if depth < 500 else [deep]
    sid, other = synced_flow(sandbox, unknown=deep, integration_unknown=deep), sandbox.add_flow()
    sync_account(ACCOUNT)
    client = client_of("admin")

    page = client.get(f"/flows/{sid}/")
    edit = client.get(f"/flows/{sid}/edit/")
    saved = client.post(f"/flows/{sid}/edit/", form_data(edit) | {"friendly_name": "Tamed"})

    assert "nested too deeply: not shown" in text_of(page)
    assert "c4n4ry" not in page.content.decode()
    assert saved.status_code == 302
    assert sandbox.flows[sid]["friendly_name"] == "Tamed"
    assert Flow.objects.filter(pk=other).exists()
    event = AuditEvent.objects.filter(target_sid=sid).latest("seq")
    for url in (
        "/",
        "/flows/",
        "/flows/drift/",
        "/audit/",
        f"/audit/{event.event_id}/",
        f"/flows/{sid}/code/",
    ):
        assert client.get(url).status_code == 200
    for form in ("csv", "json"):
        assert client.post("/flows/copy-out/", {"all": "1", "format": form}).status_code == 200
    events = AuditEvent.objects.count()
    sync_account(ACCOUNT)
    assert AuditEvent.objects.count() == events
