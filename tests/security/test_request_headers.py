"""Request headers and parameters with invalid values never break a page."""

import uuid

import pytest
from django.test import Client

from flows.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
INVALID_VALUES = [
    "http://[", "http://[::1", "//[", "http://]", "http://testserver:99999999/flows/",
    "http://testserver:x/flows/", "http://\\[", "", "http://testserver/flows/?account=%ff",
    "javascript:alert(1)", "\x00", "http://a\u212abc/", "é", "[", "http://[v1.x]/", "0" * 5000,
]  # fmt: skip
HEADERS = [
    "HX-Current-URL", "Referer", "HX-Prompt", "HX-Target", "HX-Trigger", "HX-Trigger-Name",
    "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Origin", "Accept-Language",
    "User-Agent", "HX-History-Restore-Request", "If-Modified-Since",
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_invalid_header_does_not_break_a_page(client_of, flow_sid, header):
    client, anonymous_client = client_of("operator"), Client()
    statuses = {}
    for value in INVALID_VALUES:
        headers = {"HX-Request": "true", header: value}
        for response in (
            client.get("/flows/", {"q": "x"}, headers=headers),
            anonymous_client.post(
                "/flows/new/", {"friendly_name": "x", "next": value}, headers=headers
            ),
        ):
            statuses[value, response.request["REQUEST_METHOD"]] = response.status_code

    assert {value: status for value, status in statuses.items() if status >= 500} == {}


@pytest.mark.parametrize("name", ["next", "page", "sort", "account", "restore", "clone", "undo"])
def test_invalid_parameter_does_not_break_a_page(client_of, flow_sid, name):
    client = client_of("operator")

    for value in INVALID_VALUES:
        for url in ("/flows/", "/flows/new/", f"/flows/{flow_sid}/enabled/", "/login/"):
            assert client.get(url, {name: value}).status_code < 500


@pytest.mark.parametrize("encoded", [{}, {"HX-Current-URL-URI-AutoEncoded": "true"}])
@pytest.mark.parametrize("value", ["http://[", "http%3A%2F%2F%5B", "//[::1"])
def test_change_is_confirmed_whatever_page_htmx_reports(
    client_of, flow_sid, sandbox, value, encoded
):
    headers = {"HX-Request": "true", "HX-Current-URL": value, **encoded}
    data = {"enabled": "false", "change_id": str(uuid.uuid4())}

    response = client_of("operator").post(f"/flows/{flow_sid}/enabled/", data, headers=headers)

    assert response.status_code == 200
    assert response["HX-Redirect"] == f"/flows/{flow_sid}/"
    assert sandbox.flows[flow_sid]["enabled"] is False
    assert AuditEvent.objects.latest("seq").result == "succeeded"
