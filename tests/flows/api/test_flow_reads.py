"""Flows are read from the local copy, by cursor, as far as the token's user may see them."""

from __future__ import annotations

import pytest

from flows.mirror.sync import sync_account
from tests import ACCOUNT

pytestmark = pytest.mark.django_db


def add_flows(sandbox, count):
    sids = [
        sandbox.add_flow(
            friendly_name=f"Flow {number}", channel_type="web", enabled=bool(number % 2)
        )
        for number in range(count)
    ]
    sync_account(ACCOUNT)
    return sorted(sids)


def test_pages_by_cursor_have_each_flow_once(sandbox, api_client):
    sids = add_flows(sandbox, 5)
    client = api_client("viewer", scope="read")

    pages, cursor = [], ""
    while cursor is not None:
        body = client.get("flows", limit=2, cursor=cursor).json()
        pages.append([item["sid"] for item in body["items"]])
        cursor = body["next_cursor"]

    assert pages == [sids[:2], sids[2:4], sids[4:]]


def test_filters_are_those_of_the_list(sandbox, api_client):
    add_flows(sandbox, 4)
    client = api_client()

    on = client.get("flows", enabled="true").json()["items"]
    named = client.get("flows", q="Flow 2").json()["items"]

    assert [item["enabled"] for item in on] == [True, True]
    assert [item["friendly_name"] for item in named] == ["Flow 2"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("channel", "fax"), ("account", "AC0"), ("cursor", "!"), ("limit", "0"), ("colour", "red")],
)
def test_invalid_parameter_is_named(flow_sid, api_client, name, value):
    response = api_client().get("flows", **{name: value})

    assert response.status_code == 422
    assert response["Content-Type"] == "application/problem+json"
    assert list(response.json()["errors"]) == [name]


def test_flow_has_the_response_names_and_an_etag_of_its_version(sandbox, flow_sid, api_client):
    client = api_client()

    first = client.get(f"flows/{flow_sid}")
    again = client.get(f"flows/{flow_sid}")
    sandbox.edit_flow(flow_sid, friendly_name="New")
    sync_account(ACCOUNT)
    changed = client.get(f"flows/{flow_sid}")

    assert first.json()["integration_flow_sid"] == "FW" + "1" * 32
    assert first.json()["deleted_at"] is None
    assert first["ETag"] == again["ETag"] != changed["ETag"]


def test_unknown_and_deleted_flows_are_not_found(sandbox, flow_sid, api_client):
    client = api_client()
    sandbox.remove_flow(flow_sid)
    sync_account(ACCOUNT)

    responses = [client.get(f"flows/{sid}") for sid in (flow_sid, "FO" + "0" * 32)]
    deleted = client.get("flows", enabled="gone").json()["items"]

    assert [response.status_code for response in responses] == [404, 404]
    assert [item["sid"] for item in deleted] == [flow_sid]
    assert deleted[0]["deleted_at"]


def test_token_of_one_account_sees_nothing_of_another(sandbox, staging, flow_sid, api_client):
    staging.add_flow(friendly_name="Elsewhere")
    sync_account(staging.account_sid)
    other_sid = next(iter(staging.flows))
    client = api_client("admin", accounts=[ACCOUNT])

    listed = client.get("flows").json()["items"]

    assert [item["sid"] for item in listed] == [flow_sid]
    assert client.get(f"flows/{other_sid}").status_code == 404
    assert client.get("flows", account=staging.account_sid).status_code == 422
    assert [each["sid"] for each in client.get("accounts").json()["items"]] == [ACCOUNT]


@pytest.mark.parametrize("path", ["flows", "requests", "schedules", "history", "checks"])
def test_misspelled_parameter_is_refused_instead_of_listing_everything(flow_sid, api_client, path):
    response = api_client("viewer").get(path, acount="AC1")

    assert (response.status_code, list(response.json()["errors"])) == (422, ["acount"])
