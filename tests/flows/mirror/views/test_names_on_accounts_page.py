"""The accounts page says when names were read and which can't be, and refreshes them."""

import pytest
from django.contrib.messages import get_messages
from django.utils import timezone

from flows.audit.models import AuditEvent
from flows.names.models import NameReading, NameRefresh, ResourceName
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT

pytestmark = pytest.mark.django_db(transaction=True)


def refresh(client, account=ACCOUNT):
    return client.post("/accounts/names/", {"account": account}, follow=True)


def text_of(response):
    return " ".join(response.content.decode().split())


def test_viewer_refreshes_the_names_of_an_account(sandbox, client_of):
    client = client_of("viewer")
    assert "Not read yet" in text_of(client.get("/accounts/"))

    page = text_of(refresh(client))

    count = ResourceName.objects.count()
    assert f"{count} names read from Twilio." in page
    assert "Not read yet" not in page
    assert not AuditEvent.objects.exists()  # like a sync, it only reads


def test_page_says_once_which_names_cannot_be_read(sandbox, client_of):
    sandbox.inject(
        Fault(FaultKind.REFUSE, path="/taskrouter/*", status=403, code=20003, times=None)
    )

    page = text_of(refresh(client_of("viewer")))

    sentence = "may not read Workspaces, Workflows and Task Channels (status 403, code 20003)."
    assert page.count(sentence) == 1
    assert "Some names couldn't be read from Twilio" in page.replace("&#x27;", "'")
    assert ResourceName.objects.filter(resource="studio_flow").exists()


def test_account_out_of_scope_is_neither_shown_nor_refreshed(sandbox, staging, client_of):
    reading = {"failed_at": timezone.now(), "error": "a secret of production"}
    NameReading.objects.create(account_sid=ACCOUNT, resource="studio_flow", **reading)
    client = client_of("viewer", account_sid=staging.account_sid)

    page = refresh(client)

    assert not ResourceName.objects.exists()
    assert "a secret of production" not in text_of(page)
    assert not list(get_messages(page.wsgi_request))
    refresh(client, staging.account_sid)
    assert set(ResourceName.objects.values_list("account_sid", flat=True)) == {staging.account_sid}


def test_second_refresh_at_a_time_is_not_started(sandbox, client_of):
    NameRefresh.objects.create(account_sid=ACCOUNT, started_at=timezone.now())

    assert "already being refreshed" in text_of(refresh(client_of("viewer")))
    assert not sandbox.requests
