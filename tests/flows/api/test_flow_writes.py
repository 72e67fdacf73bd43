"""Changes over the API follow the write protocol, and answer with its outcome."""

from __future__ import annotations

import uuid
from unittest.mock import patch

import pytest

from flows.approvals.models import ChangeRequest
from flows.audit import audit_log
from flows.audit.models import AuditEvent, KeyedRequest
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.flows.approvals.acting import ANY, set_policy

pytestmark = pytest.mark.django_db(transaction=True)
NEW = {
    "friendly_name": "Bookings",
    "chat_service_sid": "IS" + "2" * 32,
    "channel_type": "web",
    "integration_type": "studio",
    "integration_flow_sid": "FW" + "3" * 32,
}


def read_etag(client, sid):
    return client.get(f"flows/{sid}")["ETag"]


def change(client, sid, body, **headers):
    headers = {"if_match": read_etag(client, sid), **headers}
    return client.send("PATCH", f"flows/{sid}", body, **headers)


def test_flow_is_created_once_and_logged_as_user_and_token(sandbox, api_client):
    client, key = api_client(), str(uuid.uuid4())
    body = {**NEW, "reason": "Opening"}

    first = client.send("POST", "flows", body, idempotency_key=key)
    again = client.send("POST", "flows", body, idempotency_key=key)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again["Idempotency-Replayed"] == "true"
    assert first.json()["sid"] == again.json()["sid"] == first["Location"].rsplit("/", 1)[-1]
    assert first["ETag"] == read_etag(client, first.json()["sid"])
    assert len(sandbox.flows) == 1
    events = AuditEvent.objects.filter(change_id=key).order_by("seq")
    assert [event.stage for event in events] == ["attempt", "outcome"]
    assert {(e.actor_label, e.token_key, e.reason) for e in events} == {
        ("operator", client.token.key, "Opening")
    }


def test_change_sets_only_the_sent_fields(sandbox, flow_sid, api_client):
    client = api_client()

    response = change(client, flow_sid, {"friendly_name": "Complaints", "reason": "Spelling"})

    assert response.status_code == 200
    assert response.json()["friendly_name"] == "Complaints"
    assert response.json()["change"]["changed_fields"] == ["friendly_name"]
    assert response["ETag"] == read_etag(client, flow_sid)
    assert sandbox.flows[flow_sid]["contact_identity"] == "+33199000123"


def test_change_without_difference_sends_nothing(sandbox, flow_sid, api_client):
    response = change(api_client(), flow_sid, {"enabled": True})

    assert (response.status_code, response.json()["change"]) == (200, None)


@pytest.mark.parametrize("etag", ["", "*"])
def test_change_needs_a_version(flow_sid, api_client, etag):
    response = api_client().send("PATCH", f"flows/{flow_sid}", {"enabled": False}, if_match=etag)

    assert (response.status_code, response.json()["code"]) == (428, "version_required")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_stale_version_is_refused(sandbox, flow_sid, api_client, method):
    client = api_client()
    etag = read_etag(client, flow_sid)
    change(client, flow_sid, {"enabled": False})

    response = client.send(method, f"flows/{flow_sid}", {"reason": ""}, if_match=etag)

    assert (response.status_code, response.json()["code"]) == (412, "stale")
    assert flow_sid in sandbox.flows


def test_unseen_edit_of_the_same_field_is_a_conflict(sandbox, flow_sid, api_client):
    client = api_client()
    etag = read_etag(client, flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")  # not synced

    response = client.send("PATCH", f"flows/{flow_sid}", {"friendly_name": "Mine"}, if_match=etag)

    assert response.status_code == 409
    assert response.json()["conflicts"]["friendly_name"] == {
        "base": "Réclamations Lyon",
        "current": "Theirs",
        "requested": "Mine",
    }
    assert sandbox.flows[flow_sid]["friendly_name"] == "Theirs"


def test_unseen_edit_of_another_field_is_kept(sandbox, flow_sid, api_client):
    client = api_client()
    etag = read_etag(client, flow_sid)
    sandbox.edit_flow(flow_sid, friendly_name="Theirs")

    response = client.send("PATCH", f"flows/{flow_sid}", {"enabled": False}, if_match=etag)

    assert response.json()["change"]["merged_fields"] == ["friendly_name"]
    assert sandbox.flows[flow_sid]["friendly_name"] == "Theirs"


@pytest.mark.parametrize("body", [{"reason": "Unused"}, None], ids=["body", "query"])
def test_flow_is_deleted(sandbox, flow_sid, api_client, body):
    client, key = api_client(), str(uuid.uuid4())
    etag = read_etag(client, flow_sid)
    query = {} if body else {"reason": "Unused"}

    statuses = [
        client.send(
            "DELETE", f"flows/{flow_sid}", body, query, if_match=etag, idempotency_key=key
        ).status_code
        for _ in range(2)
    ]

    assert statuses == [204, 204]
    assert flow_sid not in sandbox.flows
    assert {event.reason for event in AuditEvent.objects.filter(change_id=key)} == {"Unused"}
    assert client.get(f"flows/{flow_sid}").status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"friendly_name": ""}, "friendly_name"),
        ({"channel_type": "fax"}, "channel_type"),
        ({"integration_retry_count": 9}, "integration_retry_count"),
        ({"integration_url": "https://example.com/"}, "integration_url"),
        ({"enabled": "true"}, "enabled"),
        ({"sid": "FO" + "1" * 32}, "sid"),
        ({"reason": "x" * 201}, "reason"),
    ],
)
def test_invalid_field_is_named_and_nothing_is_sent(sandbox, flow_sid, api_client, body, field):
    response = change(api_client(), flow_sid, body)

    assert (response.status_code, list(response.json()["errors"])) == (422, [field])
    assert not AuditEvent.objects.filter(action="flow.update").exists()


def test_refusal_of_twilio_is_a_problem_with_its_field(sandbox, flow_sid, api_client):
    sandbox.add_flow(
        friendly_name="Other", channel_type="sms", contact_identity="+33199000199", enabled=True
    )
    sync_account(ACCOUNT)

    response = change(api_client(), flow_sid, {"contact_identity": "+33199000199"})

    assert response.status_code == 422
    assert list(response.json()["errors"]) == ["contact_identity"]
    assert response.json()["change"]["result"] == "failed"


def test_dry_run_answers_with_the_differences_and_sends_nothing(sandbox, flow_sid, api_client):
    client = api_client()
    headers = {"if_match": read_etag(client, flow_sid)}

    edit = client.send(
        "PATCH", f"flows/{flow_sid}", {"enabled": False}, {"dry_run": "true"}, **headers
    )
    creation = client.send("POST", "flows", NEW, {"dry_run": "true"})
    deletion = client.send("DELETE", f"flows/{flow_sid}", None, {"dry_run": "true"}, **headers)

    assert edit.json()["differences"] == [{"field": "enabled", "current": True, "new": False}]
    assert {each["field"] for each in creation.json()["differences"]} == set(NEW)
    assert deletion.json()["differences"][0]["field"] == "friendly_name"
    assert list(sandbox.flows) == [flow_sid]
    assert not AuditEvent.objects.filter(stage="attempt").exists()
    assert {each.json()["request_reason"] for each in (edit, creation, deletion)} == {""}

    set_policy(ANY)
    for method, path, body in (
        ("PATCH", f"flows/{flow_sid}", {"enabled": False}),
        ("POST", "flows", NEW),
        ("DELETE", f"flows/{flow_sid}", None),
    ):
        response = client.send(method, path, body, {"dry_run": "true"}, **headers)
        assert response.json()["request_reason"].startswith("The policy of this account requires")
    assert not ChangeRequest.objects.exists()


def test_unknown_outcome_is_accepted_with_the_address_of_the_change(sandbox, flow_sid, api_client):
    client = api_client()
    etag = read_etag(client, flow_sid)
    sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))

    response = client.send("PATCH", f"flows/{flow_sid}", {"enabled": False}, if_match=etag)
    later = client.get(response["Location"].removeprefix("/api/v1/"))
    blocked = client.send("PATCH", f"flows/{flow_sid}", {"long_lived": True}, if_match=etag)

    assert (response.status_code, later.json()["result"]) == (202, "unknown")
    assert (blocked.status_code, blocked.json()["code"]) == (409, "in_progress")


def test_nothing_is_sent_that_cannot_be_recorded(sandbox, flow_sid, api_client):
    client = api_client()
    etag = read_etag(client, flow_sid)

    with patch.object(audit_log, "transaction", side_effect=audit_log.NotRecorded):
        response = client.send("PATCH", f"flows/{flow_sid}", {"enabled": False}, if_match=etag)

    assert (response.status_code, response.json()["code"]) == (503, "not_recorded")
    assert response["Retry-After"]
    assert sandbox.flows[flow_sid]["enabled"] is True


def test_key_of_another_change_is_refused(flow_sid, api_client):
    client, key = api_client(), str(uuid.uuid4())
    change(client, flow_sid, {"enabled": False}, idempotency_key=key)

    other_call = client.send("POST", "flows", NEW, idempotency_key=key)
    other_user = api_client("admin").send("POST", "flows", NEW, idempotency_key=key)

    assert {other_call.json()["code"], other_user.json()["code"]} == {"key_reused"}


def test_secret_of_a_webhook_is_never_shown_and_stays(sandbox, api_client):
    sid = sandbox.add_flow(
        friendly_name="Hook",
        channel_type="web",
        integration_type="external",
        integration_url="https://example.com/hook?token=abcdef123456",
    )
    sync_account(ACCOUNT)
    client = api_client()
    shown = client.get(f"flows/{sid}").json()["integration_url"]

    response = change(client, sid, {"friendly_name": "Hooked", "integration_url": shown})

    assert "abcdef123456" not in shown
    assert response.status_code == 200
    assert sandbox.flows[sid]["integration"]["url"].endswith("token=abcdef123456")
    assert Flow.objects.get(pk=sid).friendly_name == "Hooked"


def test_creation_names_the_account_where_there_are_several(staging, api_client):
    client = api_client("admin")

    without = client.send("POST", "flows", NEW)
    with_account = client.send("POST", "flows", {**NEW, "account_sid": staging.account_sid})

    assert list(without.json()["errors"]) == ["account_sid"]
    assert with_account.status_code == 201
    assert len(staging.flows) == 1


def test_key_with_another_body_is_refused_and_nothing_is_sent(sandbox, flow_sid, api_client):
    client, key = api_client(), str(uuid.uuid4())
    change(client, flow_sid, {"friendly_name": "First"}, idempotency_key=key)

    other = change(client, flow_sid, {"friendly_name": "Second"}, idempotency_key=key)
    again = change(client, flow_sid, {"friendly_name": "First"}, idempotency_key=key)

    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert again["Idempotency-Replayed"] == "true"
    assert sandbox.flows[flow_sid]["friendly_name"] == "First"


def test_key_of_a_refused_body_can_be_sent_with_a_corrected_one(sandbox, flow_sid, api_client):
    client, key = api_client(), str(uuid.uuid4())

    refused = change(client, flow_sid, {"friendly_name": ""}, idempotency_key=key)
    corrected = change(client, flow_sid, {"friendly_name": "First"}, idempotency_key=key)

    assert (refused.status_code, corrected.status_code) == (422, 200)


def test_replay_outlives_a_new_secret_key(sandbox, flow_sid, api_client, settings):
    client, key = api_client(), str(uuid.uuid4())
    change(client, flow_sid, {"friendly_name": "First"}, idempotency_key=key)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-secret-key"

    again = change(client, flow_sid, {"friendly_name": "First"}, idempotency_key=key)

    assert again["Idempotency-Replayed"] == "true"


def test_key_of_a_change_request_with_another_body_is_refused(sandbox, flow_sid, api_client):
    set_policy(ANY)
    client, key = api_client(), str(uuid.uuid4())
    requested = change(client, flow_sid, {"friendly_name": "First"}, idempotency_key=key)

    other = change(client, flow_sid, {"friendly_name": "Second"}, idempotency_key=key)
    again = change(client, flow_sid, {"friendly_name": "First"}, idempotency_key=key)

    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert (again.status_code, again.json()["url"]) == (202, requested.json()["url"])
    assert ChangeRequest.objects.count() == 1


def test_request_without_a_change_leaves_no_digest(flow_sid, api_client):
    change(api_client(), flow_sid, {"enabled": True}, idempotency_key=str(uuid.uuid4()))

    assert not KeyedRequest.objects.exists()
