"""Change requests over the API take the same steps as on pages."""

from __future__ import annotations

import uuid
from dataclasses import fields

import pytest

from flexadmin.users.roles import ROLES
from flows.api.calls.change_policies import PolicyHours, PolicyTerms
from flows.approvals.forms import PolicyForm
from flows.approvals.models import ChangeRequest
from flows.approvals.terms import Terms, load_terms
from flows.audit.models import AuditEvent, KeyedRequest
from tests import ACCOUNT
from tests.flows.approvals.acting import (
    ANY,
    approve,
    event_actions,
    request_rename,
    set_policy,
    writes,
)

pytestmark = pytest.mark.django_db(transaction=True)
STEPS = ("approve", "reject", "comment", "cancel", "apply", "break-glass")
WRITERS = {"operator", "admin"}


@pytest.fixture
def requester(person):
    return person("operator", "requester")


@pytest.fixture
def pending(sandbox, flow_sid, requester) -> ChangeRequest:
    set_policy(ANY)
    return request_rename(requester, flow_sid)


def take(client, request, step, **body):
    found = client.get(f"requests/{request.pk}").json()
    content = {"content_hash": found["content_hash"], "comment": "Checked", **body}
    return client.send("POST", f"requests/{request.pk}/{step}", content)


def test_list_has_filters_and_cursor(pending, requester, api_client, flow_sid):
    second = request_rename(requester, flow_sid, "Another name")
    client = api_client("operator")

    first_page = client.get("requests", limit=1).json()
    second_page = client.get("requests", limit=1, cursor=first_page["next_cursor"]).json()

    ids = [each["id"] for page in (first_page, second_page) for each in page["items"]]
    assert ids == [str(second.pk), str(pending.pk)]
    assert second_page["next_cursor"] is None
    assert len(client.get("requests", waiting="true", status="in_review").json()["items"]) == 2
    assert client.get("requests", status="done").json()["items"] == []
    assert client.get("requests", account="AC" + "9" * 32).status_code == 422
    assert api_client("viewer").get("requests", waiting="true").json()["items"] == []


def test_request_has_its_differences_approvals_and_conflicts(
    pending, requester, person, flow_sid, api_client
):
    other = request_rename(requester, flow_sid, "Another name")
    approve(pending, person("operator", "second"))

    body = api_client("viewer").get(f"requests/{pending.pk}").json()

    assert body["differences"] == [
        {"field": "friendly_name", "current": "Réclamations Lyon", "new": "New name"}
    ]
    assert (body["status"], body["approvals_required"]) == ("approved", 1)
    assert [(each["user"], each["void_reason"]) for each in body["approvals"]] == [("second", "")]
    assert body["conflicts"] == [str(other.pk)]


def test_approved_request_is_applied(sandbox, pending, api_client, flow_sid):
    client = api_client("operator")

    approved = take(client, pending, "approve")
    applied = take(client, pending, "apply")

    assert (approved.status_code, approved.json()["status"]) == (200, "approved")
    assert (applied.status_code, applied.json()["status"]) == (200, "done")
    assert sandbox.flows[flow_sid]["friendly_name"] == "New name"
    events = AuditEvent.objects.filter(request_id=pending.pk, action__startswith="request.a")
    assert {event.token_key for event in events} == {client.token.key}


def test_approval_of_other_content_is_refused(pending, api_client):
    response = take(api_client("operator"), pending, "approve", content_hash="0" * 64)

    assert (response.status_code, response.json()["code"]) == (409, "content_changed")
    assert not pending.approvals.exists()


def test_no_one_approves_their_own_request(pending, requester, api_client):
    requester.username = "operator"
    requester.save()

    response = take(api_client("operator"), pending, "approve")

    assert response.status_code == 403
    assert "your own request" in response.json()["detail"]
    assert AuditEvent.objects.filter(action="request.approve", result="denied").count() == 1


def test_rejection_keeps_its_comment(pending, api_client):
    client = api_client("operator")

    refused = take(client, pending, "reject", comment="")
    rejected = take(client, pending, "reject", comment="Not before Monday")

    assert (refused.status_code, list(refused.json()["errors"])) == (422, ["comment"])
    assert (rejected.json()["status"], rejected.json()["note"]) == ("rejected", "Not before Monday")
    assert take(client, pending, "apply").json()["code"] == "wrong_status"


def test_break_glass_sends_without_approval_and_needs_a_reason(sandbox, pending, api_client):
    client = api_client("admin")

    refused = take(client, pending, "break-glass", comment="")
    sent = take(client, pending, "break-glass", comment="Outage")

    assert refused.status_code == 422
    assert (sent.status_code, sent.json()["is_without_approval"]) == (200, True)
    assert "request.break_glass" in event_actions(pending)


def test_failed_change_is_a_problem(sandbox, pending, api_client, flow_sid):
    client = api_client("operator")
    take(client, pending, "approve")
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    response = take(client, pending, "apply")

    assert response.status_code == 409
    assert response.json()["code"] == response.json()["request"]["status"] == "suspended"
    assert writes(sandbox) == []


def test_own_request_is_edited_and_its_approvals_are_void(pending, requester, person, api_client):
    approve(pending, person("operator", "second"))
    requester.username = "operator"
    requester.save()
    client = api_client("operator")
    path = f"requests/{pending.pk}"
    content_hash = client.get(path).json()["content_hash"]

    def edit(values):
        return client.send("PATCH", path, {"content_hash": content_hash, "values": values})

    unknown, invalid = edit({"enabled": False}), edit({"friendly_name": ""})
    edited = edit({"friendly_name": "Better name"})

    assert (unknown.status_code, list(unknown.json()["errors"])) == (422, ["enabled"])
    assert (invalid.status_code, list(invalid.json()["errors"])) == (422, ["friendly_name"])
    assert edited.json()["differences"][0]["new"] == "Better name"
    assert edited.json()["status"] == "in_review"
    assert edited.json()["approvals"][0]["void_reason"]


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_steps_take_the_role_and_the_scope_and_denials_are_logged(pending, api_client, role, scope):
    client = api_client(role, scope=scope)
    may_change = role in WRITERS and scope == "write"

    for step in STEPS:
        allowed = may_change and (step != "break-glass" or role == "admin")
        response = client.send("POST", f"requests/{pending.pk}/{step}", {"content_hash": "old"})
        assert (response.status_code == 403) == (not allowed or is_own_step(step, role)), step
        action = f"request.{step.replace('-', '_')}"
        denials = AuditEvent.objects.filter(action=action, result="denied")
        assert denials.count() == (response.status_code == 403)


def is_own_step(step, role):
    """Only the requester and administrators can cancel a request."""
    return step == "cancel" and role != "admin"


def test_request_of_another_account_is_not_found(pending, staging, api_client):
    client = api_client("operator", account_sid=staging.account_sid)

    assert client.get("requests").json()["items"] == []
    assert client.get(f"requests/{pending.pk}").status_code == 404
    assert client.send("POST", f"requests/{pending.pk}/approve", {}).status_code == 404


def test_policy_is_set_once_and_read(sandbox, api_client):
    client, key = api_client("admin"), "6f1f6d1e-53a5-4a5c-9d3b-1f0e1c2d3e4f"
    terms = {
        "requires_reason": True,
        "kinds": ["delete"],
        "approvals_required": 2,
        "hours": {
            "days": [0, 1],
            "opens_at": "08:00",
            "closes_at": "17:30",
            "time_zone": "Europe/Paris",
        },
    }
    body = {**terms, "reason": "Four eyes"}

    first = client.send("PUT", f"policies/{ACCOUNT}", body, idempotency_key=key)
    again = client.send("PUT", f"policies/{ACCOUNT}", body, idempotency_key=key)

    (policy,) = client.get("policies").json()["items"]
    assert first.status_code == again.status_code == 200
    assert again["Idempotency-Replayed"] == "true"
    assert terms.items() <= policy.items()
    assert policy["shortage"]
    assert AuditEvent.objects.filter(action="policy.set", result="succeeded").count() == 1


def test_body_of_a_policy_has_each_field_of_the_form_and_of_the_terms(sandbox, api_client):
    terms = {field.name for field in fields(Terms)}
    form_only = {"reason", "change_id"}

    (policy,) = api_client().get("policies").json()["items"]

    body = set(PolicyTerms.model_fields)
    assert body == terms == policy.keys() - {"account_sid", "shortage"}
    assert (
        body - {"hours"} | set(PolicyHours.model_fields) == set(PolicyForm.base_fields) - form_only
    )


def test_policy_that_is_read_and_set_again_keeps_its_limit_of_bulk_changes(sandbox, api_client):
    set_policy(Terms(bulk_limit=2))
    client = api_client("admin")
    (policy,) = client.get("policies").json()["items"]
    terms = {name: policy[name] for name in PolicyTerms.model_fields}

    response = client.send(
        "PUT",
        f"policies/{ACCOUNT}",
        {**terms, "requires_reason": True, "reason": "Reasons"},
    )

    assert response.json()["bulk_limit"] == 2
    assert load_terms(ACCOUNT) == Terms(bulk_limit=2, requires_reason=True)


@pytest.mark.parametrize("limit", [0, 10**9, "2"])
def test_limit_of_bulk_changes_that_the_form_refuses_is_refused(sandbox, api_client, limit):
    body = {"bulk_limit": limit, "reason": "Limit"}

    response = api_client("admin").send("PUT", f"policies/{ACCOUNT}", body)

    assert (response.status_code, list(response.json()["errors"])) == (422, ["bulk_limit"])


def test_key_of_another_change_sets_no_policy(sandbox, staging, flow_sid, api_client):
    client, key = api_client("admin"), str(uuid.uuid4())
    body = {"kinds": ["any"], "reason": "Four eyes"}
    client.send("PUT", f"policies/{ACCOUNT}", body, idempotency_key=key)

    others = [
        client.send("PUT", f"policies/{ACCOUNT}", {"reason": "None"}, idempotency_key=key),
        client.send("PUT", f"policies/{staging.account_sid}", body, idempotency_key=key),
    ]
    KeyedRequest.objects.all().delete()  # as after 30 days
    others.append(client.send("PUT", f"policies/{staging.account_sid}", body, idempotency_key=key))

    assert {(each.status_code, each.json()["code"]) for each in others} == {(422, "key_reused")}
    assert load_terms(ACCOUNT) == Terms(kinds=("any",))
    assert load_terms(staging.account_sid) == Terms()


def test_invalid_policy_names_its_fields(sandbox, api_client):
    hours = {"days": [0], "opens_at": "17:00", "closes_at": "08:00", "time_zone": "Europe/Paris"}

    response = api_client("admin").send(
        "PUT", f"policies/{ACCOUNT}", {"hours": hours, "reason": "Hours"}
    )

    assert (response.status_code, list(response.json()["errors"])) == (422, ["closes_at"])


@pytest.mark.parametrize("role", ROLES)
def test_only_administrators_set_policies(sandbox, api_client, role):
    response = api_client(role).send("PUT", f"policies/{ACCOUNT}", {"reason": "None"})

    assert response.status_code == (200 if role == "admin" else 403)
    denials = AuditEvent.objects.filter(action="policy.set", result="denied")
    assert denials.count() == (role != "admin")


def test_missing_reason_under_a_policy_is_refused(sandbox, flow_sid, api_client):
    set_policy(Terms(requires_reason=True))

    response = api_client("admin").send("PUT", f"policies/{ACCOUNT}", {"reason": ""})

    assert (response.status_code, list(response.json()["errors"])) == (422, ["reason"])
