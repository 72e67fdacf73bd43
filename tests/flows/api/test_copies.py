"""A copy of flows to another account is drafted over the API with a map of SIDs."""

from __future__ import annotations

import pytest

from flexadmin.users.roles import ROLES
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from flows.sid_map import mappings
from flows.sid_map.mappings import Direction
from flows.sid_map.models import SidMapping
from tests import ACCOUNT
from tests.flows.copying.conftest import two
from tests.flows.copying.samples import (
    SERVICE,
    STAGING_SERVICE,
    STAGING_STUDIO,
    STUDIO,
    name_object,
)

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["two"]  # a fixture
SID_MAP = {STUDIO: STAGING_STUDIO, SERVICE: STAGING_SERVICE}


def copy(client, two, query=None, **changes):
    body = {
        "source_account": ACCOUNT,
        "target_account": two.target,
        "sids": two.sids,
        "sid_map": SID_MAP,
        **changes,
    }
    return client.send("POST", "plans/copy", body, query)


def items_by_name(plan):
    return {item["friendly_name"]: item for item in plan["items"]}


def new_values(item):
    return {each["field"]: each["new"] for each in item["differences"]}


def test_draft_creates_and_updates_and_sends_nothing(two, api_client):
    before = len(two.staging.requests)
    client = api_client()

    response = copy(client, two)

    plan = client.get(response["Location"].removeprefix("/api/v1/")).json()
    created, updated = (items_by_name(plan)[name] for name in ("Bookings", "Returns"))
    assert (response.status_code, plan["status"], plan["created_by"]) == (201, "draft", "operator")
    assert (created["action"], created["account_sid"]) == ("flow.create", two.target)
    assert new_values(created)["integration_flow_sid"] == STAGING_STUDIO
    assert new_values(created)["enabled"] is False
    assert (updated["action"], updated["sid"]) == ("flow.update", two.counterpart)
    assert new_values(updated) == {"integration_retry_count": 3}
    assert (response.json()["refused"], len(response.json()["unchecked"])) == ([], 2)
    assert [one for one in two.staging.requests[before:] if one.method != "GET"] == []


def test_map_is_stored_with_the_token_and_sent_once(two, api_client):
    client = api_client()

    copy(client, two)
    again = copy(client, two, sid_map={})

    assert again.status_code == 201
    assert mappings.load_map(Direction(ACCOUNT, two.target)) == SID_MAP
    events = AuditEvent.objects.filter(action__startswith="sid_map")
    assert [event.token_key for event in events] == [client.token.key] * 2


def test_missing_sids_are_named_with_suggestions_and_nothing_is_stored(two, api_client):
    name_object(ACCOUNT, STUDIO, "Support IVR")
    name_object(two.target, STAGING_STUDIO, "Support IVR")

    response = copy(api_client(), two, sid_map={})

    assert response.status_code == 422
    assert set(response.json()["errors"]) == {f"sid_map.{STUDIO}", f"sid_map.{SERVICE}"}
    assert response.json()["suggestions"] == {STUDIO: STAGING_STUDIO}
    assert not SidMapping.objects.exists()
    assert not Plan.objects.exists()


def test_stored_sid_is_removed(two, api_client):
    client = api_client()
    direction, spare = Direction(ACCOUNT, two.target), "WS" + "1" * 32
    SidMapping.objects.create(
        source_account_sid=ACCOUNT,
        target_account_sid=two.target,
        source_sid=spare,
        target_sid="WS" + "e" * 32,
    )

    removed = copy(client, two, sid_map={**SID_MAP, spare: None})
    again = copy(client, two, sid_map={spare: None})

    assert removed.status_code == 201
    assert mappings.load_map(direction) == SID_MAP
    assert list(again.json()["errors"]) == [f"sid_map.{spare}"]


def test_dry_run_stores_neither_the_draft_nor_the_map(two, api_client):
    response = copy(api_client(), two, {"dry_run": "true"})

    assert (response.status_code, len(response.json()["items"])) == (200, 2)
    assert not SidMapping.objects.exists()
    assert not Plan.objects.exists()


def test_all_flows_and_the_rest_of_the_choices(two, api_client):
    response = copy(api_client(), two, sids=None, turned_off=False, copy_identities=True)

    items = items_by_name(response.json())
    assert set(items) == {"Bookings", "Returns"}
    assert new_values(items["Bookings"])["enabled"] is True
    assert new_values(items["Returns"])["contact_identity"] == "+33199000102"


def test_webhook_with_a_secret_takes_an_address_without_one(two, api_client):
    sid = two.production.add_flow(
        friendly_name="Hook",
        channel_type="web",
        chat_service_sid=SERVICE,
        integration_type="external",
        integration_url="https://hooks.example.com/in/tok_9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    )
    sync_account(ACCOUNT)
    client, url = api_client(), "https://staging.example.com/in"
    body = {"sids": [sid], "sid_map": {SERVICE: STAGING_SERVICE}}

    skipped = copy(client, two, **body)
    drafted = copy(client, two, **body, urls={sid: url})
    secret = copy(client, two, **body, urls={sid: f"{url}?token=9f8e7d6c5b4a3928"})

    assert "secret" in skipped.json()["items"][0]["message"]
    assert new_values(drafted.json()["items"][0])["integration_url"] == url
    assert (secret.status_code, list(secret.json()["errors"])) == (422, [f"urls.{sid}"])
    assert "9f8e7d6c5b4a3928" not in secret.content.decode()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"source_account": "AC" + "9" * 32}, "source_account"),
        ({"target_account": ACCOUNT}, "target_account"),
        ({"at": "yesterday"}, "at"),
        ({"sids": ["FO" + "9" * 32]}, "sids"),
        ({"sids": []}, "sids"),
        ({"sid_map": {**SID_MAP, STUDIO: "WW12"}}, f"sid_map.{STUDIO}"),
        ({"sid_map": {**SID_MAP, "FW" + "9" * 32: STAGING_STUDIO}}, "sid_map.FW" + "9" * 32),
        ({"urls": {"FO" + "9" * 32: "https://example.com/"}}, "urls.FO" + "9" * 32),
    ],
)
def test_invalid_value_names_its_field(two, api_client, changes, field):
    response = copy(api_client(), two, **changes)

    assert (response.status_code, list(response.json()["errors"])) == (422, [field])
    assert not Plan.objects.exists()


def test_read_only_account_takes_no_new_counterparts(two, api_client, actor):
    restrictions.set_read_only(account_sid=two.target, reason="Audit", actor=actor)

    response = copy(api_client(), two)

    assert (response.status_code, response.json()["code"]) == (403, "unavailable")
    assert not SidMapping.objects.exists()
    assert not Plan.objects.exists()


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_copy_takes_the_role_and_the_scope_and_a_denial_is_logged(two, api_client, role, scope):
    may_copy = role in {"operator", "admin"} and scope == "write"

    response = copy(api_client(role, scope=scope), two)

    assert response.status_code == (201 if may_copy else 403)
    assert Plan.objects.count() == may_copy
    denials = AuditEvent.objects.filter(action="plan.start", result="denied")
    assert denials.count() == (not may_copy)


@pytest.mark.parametrize("source_is_visible", [False, True])
def test_role_on_one_account_copies_nothing_out_of_it(two, api_client, source_is_visible):
    client = api_client(account_sid=ACCOUNT if source_is_visible else two.target)

    response = copy(client, two)

    field = "target_account" if source_is_visible else "source_account"
    assert (response.status_code, list(response.json()["errors"])) == (422, [field])
    assert not Plan.objects.exists()
