"""A test of a webhook over the API is posted once, to the webhook that the client has seen."""

from __future__ import annotations

import uuid

import pytest

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.webhook_tests import services
from tests import ACCOUNT
from tests.flows.approvals.acting import writes
from tests.flows.webhook_tests.conftest import add_external_flow, external_sid, receiver

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["external_sid", "receiver"]  # fixtures


def post_test(client, sid, body=None, **headers):
    headers = {"if_match": client.get(f"flows/{sid}")["ETag"], **headers}
    return client.send("POST", f"flows/{sid}/webhook-test", body or {}, **headers)


def test_test_is_posted_once_and_nothing_is_sent_to_twilio(
    sandbox, external_sid, receiver, api_client
):
    client, key = api_client(), str(uuid.uuid4())
    body = {"text": "Hello from the pipeline", "reason": "Ticket 12"}

    first = post_test(client, external_sid, body, idempotency_key=key)
    again = post_test(client, external_sid, body, idempotency_key=key)

    (post,) = receiver.posts
    assert post.form["Body"] == "Hello from the pipeline"
    assert (first.status_code, first.json()["result"]) == (200, "succeeded")
    assert (first.json()["status"], first.json()["answer"]) == (200, "OK")
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    events = AuditEvent.objects.filter(change_id=key)
    assert {(event.reason, event.token_key) for event in events} == {
        ("Ticket 12", client.token.key)
    }
    assert writes(sandbox) == []


def test_refusal_of_the_handler_is_a_result(external_sid, receiver, api_client):
    receiver.status = 401

    response = post_test(api_client(), external_sid)

    assert (response.status_code, response.json()["result"]) == (200, "failed")
    assert response.json()["status"] == 401
    assert "refused the test" in response.json()["message"]


def test_webhook_that_was_changed_at_twilio_gets_no_test(
    sandbox, external_sid, receiver, api_client
):
    client = api_client()
    etag = client.get(f"flows/{external_sid}")["ETag"]
    sandbox.edit_flow(external_sid, integration_url=f"{receiver.url}/other")

    stale = post_test(client, external_sid, if_match=etag)
    missing = post_test(client, external_sid, if_match="")
    current = post_test(client, external_sid, if_match=stale["ETag"])

    assert (stale.status_code, missing.status_code) == (412, 428)
    assert current.status_code == 200
    assert [post.path for post in receiver.posts] == ["/in/other"]


def test_secret_of_the_webhook_is_not_in_the_answer(sandbox, receiver, api_client):
    receiver.echo = True
    sid = add_external_flow(sandbox, f"{receiver.url}?token=s3cretvalue")

    response = post_test(api_client(), sid)

    assert response.json()["result"] == "succeeded"
    assert "token=" in response.json()["answer"]
    assert "s3cretvalue" not in response.content.decode()


def test_flow_without_a_webhook_gets_no_test(flow_sid, api_client):
    response = post_test(api_client(), flow_sid)

    assert (response.status_code, response.json()["code"]) == (409, "no_webhook")


def test_invalid_text_names_its_field(external_sid, receiver, api_client):
    for text in ("", "x" * 501):
        response = post_test(api_client(), external_sid, {"text": text})
        assert (response.status_code, list(response.json()["errors"])) == (422, ["text"])
    assert receiver.posts == []


def test_read_only_account_gets_no_test(external_sid, receiver, api_client, actor):
    restrictions.set_read_only(account_sid=ACCOUNT, reason="Audit", actor=actor)

    response = post_test(api_client(), external_sid)

    assert (response.status_code, response.json()["code"]) == (403, "unavailable")
    assert receiver.posts == []


def test_too_many_tests_at_a_time_wait(external_sid, receiver, api_client):
    for _ in range(services.MAX_CONCURRENT_TESTS):
        services.test_slots.acquire()
    try:
        response = post_test(api_client(), external_sid)
    finally:
        services.test_slots.release(services.MAX_CONCURRENT_TESTS)

    assert (response.status_code, response.json()["code"]) == (429, "too_many_tests")
    assert receiver.posts == []


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_test_takes_the_role_and_the_scope_and_a_denial_is_logged(
    external_sid, receiver, api_client, role, scope
):
    may_test = role in {"operator", "admin"} and scope == "write"

    response = post_test(api_client(role, scope=scope), external_sid)

    assert response.status_code == (200 if may_test else 403)
    assert len(receiver.posts) == may_test
    denials = AuditEvent.objects.filter(action="flow.webhook_test", result="denied")
    assert denials.count() == (not may_test)


def test_flow_of_another_account_is_not_found(external_sid, receiver, staging, api_client):
    client = api_client(account_sid=staging.account_sid)

    response = client.send("POST", f"flows/{external_sid}/webhook-test", {}, if_match='"x"')

    assert response.status_code == 404
