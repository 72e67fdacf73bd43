"""Sync from the list of flows, with Twilio and the database available or not."""

import html

import pytest
from django.utils import timezone

from flows.mirror.models import Flow, SyncState
from flows.mirror.name_sync import refresh_names
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import read_only_database

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_refresh_brings_what_changed(client_of, sandbox, flow_sid):
    sandbox.edit_flow(flow_sid, friendly_name="Elsewhere")

    answer = client_of("viewer").post("/flows/sync/", headers=HTMX)

    assert answer["HX-Trigger"] == "flows-changed"
    assert Flow.objects.get().friendly_name == "Elsewhere"


def test_refresh_without_javascript_goes_back_to_the_list(client_of, sandbox):
    answer = client_of("viewer").post("/flows/sync/")

    assert (answer.status_code, answer["Location"]) == (302, "/flows/")


def test_refresh_that_finds_nothing_new_leaves_the_table_alone(client_of, flow_sid):
    refresh_names(ACCOUNT)

    answer = client_of("viewer").post("/flows/sync/", headers=HTMX)

    assert "HX-Trigger" not in answer


def test_refresh_while_another_runs_does_not_start_a_second(client_of, sandbox, settings):
    SyncState.objects.create(account_sid=settings.FLEX_ACCOUNTS[0].sid, started_at=timezone.now())

    answer = client_of("viewer").post("/flows/sync/", headers=HTMX)

    assert answer.status_code == 200
    assert sandbox.requests == []


def test_twilio_away_leaves_the_list_usable_and_says_so(client_of, sandbox, flow_sid):
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))
    client = client_of("viewer")

    answer = client.post("/flows/sync/", headers=HTMX)
    page = client.get("/flows/")

    assert "Twilio answered with status 500" in answer.content.decode()
    assert [flow.friendly_name for flow in page.context["results"].rows] == ["Réclamations Lyon"]
    assert "Twilio answered with status 500" in page.content.decode()
    assert not page.context["mirror_is_stale"]


def test_refresh_by_get_is_refused(client_of):
    assert client_of("viewer").get("/flows/sync/").status_code == 405


@pytest.mark.django_db(transaction=True)
def test_refresh_says_that_the_database_can_not_be_written(client_of, sandbox):
    client = client_of("viewer")
    sandbox.add_flow()

    with read_only_database():
        swapped = client.post("/flows/sync/", headers={"HX-Request": "true"})
        plain = client.post("/flows/sync/")

    assert "can't be written" in html.unescape(swapped.content.decode())
    assert (plain.status_code, plain.url) == (302, "/flows/")
    assert "HX-Trigger" not in swapped
