"""Pages say before a change that it becomes a request, and a flow's page names its open requests."""

from __future__ import annotations

import re

import pytest

from flows.approvals.models import ChangeRequest
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.approvals.acting import ANY, set_policy

pytestmark = pytest.mark.django_db(transaction=True)
ANNOUNCED = "This becomes a change request"


@pytest.fixture
def url(sandbox):
    sid = sandbox.add_flow(friendly_name="Orders IVR", enabled=True)
    sync_account(ACCOUNT)
    return f"/flows/{sid}/"


def text(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def review(client, url):
    form = form_data(client.get(f"{url}edit/"))
    return client.post(f"{url}edit/", {**form, "friendly_name": "Renamed", "review": "1"})


def test_forms_announce_the_request_instead_of_the_change(client_of, url):
    client = client_of("admin")
    set_policy(ANY)

    switch, deletion = client.get(f"{url}enabled/"), client.get(f"{url}delete/")
    edit = review(client, url)

    for page, button in (
        (switch, "Request to turn off"),
        (deletion, "Request deletion"),
        (edit, "Request this change"),
    ):
        assert ANNOUNCED in text(page)
        assert button in text(page)
    assert "Takes effect immediately" not in text(switch)


def test_forms_announce_nothing_without_a_policy(client_of, url):
    client = client_of("admin")

    for page in (client.get(f"{url}enabled/"), client.get(f"{url}delete/"), review(client, url)):
        assert ANNOUNCED not in text(page)


def test_flow_names_its_open_requests(client_of, url):
    client = client_of("operator", "omar")
    set_policy(ANY)
    form = form_data(client.get(f"{url}enabled/"))
    client.post(f"{url}enabled/", {**form, "enabled": "false"})
    request = ChangeRequest.objects.get()

    page = client.get(url).content.decode()
    assert f'href="/requests/{request.pk}/"' in page
    assert "In review Turn off flow , requested by omar" in text(client.get(url))

    client.post(f"/requests/{request.pk}/cancel/", {"content_hash": request.content_hash})
    assert f'href="/requests/{request.pk}/">Turn off' not in client.get(url).content.decode()
