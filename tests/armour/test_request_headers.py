"""Headers that come from outside and are read as addresses or numbers: whatever is in them, the page comes."""

import uuid

import pytest
from django.test import Client

from flows.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
ODD = [
    "http://[", "http://[::1", "//[", "http://]", "http://testserver:99999999/flows/", "http://testserver:x/flows/", "http://\\[", "",
    "http://testserver/flows/?account=%ff", "javascript:alert(1)", "\x00", "http://a\u212abc/", "é", "[", "http://[v1.x]/", "0" * 5000,
]  # fmt: skip
HEADERS = [
    "HX-Current-URL", "Referer", "HX-Prompt", "HX-Target", "HX-Trigger", "HX-Trigger-Name", "X-Forwarded-For", "X-Forwarded-Proto",
    "X-Forwarded-Host", "Origin", "Accept-Language", "User-Agent", "HX-History-Restore-Request", "If-Modified-Since",
]  # fmt: skip


@pytest.mark.parametrize("header", HEADERS)
def test_page_comes_whatever_a_header_says(client_of, flow_sid, header):
    client, stranger = client_of("operator"), Client()
    found = {}
    for value in ODD:
        headers = {"HX-Request": "true", header: value}
        for answer in (
            client.get("/flows/", {"q": "x"}, headers=headers),
            stranger.post("/flows/new/", {"friendly_name": "x", "next": value}, headers=headers),
        ):
            found[value, answer.request["REQUEST_METHOD"]] = answer.status_code

    assert {value: status for value, status in found.items() if status >= 500} == {}


@pytest.mark.parametrize("name", ["next", "page", "sort", "account", "restore", "clone", "undo"])
def test_page_comes_whatever_its_address_says(client_of, flow_sid, name):
    client = client_of("operator")

    for value in ODD:
        for url in ("/flows/", "/flows/new/", f"/flows/{flow_sid}/enabled/", "/login/"):
            assert client.get(url, {name: value}).status_code < 500


@pytest.mark.parametrize("encoded", [{}, {"HX-Current-URL-URI-AutoEncoded": "true"}])
@pytest.mark.parametrize("value", ["http://[", "http%3A%2F%2F%5B", "//[::1"])
def test_change_is_told_whatever_page_htmx_says_it_came_from(
    client_of, flow_sid, sandbox, value, encoded
):
    headers = {"HX-Request": "true", "HX-Current-URL": value, **encoded}
    data = {"enabled": "false", "change_id": str(uuid.uuid4())}

    answer = client_of("operator").post(f"/flows/{flow_sid}/enabled/", data, headers=headers)

    assert answer.status_code == 200
    assert answer["HX-Redirect"] == f"/flows/{flow_sid}/"
    assert sandbox.flows[flow_sid]["enabled"] is False
    assert AuditEvent.objects.latest("seq").result == "succeeded"
