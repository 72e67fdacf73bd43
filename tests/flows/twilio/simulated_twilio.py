"""Simulated responses of Twilio for tests of the client, and constants for them."""

import base64

import pytest

ROOT = "https://flex-api.twilio.com/v1"
LIST = f"{ROOT}/FlexFlows"
HEX = "0123456789abcdefABCDEF0123456789"
AC, SK, FO = f"AC{HEX}", f"SK{HEX}", f"FO{HEX}"
OTHER = "FO" + "9" * 32
SECRET = "canary-secret"
FLOW = {
    "sid": FO,
    "friendly_name": "Lyon",
    "integration_type": "studio",
    "integration": {"retry_count": 0},
}
SNAPSHOT = {
    "sid": FO,
    "friendly_name": "Lyon",
    "integration_type": "studio",
    "integration_retry_count": 0,
}
REQUEST_ID = "RQ" + "c" * 32

OPERATIONS = {
    "list": lambda client: list(client.list()),
    "fetch": lambda client: client.fetch(FO),
    "create": lambda client: client.create({"friendly_name": "Lyon"}),
    "update": lambda client: client.update(FO, {"friendly_name": "Lyon"}),
    "delete": lambda client: client.delete(FO),
}
METHODS = {"list": "GET", "fetch": "GET", "create": "POST", "update": "POST", "delete": "DELETE"}
every_operation = pytest.mark.parametrize("operation", OPERATIONS)


SUCCESS_STATUSES = {"list": 200, "fetch": 200, "create": 201, "update": 200, "delete": 204}


def add_response(twilio, operation, *, body=None, status=None, headers=None):
    """Give every call of an operation this response, by default with its success status."""
    status = status or SUCCESS_STATUSES[operation]
    url = LIST if operation in {"list", "create"} else f"{LIST}/{FO}"
    twilio.add(METHODS[operation], url, body=body or "", status=status, headers=headers or {})


def page(*flows, following=None):
    return {"meta": {"next_page_url": following, "key": "flex_flows"}, "flex_flows": list(flows)}


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()
