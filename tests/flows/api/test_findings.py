"""Findings over the API are accepted until a day, and shown again."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent
from flows.checks import suppressions
from flows.checks.models import Suppression
from flows.mirror.sync import sync_account
from tests import ACCOUNT

pytestmark = pytest.mark.django_db(transaction=True)
UNTIL = (suppressions.today() + timedelta(days=7)).isoformat()


@pytest.fixture
def finding(sandbox, api_client):
    """The finding of a flow whose webhook is not encrypted."""
    webhook = {"integration_type": "external", "integration_url": "http://example.com/in"}
    sandbox.add_flow(friendly_name="Without encryption", enabled=True, **webhook)
    sync_account(ACCOUNT)
    return api_client("viewer").get("checks").json()["items"][0]


def path_of(finding):
    return f"checks/{finding['rule']}/{finding['sid']}/suppression"


def suppress(client, finding, body=None, **headers):
    accepted = {"until": UNTIL, "digests": [finding["digest"]], "reason": "It is a draft"}
    return client.send("PUT", path_of(finding), accepted | (body or {}), **headers)


def listed(client):
    return [(each["rule"], each["sid"]) for each in client.get("checks").json()["items"]]


def test_finding_is_accepted_once_and_shown_again(finding, api_client):
    client, key = api_client(), str(uuid.uuid4())
    named = (finding["rule"], finding["sid"])

    first = suppress(client, finding, idempotency_key=key)
    again = suppress(client, finding, idempotency_key=key)
    while_accepted = listed(client)
    ended = [client.send("DELETE", path_of(finding)).status_code for _ in range(2)]

    assert (first.status_code, first.json()["until"]) == (200, UNTIL)
    assert again["Idempotency-Replayed"] == "true"
    assert named not in while_accepted
    assert ended == [204, 404]
    assert named in listed(client)
    event = AuditEvent.objects.get(change_id=key)
    assert (event.reason, event.token_key) == ("It is a draft", client.token.key)


def test_key_of_another_request_accepts_nothing(finding, api_client):
    client, key, detail_key = api_client(), str(uuid.uuid4()), str(uuid.uuid4())
    details = f"flows/{finding['sid']}/details"
    etag = client.get(details)["ETag"]
    client.send("PATCH", details, {"note": "Draft"}, if_match=etag, idempotency_key=detail_key)

    other_change = suppress(client, finding, idempotency_key=detail_key)
    is_stored_by_other = Suppression.objects.exists()
    suppress(client, finding, idempotency_key=key)
    other_body = suppress(client, finding, {"reason": "Another"}, idempotency_key=key)

    assert not is_stored_by_other
    for response in (other_change, other_body):
        assert (response.status_code, response.json()["code"]) == (422, "key_reused")


@pytest.mark.parametrize(
    ("body", "field"),
    [({"until": "2020-01-01"}, "until"), ({"until": "soon"}, "until"), ({"reason": ""}, "reason")],
)
def test_invalid_acceptance_names_its_field(finding, api_client, body, field):
    response = suppress(api_client(), finding, body)

    assert (response.status_code, list(response.json()["errors"])) == (422, [field])


def test_other_finding_is_not_accepted_unseen(finding, api_client):
    response = suppress(api_client(), finding, {"digests": ["other"]})

    assert (response.status_code, response.json()["code"]) == (409, "content_changed")
    assert not Suppression.objects.exists()


def test_absent_finding_is_not_found(finding, api_client):
    client = api_client()

    assert suppress(client, finding | {"rule": "no-such-check"}).status_code == 404
    assert suppress(client, finding | {"rule": "target-gone"}).status_code == 404


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_acceptance_takes_the_role_and_the_scope(finding, api_client, role, scope):
    client = api_client(role, scope=scope)
    may_change = role in {"operator", "admin"} and scope == "write"

    statuses = [
        suppress(client, finding).status_code,
        client.send("DELETE", path_of(finding)).status_code,
    ]

    assert statuses == ([200, 204] if may_change else [403, 403])
    denials = AuditEvent.objects.filter(action__startswith="finding.", result="denied")
    assert denials.count() == (0 if may_change else 2)
