"""A migration over the API goes through the same steps as on pages."""

from __future__ import annotations

import pytest

from flexadmin.users.roles import ROLES
from flows.audit.audit_log import Actor
from flows.audit.models import AuditEvent
from tests.flows.approvals.acting import ANY, set_policy
from tests.flows.migration.acting import PLAIN, prepared, run_worker, switched
from tests.flows.migration.world import World

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = ("prepare", "switch", "verify", "rollback", "delete", "resume", "close", "stop")


@pytest.fixture
def operator(person):
    """An operator, in whose name the worker sends the steps."""
    return Actor(id=str(person("operator").pk), label="operator", role="operator")


def take(client, sid, step, **body):
    if step == "stop":
        return client.send("POST", f"migrations/{sid}/stop")
    return client.send("POST", f"migrations/{sid}/{step}", {"reason": "As agreed", **body})


def test_flow_is_moved_verified_and_rolled_back(sandbox, api_client):
    client, sid = api_client(), World(sandbox).add(PLAIN)
    row = client.get("migrations").json()["items"][0]

    started = take(client, sid, "prepare")
    run_worker()
    ready = client.get(f"migrations/{sid}").json()
    unchecked = take(client, sid, "switch")
    switching = take(client, sid, "switch", handlers_checked=True)
    run_worker()
    verified = take(client, sid, "verify", reason="Ana got it")
    early = take(client, sid, "delete")
    set_policy(ANY)
    take(client, sid, "rollback", unserved_accepted=True)
    run_worker()

    assert (row["sid"], row["progress"], row["status"]) == (sid, "not-started", None)
    assert (started.status_code, started.json()["status"]) == (202, "preparing")
    assert (ready["status"], {step["state"] for step in ready["steps"][:1]}) == ("ready", {"done"})
    assert (unchecked.status_code, list(unchecked.json()["errors"])) == (422, ["handlers_checked"])
    assert (switching.status_code, switching.json()["status"]) == (202, "switching")
    assert (verified.status_code, verified.json()["status"]) == (200, "verified")
    assert (early.status_code, early.json()["code"]) == (409, "not_possible")
    assert verified.json()["unapproved_rollback_at"] is None
    rolled_back = client.get(f"migrations/{sid}").json()
    assert (rolled_back["status"], bool(rolled_back["unapproved_rollback_at"])) == (
        "rolled_back",
        True,
    )
    events = AuditEvent.objects.filter(action__startswith="migration.", stage="access")
    asked = events.exclude(action="migration.progress")
    assert {event.token_key for event in asked} == {client.token.key}


def test_board_is_filtered(sandbox, api_client, operator):
    _, migration = prepared(sandbox, operator)
    client = api_client("viewer")

    ready = client.get("migrations", progress="ready").json()["items"]

    assert [(row["sid"], row["status"]) for row in ready] == [(migration.flow_sid, "ready")]
    assert client.get("migrations", progress="done").json()["items"] == []
    assert client.get("migrations", verdict="perhaps").status_code == 422


def test_verification_says_what_was_seen(sandbox, api_client, operator):
    _, migration = switched(sandbox, operator)

    response = take(api_client(), migration.flow_sid, "verify", reason="")

    assert (response.status_code, list(response.json()["errors"])) == (422, ["reason"])


def test_policy_refuses_a_preparation(sandbox, api_client):
    sid = World(sandbox).add(PLAIN)
    set_policy(ANY)

    response = take(api_client(), sid, "prepare")

    assert (response.status_code, response.json()["code"]) == (409, "not_possible")
    assert "requires approval" in response.json()["detail"]


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_steps_take_the_role_and_the_scope_and_denials_are_logged(
    sandbox, api_client, operator, role, scope
):
    _, migration = prepared(sandbox, operator)
    client = api_client(role, scope=scope)
    may_change = role in {"operator", "admin"} and scope == "write"

    denied = [step for step in STEPS if take(client, migration.flow_sid, step).status_code == 403]

    assert client.get(f"migrations/{migration.flow_sid}").status_code == 200
    assert denied == ([] if may_change else list(STEPS))
    denials = AuditEvent.objects.filter(action__startswith="migration.", result="denied")
    assert denials.count() == len(denied)


def test_migration_of_another_account_is_not_found(sandbox, staging, api_client, operator):
    _, migration = prepared(sandbox, operator)
    client = api_client("viewer", account_sid=staging.account_sid)

    statuses = {take(client, migration.flow_sid, step).status_code for step in STEPS}

    assert statuses == {404}
    assert client.get(f"migrations/{migration.flow_sid}").status_code == 404
    assert client.get("migrations").json()["items"] == []
