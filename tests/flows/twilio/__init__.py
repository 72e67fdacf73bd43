"""Helpers of the sandbox's tests: a plain HTTP client, a fixed clock and valid parameters.

The client is the standard library's, so that the tests don't depend on the project's own.
"""

import base64
import http.client
import json
import socket
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from tests.patience import HANG_TIMEOUT

IS = "IS" + "0a" * 16
FW = "FW" + "0b" * 16
WS = "WS" + "0c" * 16
WW = "WW" + "0d" * 16
FO = "FO" + "0e" * 16  # a flow that does not exist

FLOWS = "/v1/FlexFlows"
FORM = "application/x-www-form-urlencoded"
NEW = {"FriendlyName": "Réclamations – Lyon (SMS)", "ChatServiceSid": IS, "ChannelType": "sms"}
STUDIO = NEW | {"IntegrationType": "studio", "Integration.FlowSid": FW}
EXTERNAL = NEW | {"IntegrationType": "external", "Integration.Url": "https://hooks.example.com/in"}
TASK = NEW | {
    "IntegrationType": "task",
    "Integration.WorkspaceSid": WS,
    "Integration.WorkflowSid": WW,
    "Integration.Channel": "sms",
}


class Clock:
    """A clock that shows `now` until it is set."""

    def __init__(self):
        self.now = datetime(2026, 3, 1, 12, 0, 0, 654321, tzinfo=UTC)

    def __call__(self):
        return self.now


@dataclass
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


def basic(name, secret):
    return "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()


def address(sandbox):
    parts = urlsplit(sandbox.url)
    return parts.hostname, parts.port


def call(sandbox, method, path, parameters=None, *, body=None, headers=None):
    """Send a request on a new connection and return the reply.

    `parameters` go into the body of a POST, and into the query of other methods.
    """
    all_headers = {"Authorization": basic(sandbox.api_key, sandbox.api_secret)} | (headers or {})
    if parameters is not None and method == "POST":
        body = urlencode(parameters)
    elif parameters is not None:
        path = f"{path}?{urlencode(parameters)}"
    if body is not None:
        all_headers.setdefault("Content-Type", FORM)
    with closing(http.client.HTTPConnection(*address(sandbox), timeout=HANG_TIMEOUT)) as connection:
        connection.request(method, path, body, all_headers)
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())


def create(sandbox, **parameters):
    """Create a Studio flow through the API and return it. `parameters` replace the usual ones."""
    reply = call(sandbox, "POST", FLOWS, STUDIO | parameters)
    assert reply.status == 201, reply.body
    return reply.json


def send_request(sandbox, method="POST", path=FLOWS, parameters=STUDIO):
    """Send a request on a new socket and return the socket, with the response unread."""
    body = urlencode(parameters) if method == "POST" else ""
    connection = socket.create_connection(address(sandbox), timeout=HANG_TIMEOUT)
    lines = (
        f"{method} {path} HTTP/1.1",
        "Host: localhost",
        f"Authorization: {basic(sandbox.api_key, sandbox.api_secret)}",
        f"Content-Type: {FORM}",
        f"Content-Length: {len(body)}",
    )
    connection.sendall("\r\n".join((*lines, "", body)).encode())
    return connection


def read_until_closed(connection):
    """Return everything that is received until the other end closes."""
    received = b""
    while chunk := connection.recv(65_536):
        received += chunk
    return received


def refusal(reply):
    return reply.status, reply.json["code"], reply.json["message"]
