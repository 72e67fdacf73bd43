"""The other resources over the API: the same calls for each, by the same services as the pages."""

# ruff: noqa: F811 - a fixture of another folder
from __future__ import annotations

import uuid

import pytest

from flexadmin.users.roles import ROLES
from flows.api.calls.resource_reads import FILTER_NAMES, ListParameters
from flows.approvals.models import ChangeRequest
from flows.audit.models import AuditEvent
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.api.conftest import api_client  # noqa: F401
from tests.flows.approvals.acting import ANY, set_policy
from tests.flows.resources.conftest import PARENTS, RESOURCES, form_values, sent

pytestmark = pytest.mark.django_db(transaction=True)
PLUGIN = {"unique_name": "plugin-quick-check", "friendly_name": "Quick check"}


def with_operation(*operations):
    """Return the names of the resources that have all of these operations."""
    return [name for name, one in RESOURCES.items() if {*operations} <= {*one.operations}]


def call(client, method, path, values=None, *, query=None, **headers):
    """Send a call, with the ETag of the object for a change of one."""
    if "/" in path and method != "GET" and "if_match" not in headers:
        parent = {key: value for key, value in (query or {}).items() if key == "parent"}
        fetched = client.send("GET", f"resources/{path.removesuffix('/archive')}", query=parent)
        headers["if_match"] = fetched["ETag"]
    body = None if values is None else {"values": values, "reason": "as agreed"}
    return client.send(method, f"resources/{path}", body, query, **headers)


def parent_of(name):
    return {"parent": PARENTS[name]} if name in PARENTS else {}


@pytest.mark.parametrize("name", with_operation("list"))
def test_objects_are_listed(sandbox, api_client, name):
    response = call(api_client("admin"), "GET", name, query=parent_of(name))

    assert response.status_code == 200
    assert all(item["sid"] for item in response.json()["items"])


def test_pages_follow_each_other(sandbox, flow_on, make, api_client):
    client = api_client("viewer")
    first = call(client, "GET", "question", query={"limit": "1"}).json()

    second = call(
        client, "GET", "question", query={"limit": "1", "cursor": first["next_cursor"]}
    ).json()

    assert first["items"][0]["sid"] != second["items"][0]["sid"]
    assert call(client, "GET", "question", query={"cursor": "e30"}).status_code == 422


def test_list_takes_the_filter_of_its_page(sandbox, flow_on, make, api_client):
    make("address_configuration")
    client = api_client("viewer")
    chosen = client.get("resources/address_configuration").json()["items"][0]["type"]
    types = RESOURCES["address_configuration"].field("type").choices

    listed = {
        value: client.get("resources/address_configuration", type=value).json()["items"]
        for value in types
    }

    assert FILTER_NAMES == ["type"]
    assert set(FILTER_NAMES) <= set(ListParameters.model_fields)
    assert listed[chosen]
    for value, items in listed.items():
        assert {item["type"] for item in items} <= {value}


@pytest.mark.parametrize(
    ("name", "value"), [("address_configuration", "fax"), ("web_channel", "sms")]
)
def test_unknown_filter_is_refused_instead_of_listing_everything(
    sandbox, flow_on, api_client, name, value
):
    response = api_client("viewer").get(f"resources/{name}", type=value)

    assert (response.status_code, list(response.json()["errors"])) == (422, ["type"])


@pytest.mark.parametrize("name", with_operation("create"))
def test_object_is_created_once(sandbox, flow_on, api_client, name):
    client, key = api_client("admin"), str(uuid.uuid4())
    values = form_values(name, "create", flow_on)

    responses = [
        call(client, "POST", name, values, query=parent_of(name), idempotency_key=key)
        for _ in range(2)
    ]

    assert [response.status_code for response in responses] == [201, 201]
    assert responses[1]["Idempotency-Replayed"] == "true"
    assert len(sent(sandbox)) == 1
    first = responses[0].json()
    assert responses[0]["Location"] == f"/api/v1/resources/{name}/{first['sid']}"
    event = AuditEvent.objects.filter(change_id=key).latest("seq")
    assert (event.action, event.reason) == (f"{name}.create", "as agreed")
    assert event.token_key == client.token.key


@pytest.mark.parametrize("name", [n for n in with_operation("update") if n != "configuration"])
def test_object_is_changed(sandbox, flow_on, make, api_client, name):
    client = api_client("admin")
    sid, query = make(name), parent_of(name)
    values, before = form_values(name, "update", flow_on), sent(sandbox)

    dry_run = call(client, "PATCH", f"{name}/{sid}", values, query={**query, "dry_run": "true"})
    sent_by_dry_run = sent(sandbox)
    changed = call(client, "PATCH", f"{name}/{sid}", values, query=query)

    assert (dry_run.status_code, dry_run.json()["dry_run"]) == (200, True)
    assert dry_run.json()["differences"]
    assert sent_by_dry_run == before
    assert (changed.status_code, changed.json()["change"]["action"]) == (200, f"{name}.update")


def test_configuration_is_changed(sandbox, api_client):
    client, path = api_client("admin"), f"configuration/{ACCOUNT}"

    changed = call(client, "PATCH", path, {"ui_language": "fr-FR"})
    again = call(client, "PATCH", path, {"ui_language": "fr-FR"})
    other = call(client, "GET", f"configuration/AC{'9' * 32}")

    assert (changed.status_code, changed.json()["ui_language"]) == (200, "fr-FR")
    assert (again.status_code, again.json()["change"]) == (200, None)
    assert other.status_code == 404


@pytest.mark.parametrize("name", with_operation("delete"))
def test_object_is_deleted(sandbox, flow_on, make, api_client, name):
    client = api_client("admin")
    path = f"{name}/{make(name)}"
    query = parent_of(name)

    response = call(client, "DELETE", path, query={**query, "reason": "Unused"})

    assert response.status_code == 204
    assert call(client, "GET", path, query=query).status_code == 404
    assert AuditEvent.objects.filter(action=f"{name}.delete", reason="Unused").exists()


@pytest.mark.parametrize("name", with_operation("archive"))
def test_object_is_archived(sandbox, flow_on, make, api_client, name):
    path = f"{name}/{make(name)}"

    response = call(api_client("admin"), "POST", f"{path}/archive", query=parent_of(name))

    assert (response.status_code, response.json()["archived"]) == (200, True)


def test_versions_are_checked(sandbox, flow_on, make, api_client):
    client, path = api_client("admin"), f"plugin/{make('plugin')}"
    before = sent(sandbox)

    missing = call(client, "PATCH", path, {"description": "New"}, if_match="")
    stale = call(client, "PATCH", path, {"description": "New"}, if_match='"old"')

    assert (missing.status_code, stale.status_code) == (428, 412)
    assert sent(sandbox) == before


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({**PLUGIN, "unique_name": ""}, "unique_name"),
        ({**PLUGIN, "sid": "FP" + "1" * 32}, "sid"),
        ({**PLUGIN, "colour": "red"}, "colour"),
        ({**PLUGIN, "friendly_name": {"a": [1]}}, "friendly_name"),
    ],
)
def test_invalid_field_is_named(sandbox, api_client, values, field):
    response = call(api_client("admin"), "POST", "plugin", values)

    assert (response.status_code, list(response.json()["errors"])) == (422, [field])
    assert sent(sandbox) == []


def test_missing_resources_operations_and_objects_are_404(sandbox, api_client):
    client = api_client("admin")

    statuses = [
        call(client, "GET", "nonsense").status_code,
        call(client, "GET", "interaction").status_code,
        call(client, "POST", "question", {}).status_code,
        call(client, "GET", f"plugin/{'FP' + '9' * 32}").status_code,
        call(client, "GET", f"plugin/{'CH' + '9' * 32}").status_code,
    ]

    assert statuses == [404] * 5


def test_parent_is_required(sandbox, api_client):
    response = call(api_client("admin"), "GET", "plugin_version")

    assert (response.status_code, list(response.json()["errors"])) == (422, ["parent"])


def test_refusal_of_twilio_is_a_problem(sandbox, api_client):
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", status=400, code=20001))

    response = call(api_client("admin"), "POST", "plugin", PLUGIN)

    assert (response.status_code, response.json()["code"]) == (422, "refused")
    assert response.json()["change"]["result"] == "failed"


def test_change_under_a_policy_becomes_a_request(sandbox, api_client):
    set_policy(ANY)

    response = call(api_client("admin"), "POST", "plugin", PLUGIN)

    assert (response.status_code, response.json()["result"]) == (202, "requested")
    assert ChangeRequest.objects.get().resource == "plugin"
    assert sent(sandbox) == []


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_changes_take_the_role_and_the_scope_and_denials_are_logged(
    sandbox,
    flow_on,
    make,
    api_client,
    role,
    scope,
):
    client = api_client(role, scope=scope)
    path, dry_run = f"plugin/{make('plugin')}", {"dry_run": "true"}
    may_change = role in {"operator", "admin"} and scope == "write"

    statuses = [
        call(client, "POST", "plugin", PLUGIN, query=dry_run).status_code,
        call(client, "PATCH", path, {"description": "New"}, query=dry_run).status_code,
        call(client, "POST", f"{path}/archive", query=dry_run).status_code,
    ]

    assert call(client, "GET", path).status_code == 200
    assert statuses == [200 if may_change else 403] * 3
    assert AuditEvent.objects.filter(result="denied").count() == (0 if may_change else 3)
