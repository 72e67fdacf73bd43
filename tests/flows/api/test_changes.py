"""A change with an unknown outcome is resolved over the API by reading, or by a decision."""

from __future__ import annotations

import uuid

import pytest

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent
from flows.changes.actions import ChangeAction
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.flows.api.test_flow_writes import NEW, change
from tests.flows.approvals.acting import writes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def unknown_path(sandbox, flow_sid, api_client):
    """The address of a change whose answer was lost, to resolve it."""
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    response = change(api_client("operator"), flow_sid, {"enabled": False})
    return f"{response['Location'].removeprefix('/api/v1/')}/reconcile"


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_each_role_resolves_a_change_by_reading(unknown_path, api_client, role, scope):
    client = api_client(role, scope=scope)

    responses = [client.send("POST", unknown_path) for _ in range(2)]

    assert [each.status_code for each in responses] == [200, 200]
    assert {each.json()["result"] for each in responses} == {"applied"}


def test_unreadable_change_stays_unknown(sandbox, unknown_path, api_client):
    client = api_client("viewer")
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, method="GET", times=None))

    response = client.send("POST", unknown_path)

    assert response.status_code in (202, 502)
    assert client.get(unknown_path.removesuffix("/reconcile")).json()["result"] == "unknown"


def test_change_of_another_account_is_not_found(unknown_path, staging, api_client):
    client = api_client("viewer", account_sid=staging.account_sid)

    assert client.send("POST", unknown_path).status_code == 404
    assert client.send("POST", f"changes/{uuid.uuid4()}/reconcile").status_code == 404


@pytest.fixture
def ambiguous_path(sandbox, flow_sid, api_client):
    """The address of a change that reading can't resolve: someone else changed the flow since."""
    client = api_client("operator")
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    response = change(client, flow_sid, {"friendly_name": "Second"})
    sandbox.edit_flow(flow_sid, friendly_name="Third")
    path = str(response["Location"].removeprefix("/api/v1/"))
    client.send("POST", f"{path}/reconcile")
    return path


def decide(client, path, verdict="applied", **changes):
    findings = client.get(path).json()["decision"]["findings"]
    body = {"verdict": verdict, "reason": "Seen in the Console", "findings": findings, **changes}
    return client.send("POST", f"{path}/decide", body)


@pytest.mark.parametrize("verdict", ["applied", "not_applied"])
def test_decision_is_recorded_as_the_users_and_nothing_is_sent(
    sandbox, flow_sid, ambiguous_path, api_client, verdict
):
    client = api_client("operator")
    sent = len(writes(sandbox))
    decision = client.get(ambiguous_path).json()["decision"]

    response = decide(client, ambiguous_path, verdict)

    assert decision["verdicts"] == ["applied", "not_applied"]
    assert decision["ambiguity"]
    assert decision["objects"][flow_sid]["friendly_name"] == "Third"
    assert (response.status_code, response.json()["result"]) == (200, verdict)
    assert response.json()["decision"] is None
    event = AuditEvent.objects.get(event_id=response.json()["event_id"])
    assert event.is_decision
    assert (event.reason, event.token_key) == ("Seen in the Console", client.token.key)
    assert len(writes(sandbox)) == sent


def test_decision_names_the_created_flow(sandbox, flow_sid, api_client):
    client = api_client("operator")
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    path = client.send("POST", "flows", NEW)["Location"].removeprefix("/api/v1/")
    (created_sid,) = sandbox.flows.keys() - {flow_sid}
    twin_sid = sandbox.add_flow(**NEW)
    client.send("POST", f"{path}/reconcile")

    verdicts = client.get(path).json()["decision"]["verdicts"]
    other = decide(client, path, flow_sid)
    response = decide(client, path, created_sid)

    assert set(verdicts) == {created_sid, twin_sid, "not_applied"}
    assert (other.status_code, list(other.json()["errors"])) == (422, ["verdict"])
    assert (response.json()["result"], response.json()["sid"]) == ("applied", created_sid)


def test_decision_rests_on_the_latest_findings(sandbox, flow_sid, ambiguous_path, api_client):
    client = api_client("operator")
    findings = client.get(ambiguous_path).json()["decision"]["findings"]
    sandbox.edit_flow(flow_sid, friendly_name="Fourth")
    client.send("POST", f"{ambiguous_path}/reconcile")

    stale = decide(client, ambiguous_path, findings=findings)

    assert (stale.status_code, stale.json()["code"]) == (409, "stale")
    assert client.get(ambiguous_path).json()["result"] == "unknown"


def test_decision_takes_a_reason(ambiguous_path, api_client):
    response = decide(api_client("operator"), ambiguous_path, reason=" ")

    assert (response.status_code, list(response.json()["errors"])) == (422, ["reason"])


def test_change_that_reading_can_tell_takes_no_decision(unknown_path, api_client):
    path = unknown_path.removesuffix("/reconcile")
    body = {"verdict": "applied", "reason": "Again", "findings": "x"}

    response = api_client("operator").send("POST", f"{path}/decide", body)

    assert (response.status_code, response.json()["code"]) == (409, "no_decision_needed")


def test_change_is_decided_once(ambiguous_path, api_client):
    client = api_client("operator")
    decide(client, ambiguous_path)
    body = {"verdict": "not_applied", "reason": "Again", "findings": "x"}

    again = client.send("POST", f"{ambiguous_path}/decide", body)

    assert (again.status_code, again.json()["code"]) == (409, "no_decision_needed")
    assert client.get(ambiguous_path).json()["result"] == "applied"


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_decision_takes_the_role_and_the_scope_and_a_denial_is_logged(
    ambiguous_path, api_client, role, scope
):
    may_decide = role in {"operator", "admin"} and scope == "write"

    response = decide(api_client(role, scope=scope), ambiguous_path)

    assert response.status_code == (200 if may_decide else 403)
    denials = AuditEvent.objects.filter(action=ChangeAction.DECIDE, result="denied")
    assert denials.count() == (not may_decide)


def test_decision_in_another_account_is_not_found(ambiguous_path, staging, api_client):
    client = api_client("viewer", account_sid=staging.account_sid)
    body = {"verdict": "applied", "reason": "x", "findings": "x"}

    assert client.send("POST", f"{ambiguous_path}/decide", body).status_code == 404
