"""Bulk changes over the API are drafted, started and followed up as on pages."""

from __future__ import annotations

import uuid

import pytest

from flexadmin.users.roles import ROLES
from flows.approvals.models import ChangeRequest
from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from tests import ACCOUNT
from tests.flows.approvals.acting import ANY, set_policy, writes
from tests.flows.plans.running import NEW_FLOW, make_plan, run_worker

pytestmark = pytest.mark.django_db(transaction=True)
WRITERS = {"operator", "admin"}


@pytest.fixture
def sids(sandbox):
    sids = [sandbox.add_flow(friendly_name=f"Flow {number}", enabled=True) for number in range(3)]
    sync_account(ACCOUNT)
    return sids


def draft(client, body, **query):
    return client.send("POST", "plans", body, query)


def start(client, plan_id, **body):
    return client.send("POST", f"plans/{plan_id}/start", {"reason": "Holidays", **body})


def test_draft_is_started_and_its_results_are_read(sandbox, sids, api_client):
    client = api_client()

    drafted = draft(client, {"kind": "disable", "sids": sids})
    plan_id = drafted.json()["id"]
    started = start(client, plan_id)
    run_worker()
    finished = client.get(f"plans/{plan_id}").json()

    assert (drafted.status_code, drafted.json()["status"]) == (201, "draft")
    assert drafted["Location"] == f"/api/v1/plans/{plan_id}"
    assert (started.status_code, started.json()["status"]) == (202, "running")
    assert (finished["status"], finished["counts"]) == ("done", {"applied": 3})
    assert {flow["enabled"] for flow in sandbox.flows.values()} == {False}
    events = AuditEvent.objects.filter(request_id=plan_id, action="plan.start")
    assert [event.token_key for event in events] == [client.token.key]


def test_second_start_changes_nothing(sandbox, sids, api_client):
    client = api_client()
    plan_id = draft(client, {"kind": "disable", "sids": sids}).json()["id"]

    statuses = [start(client, plan_id).status_code for _ in range(2)]

    assert statuses == [202, 202]
    assert AuditEvent.objects.filter(action="plan.start").count() == 1


def test_changes_come_by_cursor_and_status(sandbox, sids, api_client):
    client = api_client()
    path = f"plans/{draft(client, {'kind': 'disable', 'sids': sids}).json()['id']}"

    first = client.get(path, limit=2).json()
    second = client.get(path, limit=2, cursor=first["next_cursor"]).json()

    assert [item["sid"] for page in (first, second) for item in page["items"]] == sids
    assert second["next_cursor"] is None
    assert first["items"][0]["differences"] == [{"field": "enabled", "current": True, "new": False}]
    assert len(client.get(path, status="planned").json()["items"]) == 3
    assert client.get(path, status="applied").json()["items"] == []
    assert client.get(path, status="made").status_code == 422


def test_filter_chooses_flows_as_the_list_does(sandbox, sids, api_client):
    sandbox.add_flow(friendly_name="Other", enabled=True)
    sync_account(ACCOUNT)
    client = api_client()

    drafted = draft(client, {"kind": "disable", "filter": {"q": "Flow"}})

    assert sorted(item["sid"] for item in drafted.json()["items"]) == sorted(sids)
    assert draft(client, {"kind": "disable", "filter": {"q": "missing"}}).status_code == 422


def test_dry_run_stores_nothing(sandbox, sids, api_client):
    response = draft(api_client(), {"kind": "disable", "sids": sids}, dry_run="true")

    assert (response.status_code, len(response.json()["items"])) == (200, 3)
    assert not Plan.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"kind": "disable"}, "sids"),
        ({"kind": "disable", "sids": []}, "sids"),
        ({"kind": "disable", "sids": ["FO" + "9" * 32]}, "sids"),
        ({"kind": "disable", "value": "x", "filter": {}}, "value"),
        ({"kind": "retry_count", "value": 9, "filter": {}}, "value"),
        ({"kind": "add_tag", "value": "", "filter": {}}, "value"),
        ({"kind": "disable", "filter": {"channel": "fax"}}, "channel"),
    ],
)
def test_invalid_draft_names_its_field(sids, api_client, body, field):
    response = draft(api_client(), body)

    assert (response.status_code, list(response.json()["errors"])) == (422, [field])
    assert not Plan.objects.exists()


def test_tags_are_set_in_bulk(sids, api_client):
    client = api_client()
    plan_id = draft(client, {"kind": "add_tag", "value": "vip", "sids": sids}).json()["id"]

    start(client, plan_id)
    run_worker()

    assert client.get(f"plans/{plan_id}").json()["counts"] == {"applied": 3}
    assert len(client.get("flows", tag="vip").json()["items"]) == 3


def test_deletion_needs_the_number_of_flows(sandbox, sids, api_client):
    client = api_client()
    plan_id = draft(client, {"kind": "delete", "sids": sids}).json()["id"]

    refused = start(client, plan_id)
    started = start(client, plan_id, confirm=3)

    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["confirm"])
    assert started.status_code == 202


def test_stopped_plan_is_resumed_with_its_reason(sandbox, sids, api_client):
    client = api_client()
    plan_id = draft(client, {"kind": "disable", "sids": sids}).json()["id"]
    start(client, plan_id)

    stopped = client.send("POST", f"plans/{plan_id}/stop")
    again = client.send("POST", f"plans/{plan_id}/stop")
    resumed = client.send("POST", f"plans/{plan_id}/start", {})
    run_worker()

    assert stopped.json()["status"] == "stopped"
    assert (again.status_code, again.json()["code"]) == (409, "wrong_status")
    assert (resumed.status_code, resumed.json()["reason"]) == (202, "Holidays")
    assert client.get(f"plans/{plan_id}").json()["status"] == "done"


def test_rollback_and_retry_are_drafts(sandbox, sids, api_client):
    client = api_client()
    plan_id = draft(client, {"kind": "disable", "sids": sids}).json()["id"]
    early = client.send("POST", f"plans/{plan_id}/rollback")
    start(client, plan_id)
    run_worker()

    rollback = client.send("POST", f"plans/{plan_id}/rollback")
    retry = client.send("POST", f"plans/{plan_id}/retry")
    start(client, rollback.json()["id"])
    run_worker()

    assert (early.status_code, early.json()["code"]) == (409, "wrong_status")
    assert (rollback.status_code, rollback.json()["rollback_of"]) == (201, plan_id)
    assert (retry.status_code, retry.json()["code"]) == (409, "nothing_to_change")
    assert {flow["enabled"] for flow in sandbox.flows.values()} == {True}


def test_draft_is_discarded_once(sids, api_client):
    client = api_client()
    path = f"plans/{draft(client, {'kind': 'disable', 'sids': sids}).json()['id']}"

    statuses = [client.send("DELETE", path).status_code for _ in range(2)]

    assert statuses == [204, 404]


def test_started_plan_is_not_discarded(sids, api_client):
    client = api_client()
    plan_id = draft(client, {"kind": "disable", "sids": sids}).json()["id"]
    start(client, plan_id)

    assert client.send("DELETE", f"plans/{plan_id}").status_code == 409


def test_desired_state_is_applied_and_a_second_one_changes_nothing(sandbox, sids, api_client):
    client = api_client()
    body = {"flows": [{"sid": sids[0], "enabled": False}, NEW_FLOW]}

    drafted = draft(client, body)
    start(client, drafted.json()["id"])
    run_worker()
    again = draft(client, body)

    assert [item["action"] for item in drafted.json()["items"]] == ["flow.update", "flow.create"]
    assert sandbox.flows[sids[0]]["enabled"] is False
    assert len(sandbox.flows) == 4
    assert again.json()["flows"] == 0
    assert {item["status"] for item in again.json()["items"]} == {"skipped"}


def test_desired_state_deletes_only_with_prune(sandbox, sids, api_client):
    client = api_client()
    body = {"flows": [{"sid": sids[0], "enabled": True}]}

    kept = draft(client, body, dry_run="true").json()
    pruned = draft(client, {**body, "prune": True}, dry_run="true").json()

    assert kept["flows"] == 0
    deleted = [item["sid"] for item in pruned["items"] if item["action"] == "flow.delete"]
    assert sorted(deleted) == sorted(sids[1:])


def test_errors_of_a_desired_state_have_their_paths(sids, api_client):
    response = draft(api_client(), {"flows": [{"sid": sids[0], "enabled": "perhaps"}]})

    assert (response.status_code, list(response.json()["errors"])) == (422, ["flows[0].enabled"])


def test_desired_state_names_only_accounts_of_the_token(sids, staging, api_client):
    client = api_client(account_sid=ACCOUNT)
    places = {}

    for name in (staging.account_sid, f" {ACCOUNT} ", "nonsense"):
        response = draft(client, {"account": name, "flows": [NEW_FLOW]})
        places[name] = list(response.json()["errors"])
        assert response.status_code == 422
        assert staging.account_sid not in response.json()["errors"]["account"][0]
    own = draft(client, {"flows": [{**NEW_FLOW, "account_sid": staging.account_sid}]})

    assert set(map(tuple, places.values())) == {("account",)}
    assert list(own.json()["errors"]) == ["flows[0].account_sid"]


def test_start_under_a_policy_makes_one_change_request(sandbox, sids, api_client):
    set_policy(ANY)
    client = api_client()
    plan_id = draft(client, {"kind": "disable", "sids": sids}).json()["id"]

    first, second = start(client, plan_id), start(client, plan_id)

    request = ChangeRequest.objects.get()
    assert str(request.plan_id) == plan_id
    for response in (first, second):
        assert (response.status_code, response.json()["result"]) == (202, "requested")
        assert response["Location"] == response.json()["url"] == f"/api/v1/requests/{request.pk}"
        assert response.json()["page"] == f"/requests/{request.pk}/"
    assert writes(sandbox) == []


def test_ended_request_refuses_the_start(sandbox, sids, api_client):
    set_policy(ANY)
    client = api_client()
    plan_id = draft(client, {"kind": "disable", "sids": sids}).json()["id"]
    start(client, plan_id)
    request = ChangeRequest.objects.get()
    client.send("POST", f"requests/{request.pk}/cancel", {})

    response = start(client, plan_id)

    assert (response.status_code, response.json()["code"]) == (403, "unavailable")
    assert writes(sandbox) == []


def test_plan_of_another_account_is_not_found(sandbox, staging, api_client):
    plan = make_plan(sandbox)
    client = api_client(account_sid=staging.account_sid)

    assert client.get("plans").json()["items"] == []
    assert client.get(f"plans/{plan.pk}").status_code == 404
    assert start(client, plan.pk).status_code == 404
    assert client.get(f"plans/{uuid.uuid4()}").status_code == 404


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_steps_take_the_role_and_the_scope_and_denials_are_logged(sandbox, api_client, role, scope):
    plan = make_plan(sandbox)
    client = api_client(role, scope=scope)
    may_change = role in WRITERS and scope == "write"
    path = f"plans/{plan.pk}"

    statuses = [
        draft(client, {"kind": "disable", "filter": {}}, dry_run="true").status_code,
        start(client, plan.pk).status_code,
        client.send("POST", f"{path}/stop").status_code,
        client.send("POST", f"{path}/rollback").status_code,
        client.send("POST", f"{path}/retry").status_code,
        client.send("DELETE", path).status_code,
    ]

    assert client.get(path).status_code == 200
    assert statuses == ([200, 202, 200, 409, 409, 409] if may_change else [403] * 6)
    denials = AuditEvent.objects.filter(action__startswith="plan.", result="denied")
    assert denials.count() == (0 if may_change else 6)


def test_list_has_the_plans_that_change_an_account(sandbox, staging, sids, api_client):
    other_sid = staging.add_flow(friendly_name="In staging", enabled=True)
    sync_account(staging.account_sid)
    client = api_client("admin")
    drafts = {
        name: draft(client, {"kind": "disable", "sids": chosen}).json()["id"]
        for name, chosen in {"one": sids, "other": [other_sid], "both": [*sids, other_sid]}.items()
    }
    draft(client, {"kind": "enable", "sids": sids})  # skipped, because all of them are on

    def listed(account_sid):
        return {each["id"] for each in client.get("plans", account=account_sid).json()["items"]}

    assert listed(ACCOUNT) == {drafts["one"], drafts["both"]}
    assert listed(staging.account_sid) == {drafts["other"], drafts["both"]}
    assert client.get("plans", account="nonsense").status_code == 422


@pytest.mark.parametrize("is_limited", [False, True])
@pytest.mark.parametrize("scope", ["read", "write"])
def test_token_sees_and_discards_own_drafts_within_its_limits(
    sandbox, staging, sids, api_client, scope, is_limited
):
    body = {"kind": "disable", "sids": sids}
    plan_id = draft(api_client("admin"), body).json()["id"]
    limits = {"accounts": [staging.account_sid]} if is_limited else {}
    client = api_client("admin", scope=scope, **limits)

    listed = [plan["id"] for plan in client.get("plans").json()["items"]]
    statuses = [
        client.get(f"plans/{plan_id}").status_code,
        client.send("DELETE", f"plans/{plan_id}").status_code,
    ]

    assert listed == ([] if is_limited else [plan_id])
    discard_status = 204 if scope == "write" else 403
    assert statuses == ([404, 404] if is_limited else [200, discard_status])
    assert Plan.objects.filter(pk=plan_id).exists() == (is_limited or scope == "read")
