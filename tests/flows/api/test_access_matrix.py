"""Who may use which call: each role, with a token that reads and with one that writes."""

from __future__ import annotations

import pytest

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent

pytestmark = pytest.mark.django_db(transaction=True)
READS = ["flows", "flows/{sid}", "accounts", "targets", "checks", "external-changes", "plans"]
WRITERS = {"operator", "admin"}
EXPORTERS = {"auditor", "admin"}
CHANGES = {
    ("POST", "flows"): "flow.create",
    ("PATCH", "flows/{sid}"): "flow.update",
    ("DELETE", "flows/{sid}"): "flow.delete",
}


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_reads_are_open_to_each_role(flow_sid, api_client, role, scope):
    client = api_client(role, scope=scope)

    statuses = {call: client.get(call.format(sid=flow_sid)).status_code for call in READS}
    events = client.get("events").status_code

    assert set(statuses.values()) == {200}
    assert events == (200 if role in EXPORTERS else 403)


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_changes_take_the_role_and_the_scope_and_denials_are_logged(
    sandbox, flow_sid, api_client, role, scope
):
    client = api_client(role, scope=scope)
    may_change = role in WRITERS and scope == "write"
    etag = client.get(f"flows/{flow_sid}")["ETag"]
    body = {"reason": "Testing"}

    for (method, call), action in CHANGES.items():
        response = client.send(
            method, call.format(sid=flow_sid), body, {"dry_run": "true"}, if_match=etag
        )
        denials = AuditEvent.objects.filter(action=action, result="denied")
        # A creation without fields is refused only after its permission was checked.
        allowed = 422 if method == "POST" else 200
        assert response.status_code == (allowed if may_change else 403), (method, call)
        assert denials.count() == (not may_change)
        assert all(event.token_key == client.token.key for event in denials)


def test_role_on_one_account_changes_no_other(sandbox, staging, flow_sid, api_client):
    client = api_client("operator", account_sid=staging.account_sid)

    assert client.get(f"flows/{flow_sid}").status_code == 404
    response = client.send("PATCH", f"flows/{flow_sid}", {"enabled": False}, if_match='"x"')
    assert response.status_code == 404
