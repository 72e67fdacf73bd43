"""Routing, coverage and history over the API say the same as the pages."""

from __future__ import annotations

import pytest

from flexadmin.users.roles import ROLES
from flows.mirror.sync import sync_account
from tests import ACCOUNT

pytestmark = pytest.mark.django_db(transaction=True)
CALLS = ("routing", "coverage", "history", "history/comparison")
MESSAGE = {"channel": "sms", "address": "+33199000123"}


def test_message_has_its_handlers(flow_sid, api_client):
    response = api_client("viewer").get("routing", **MESSAGE)

    (answer,) = response.json()["items"]
    assert (response.status_code, answer["account_sid"]) == (200, ACCOUNT)
    assert (answer["verdict"], answer["direction"]) == ("one", "inbound")
    assert [handler["key"] for handler in answer["handlers"]] == [flow_sid]
    assert [each["sid"] for each in answer["candidates"] if each["gets_it"]] == [flow_sid]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"channel": "sms"}, "address"),
        ({"channel": "fax", "address": "+1"}, "channel"),
        ({"channel": "web", "direction": "outbound"}, "direction"),
        ({**MESSAGE, "account": "AC" + "9" * 32}, "account"),
    ],
)
def test_invalid_question_names_its_parameter(flow_sid, api_client, query, field):
    response = api_client("viewer").get("routing", **query)

    assert (response.status_code, list(response.json()["errors"])) == (422, [field])


def test_coverage_is_filtered(sandbox, flow_sid, api_client):
    client = api_client("viewer")
    client.send("POST", f"accounts/{ACCOUNT}/names")

    everything = client.get("coverage").json()["items"]
    alone = client.get("coverage", handlers="none").json()["items"]

    assert [each for each in everything if each["verdict"] == "none"] == alone
    assert client.get("coverage", handlers="many").status_code == 422


def test_flows_are_listed_as_they_were(sandbox, flow_sid, api_client):
    client = api_client("viewer")
    before = client.get("history").json()["at"]
    page = client.get("history", limit=1).json()

    (flow,) = page["items"]
    assert (flow["sid"], flow["state"], flow["uncertain"]) == (flow_sid, "on", False)
    assert flow["fields"]["friendly_name"] == "Réclamations Lyon"
    assert page["next_cursor"] is None
    assert client.get("history", at=before).status_code == 200
    assert client.get("history", at="2000-01-01").json()["items"] == []
    assert client.get("history", at="yesterday").status_code == 422


def test_two_flows_are_compared(sandbox, flow_sid, api_client):
    other = sandbox.add_flow(friendly_name="Other", channel_type="sms")
    sync_account(ACCOUNT)
    client = api_client("viewer")

    response = client.get("history/comparison", compare="flows", left=flow_sid, right=other)

    (pair,) = response.json()["items"]
    assert (pair["result"], pair["left"]["sid"], pair["right"]["sid"]) == (
        "different",
        flow_sid,
        other,
    )
    assert pair["fields"]["friendly_name"] == {
        "left": "Réclamations Lyon",
        "right": "Other",
        "differs": True,
    }


def test_comparison_has_only_what_is_searched_for(sandbox, flow_sid, api_client):
    for name in ("Lyon 2", "Paris"):
        sandbox.add_flow(friendly_name=name, channel_type="sms")
    sync_account(ACCOUNT)
    query = {"compare": "moments", "from": "2020-01-01", "q": "lyon", "limit": 1}
    client = api_client("viewer")

    first = client.get("history/comparison", **query).json()
    second = client.get("history/comparison", **query, cursor=first["next_cursor"]).json()

    names = {page["items"][0]["right"]["friendly_name"] for page in (first, second)}
    assert (names, second["next_cursor"]) == ({"Réclamations Lyon", "Lyon 2"}, None)
    assert client.get("history/comparison", **query, result="different").json()["items"] == []
    assert client.get("history/comparison", **query, result="better").status_code == 422


def test_comparison_needs_both_sides_that_the_log_has(flow_sid, api_client):
    client = api_client("viewer")
    unknown = "FO" + "9" * 32

    assert client.get("history/comparison", compare="flows", left=flow_sid).status_code == 422
    response = client.get("history/comparison", compare="flows", left=flow_sid, right=unknown)
    assert response.status_code == 404


@pytest.mark.parametrize("scope", ["read", "write"])
@pytest.mark.parametrize("role", ROLES)
def test_reads_are_open_to_each_role(flow_sid, api_client, role, scope):
    client = api_client(role, scope=scope)

    parameters = {"routing": MESSAGE}
    statuses = {call: client.get(call, **parameters.get(call, {})).status_code for call in CALLS}

    assert set(statuses.values()) == {200}


def test_flows_of_another_account_are_unknown(flow_sid, staging, api_client):
    client = api_client("viewer", account_sid=staging.account_sid)

    (answer,) = client.get("routing", **MESSAGE).json()["items"]
    assert (answer["account_sid"], answer["candidates"]) == (staging.account_sid, [])
    assert client.get("history").json()["items"] == []
    assert client.get("history", account=ACCOUNT).status_code == 422
