"""A user can make a change request of any change instead of sending it, without a policy."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User

from flows.approvals.models import ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.audit.models import AuditEvent
from flows.mirror.sync import sync_account
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from tests import ACCOUNT
from tests.conftest import form_data
from tests.flows.api.conftest import api_client  # noqa: F401
from tests.flows.approvals.acting import ANY, apply, set_policy, writes

pytestmark = pytest.mark.django_db(transaction=True)
LATER = "Save as a change request"


@pytest.fixture
def sid(sandbox):
    sid = sandbox.add_flow(friendly_name="Orders IVR", channel_type="web", enabled=True)
    sync_account(ACCOUNT)
    return sid


def text(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page.content.decode()).split())


def delete(client, sid, **data):
    opened = client.get(f"/flows/{sid}/delete/")
    values = {**form_data(opened), "confirm_name": "Orders IVR", "reason": "Store closed", **data}
    return client.post(f"/flows/{sid}/delete/", values)


def test_deletion_waits_as_an_approved_request_until_its_user_sends_it(sandbox, sid, client_of):
    client = client_of("operator", "omar")
    assert LATER in text(client.get(f"/flows/{sid}/delete/"))

    response = delete(client, sid, as_request="1")

    request = ChangeRequest.objects.get()
    assert response["Location"] == f"/requests/{request.pk}/"
    assert (request.status, request.operation) == (RequestStatus.APPROVED, "delete")
    assert writes(sandbox) == []
    assert not AuditEvent.objects.filter(stage="attempt").exists()
    page = text(client.get(response["Location"]))
    assert "Change request created. Send it from here, or choose a time for it." in page
    assert "Schedule" in page

    assert apply(request, User.objects.get(username="omar")).status == RequestStatus.DONE
    assert sid not in sandbox.flows


def test_name_is_confirmed_for_a_request_too(sandbox, sid, client_of):
    response = delete(client_of("operator"), sid, as_request="1", confirm_name="Something else")

    assert response.status_code == 422
    assert not ChangeRequest.objects.exists()


def test_address_becomes_a_request(sandbox, sid, client_of):
    client, url = client_of("operator"), "/flex/addresses/new/"
    values = {**form_data(client.get(url)), "type": "sms", "address": "+14155550188"}
    review = client.post(url, {**values, "review": "1"})
    assert LATER in text(review)

    response = client.post(url, {**form_data(review), "as_request": "1"})

    request = ChangeRequest.objects.get()
    assert response["Location"] == f"/requests/{request.pk}/"
    assert (request.resource, request.operation) == ("address_configuration", "create")
    assert writes(sandbox) == []


def test_new_secret_is_refused_with_what_was_typed(sandbox, client_of):
    client, secret = client_of("operator"), "https://user:secret@example.com/hook"
    opened = form_data(client.get("/flows/new/"))
    values = {
        **opened,
        "friendly_name": "Hook",
        "channel_type": "web",
        "integration_type": "external",
        "integration_url": secret,
    }

    response = client.post("/flows/new/", {**values, "as_request": "1"})

    assert response.status_code == 422
    assert "or send it now" in text(response)
    assert response.context["form"]["friendly_name"].value() == "Hook"
    assert not ChangeRequest.objects.exists()


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_api_makes_a_request_of_it(sandbox, sid, api_client, method):  # noqa: F811
    client = api_client()
    etag = client.get(f"flows/{sid}")["ETag"]
    body = {"enabled": False} if method == "PATCH" else None

    response = client.send(method, f"flows/{sid}", body, {"as_request": "true"}, if_match=etag)

    assert (response.status_code, response.json()["result"]) == (202, "requested")
    assert ChangeRequest.objects.get().status == RequestStatus.APPROVED
    assert writes(sandbox) == []


def test_forms_of_the_flex_api_announce_the_request_of_a_policy(sandbox, client_of):
    set_policy(ANY)
    client, url = client_of("operator"), "/flex/addresses/new/"
    values = {**form_data(client.get(url)), "type": "sms", "address": "+14155550188"}

    review = text(client.post(url, {**values, "review": "1"}))
    address = next(iter(sandbox.store_of(ADDRESS_CONFIGURATION).snapshot()))
    deletion = text(client.get(f"/flex/addresses/{address}/delete/"))

    assert "Request this change" in review
    assert "Request to delete address" in deletion
    for page in (review, deletion):
        assert "This becomes a change request" in page
        assert LATER not in page


def test_policy_speaks_first(sandbox, sid, client_of):
    set_policy(ANY)
    client = client_of("operator")
    assert LATER not in text(client.get(f"/flows/{sid}/delete/"))

    page = client.get(delete(client, sid, as_request="1")["Location"])

    assert "The policy of this account requires" in text(page)
    assert ChangeRequest.objects.get().status == RequestStatus.IN_REVIEW
