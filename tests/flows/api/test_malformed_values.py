"""Values of another shape than a call expects are refused with the name of their parameter."""

from __future__ import annotations

import base64

import pytest

pytestmark = pytest.mark.django_db(transaction=True)


def encode(text):
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def refused_names(response):
    assert (response.status_code, response.json()["code"]) == (422, "invalid")
    return list(response.json()["errors"])


@pytest.mark.parametrize(
    "text",
    [
        *("5", "null", "true", '"12"', "[1, 2]", '["1", "2", "3"]', "[" * 3000),
        *('["one", ""]', r'["1", "\ud800"]', r'["1", "\u0000"]'),
    ],
)
def test_cursor_of_another_shape_is_refused_for_resources(sandbox, api_client, text):
    response = api_client().get("resources/address_configuration", cursor=encode(text))

    assert refused_names(response) == ["cursor"]


@pytest.mark.parametrize("text", ["0", "100001", "000000001" + "9" * 20, "1" * 5000, "-1"])
def test_cursor_without_a_page_is_refused_for_targets(sandbox, api_client, text):
    assert refused_names(api_client().get("targets", cursor=encode(text))) == ["cursor"]


@pytest.mark.parametrize("value", [["x"], {"a": 1}, 5, True])
def test_account_that_is_no_text_is_refused_in_a_desired_state(flow_sid, api_client, value):
    flow = {"sid": flow_sid, "account_sid": value}

    response = api_client().send("POST", "plans", {"flows": [flow]})

    assert refused_names(response) == ["flows[0].account_sid"]


@pytest.mark.parametrize("account", ["\x00", "nonsense"])
def test_unknown_account_is_refused_for_requests(sandbox, api_client, account):
    assert refused_names(api_client().get("requests", account=account)) == ["account"]
