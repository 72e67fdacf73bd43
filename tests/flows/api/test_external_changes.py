"""External changes over the API are accepted, or reverted by a bulk change."""

from __future__ import annotations

import uuid

import pytest

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.flows.plans.running import run_worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def event_id(sandbox, flow_sid, api_client):
    """The id of an external change of the flow's name."""
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")
    sync_account(ACCOUNT)
    return pending(api_client("viewer"))[0]["event_id"]


def pending(client):
    return client.get("external-changes").json()["items"]


def resolve(client, verb, *event_ids, reason="Agreed"):
    body = {"event_ids": list(event_ids), "reason": reason}
    return client.send("POST", f"external-changes/{verb}", body)


def test_external_change_is_accepted_once(event_id, api_client):
    client = api_client()

    first = resolve(client, "accept", event_id, str(uuid.uuid4()))
    again = resolve(client, "accept", event_id)

    assert (first.status_code, first.json()) == (200, {"accepted": 1, "already_resolved": 1})
    assert (again.status_code, again.json()["code"]) == (409, "already_resolved")
    assert pending(client) == []
    event = AuditEvent.objects.get(action="flow.accept")
    assert (event.reason, event.token_key) == ("Agreed", client.token.key)


def test_external_change_is_reverted_by_a_bulk_change(sandbox, flow_sid, event_id, api_client):
    client = api_client()

    drafted = resolve(client, "revert", event_id)
    started = client.send("POST", f"plans/{drafted.json()['id']}/start", {})
    run_worker()

    assert (drafted.status_code, drafted.json()["reason"]) == (201, "Agreed")
    assert started.status_code == 202
    assert sandbox.flows[flow_sid]["friendly_name"] == "Réclamations Lyon"


def test_external_change_of_another_account_is_not_resolved(event_id, staging, api_client):
    client = api_client(account_sid=staging.account_sid)

    statuses = [resolve(client, verb, event_id).status_code for verb in ("accept", "revert")]

    assert statuses == [409, 409]
    assert not AuditEvent.objects.filter(action="flow.accept").exists()


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_steps_take_the_role_and_the_scope_and_denials_are_logged(
    event_id, api_client, role, scope
):
    client = api_client(role, scope=scope)
    may_change = role in {"operator", "admin"} and scope == "write"

    statuses = [
        resolve(client, "revert", event_id).status_code,
        resolve(client, "accept", event_id).status_code,
    ]

    assert statuses == ([201, 200] if may_change else [403, 403])
    denials = AuditEvent.objects.filter(result="denied").values_list("action", flat=True)
    assert sorted(denials) == ([] if may_change else ["flow.accept", "plan.start"])
