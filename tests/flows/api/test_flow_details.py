"""Owner, tags and note over the API follow the rules of the page."""

from __future__ import annotations

import uuid

import pytest

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent
from tests.flows.approvals.acting import writes

pytestmark = pytest.mark.django_db(transaction=True)


def edit(client, sid, body, **headers):
    headers = {"if_match": client.get(f"flows/{sid}/details")["ETag"], **headers}
    return client.send("PATCH", f"flows/{sid}/details", body, **headers)


def test_details_are_changed_once_and_nothing_is_sent(sandbox, flow_sid, api_client):
    client, key = api_client(), str(uuid.uuid4())
    body = {"owner": "Team Lyon", "tags": ["vip", "billing"], "reason": "New team"}

    first = edit(client, flow_sid, body, idempotency_key=key)
    again = edit(client, flow_sid, body, idempotency_key=key)

    details = {"owner": "Team Lyon", "tags": ["billing", "vip"], "note": ""}
    assert first.status_code == again.status_code == 200
    assert again["Idempotency-Replayed"] == "true"
    assert client.get(f"flows/{flow_sid}/details").json() == details
    assert details.items() <= first.json().items()
    assert sorted(first.json()["change"]["changed_fields"]) == ["owner", "tags"]
    event = AuditEvent.objects.get(change_id=key)
    assert (event.reason, event.token_key) == ("New team", client.token.key)
    assert writes(sandbox) == []


def test_fields_that_are_not_sent_stay(flow_sid, api_client):
    client = api_client()
    edit(client, flow_sid, {"owner": "Team Lyon", "note": "Closed in May"})

    response = edit(client, flow_sid, {"tags": ["vip"], "owner": None})

    assert response.json()["note"] == "Closed in May"
    assert (response.json()["owner"], response.json()["tags"]) == ("", ["vip"])
    assert edit(client, flow_sid, {"tags": ["vip"]}).json()["change"] is None


def test_stale_and_missing_versions_are_refused(flow_sid, api_client):
    client = api_client()

    missing = edit(client, flow_sid, {"owner": "A"}, if_match="")
    stale = edit(client, flow_sid, {"owner": "A"}, if_match='"old"')

    assert (missing.status_code, stale.status_code) == (428, 412)


@pytest.mark.parametrize(
    ("body", "field"),
    [({"owner": "x" * 500}, "owner"), ({"tags": ["x" * 500]}, "tags"), ({"name": "x"}, "name")],
)
def test_invalid_detail_names_its_field(flow_sid, api_client, body, field):
    response = edit(api_client(), flow_sid, body)

    assert (response.status_code, list(response.json()["errors"])) == (422, [field])


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_change_takes_the_role_and_the_scope_and_a_denial_is_logged(
    flow_sid, api_client, role, scope
):
    may_change = role in {"operator", "admin"} and scope == "write"

    response = edit(api_client(role, scope=scope), flow_sid, {"owner": "Team"})

    assert response.status_code == (200 if may_change else 403)
    assert AuditEvent.objects.filter(result="denied").count() == (not may_change)


def test_flow_of_another_account_is_not_found(flow_sid, staging, api_client):
    client = api_client(account_sid=staging.account_sid)

    assert client.get(f"flows/{flow_sid}/details").status_code == 404
    assert client.send("PATCH", f"flows/{flow_sid}/details", {}, if_match='"x"').status_code == 404
