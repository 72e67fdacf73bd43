"""Syncs, names and the read-only mode over the API."""

from __future__ import annotations

import pytest

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent
from flows.availability.models import Closure
from flows.mirror.models import Flow
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.api.test_flow_writes import change

pytestmark = pytest.mark.django_db(transaction=True)
READ_ONLY = f"accounts/{ACCOUNT}/read-only"


def set_read_only(client, path=READ_ONLY, reason="Release freeze"):
    return client.send("PUT", path, {"reason": reason})


def test_sync_reads_flows_from_twilio(sandbox, api_client):
    sid = sandbox.add_flow(friendly_name="New at Twilio")

    response = api_client("viewer").send("POST", "sync")

    (result,) = response.json()["items"]
    assert (response.status_code, result["account_sid"], result["error"]) == (200, ACCOUNT, "")
    assert (result["has_changes"], bool(result["synced_at"])) == (True, True)
    assert Flow.objects.filter(sid=sid).exists()


def test_failed_sync_is_a_problem_with_each_result(sandbox, api_client):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, path="/FlexFlows", times=None))

    response = api_client("viewer").send("POST", "sync")

    assert (response.status_code, response.json()["code"]) == (502, "unreadable")
    assert response.json()["items"][0]["error"]


def test_sync_of_an_unknown_account_is_refused(sandbox, api_client):
    response = api_client("viewer").send("POST", "sync", query={"account": "AC" + "9" * 32})

    assert (response.status_code, list(response.json()["errors"])) == (422, ["account"])


def test_names_are_read(sandbox, flow_sid, api_client):
    client = api_client("viewer")

    assert client.send("POST", f"accounts/{ACCOUNT}/names").status_code == 200
    assert client.send("POST", f"accounts/AC{'9' * 32}/names").status_code == 404


def test_read_only_account_refuses_changes_until_it_is_writable(sandbox, flow_sid, api_client):
    client = api_client("admin")

    first, again = set_read_only(client), set_read_only(client)
    refused = change(client, flow_sid, {"enabled": False})
    lifted = client.send("DELETE", READ_ONLY, query={"reason": "Over"})

    assert (first.json()["has_changed"], again.json()["has_changed"]) == (True, False)
    assert (refused.status_code, refused.json()["code"]) == (403, "unavailable")
    assert lifted.json() == {"account_sid": ACCOUNT, "is_read_only": False, "has_changed": True}
    event = AuditEvent.objects.get(action="account.close")
    assert (event.reason, event.token_key) == ("Release freeze", client.token.key)


def test_site_is_read_only_and_writable_again(sandbox, flow_sid, api_client):
    client = api_client("admin")

    set_read_only(client, "read-only")
    account = client.get("accounts").json()["items"][0]
    lifted = client.send("DELETE", "read-only")

    assert account["is_read_only"] is True
    assert lifted.json() == {"account_sid": "", "is_read_only": False, "has_changed": True}


@pytest.mark.parametrize("reason", ["", " "])
def test_read_only_mode_needs_a_reason(sandbox, api_client, reason):
    response = set_read_only(api_client("admin"), reason=reason)

    assert (response.status_code, list(response.json()["errors"])) == (422, ["reason"])


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_calls_take_the_role_and_the_scope_and_denials_are_logged(sandbox, api_client, role, scope):
    client = api_client(role, scope=scope)
    is_admin = role == "admin" and scope == "write"
    may_change = role in {"operator", "admin"} and scope == "write"

    managed = [
        set_read_only(client, "read-only").status_code,
        client.send("DELETE", "read-only").status_code,
        set_read_only(client).status_code,
        client.send("DELETE", READ_ONLY).status_code,
    ]
    retried = client.send("POST", f"accounts/{ACCOUNT}/retry").status_code

    assert managed == [200 if is_admin else 403] * 4
    assert retried == (200 if may_change else 403)
    assert client.send("POST", "sync").status_code == 200
    denials = AuditEvent.objects.filter(action__startswith="account.", result="denied")
    assert denials.count() == (not is_admin) * 4 + (not may_change)
    assert not Closure.objects.exists()


def test_role_on_one_account_makes_no_other_read_only(sandbox, staging, api_client):
    client = api_client("admin", account_sid=staging.account_sid)

    assert set_read_only(client).status_code == 404
    assert set_read_only(client, "read-only").status_code == 403
