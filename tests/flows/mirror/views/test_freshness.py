"""Freshness on pages: nothing looks fine without the time of the check that found it so."""

import re

import pytest

from flows.mirror.models import SyncState
from flows.mirror.sync import sync_account
from flows.twilio.sandbox.consistency import Lag
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import age_history, create_flow, delete_flow, received_writes, rename_flow

pytestmark = pytest.mark.django_db
PAGES = ["/", "/flows/", "/flows/drift/", "/accounts/"]
FINE = re.compile(r'class="status (?:good|on)"')


def text(page):
    return re.sub(r"\s+", " ", page.content.decode())


@pytest.mark.parametrize("path", PAGES)
def test_nothing_looks_fine_on_a_site_that_never_reached_twilio(client_of, db, path):
    page = text(client_of("viewer").get(path))

    assert "Never synced" in page
    assert not FINE.search(page)
    assert "No external changes" not in page


@pytest.mark.parametrize("path", PAGES)
def test_nothing_looks_fine_where_the_last_check_failed(client_of, sandbox, path):
    sync_account(ACCOUNT)
    sandbox.inject(Fault(FaultKind.SERVER_ERROR, times=None))
    client = client_of("viewer")
    client.post("/flows/sync/")

    page = text(client.get(path))

    assert "Last sync failed</span> at <time" in page
    assert "Twilio answered with status 500" in page
    assert "Last successful sync at <time" in page
    assert not FINE.search(page)
    assert "No external changes" not in page


@pytest.mark.parametrize("path", PAGES)
def test_page_shows_the_time_of_the_last_check(client_of, sandbox, path):
    sync_account(ACCOUNT)

    page = text(client_of("viewer").get(path))

    assert 'class="status good">Synced with Twilio</span> at <time' in page


@pytest.mark.parametrize("path", PAGES)
def test_page_reports_flows_that_are_being_checked(client_of, sandbox, path):
    sync_account(ACCOUNT)
    SyncState.objects.update(missing=480, missing_checked=20)

    page = text(client_of("viewer").get(path))

    assert "Checking 480 flows that are missing from Twilio&#x27;s list: 20 checked." in page
    assert 'class="status good">Synced with Twilio' not in page
    assert "No external changes" not in page


def test_page_names_the_worst_of_several_accounts(client_of, sandbox, staging):
    sync_account(sandbox.account_sid)

    for path in ("/flows/", "/flows/drift/"):
        assert '<bdi>staging</bdi>: <span class="status none">Never synced.</span>' in text(
            client_of("viewer").get(path)
        )


def test_flow_that_is_being_checked_is_marked_in_the_list(client_of, sandbox):
    sids = [sandbox.add_flow(friendly_name=f"Flow {number:02}") for number in range(25)]
    sync_account(ACCOUNT)
    for sid in sids:
        sandbox.remove_flow(sid)
    sync_account(ACCOUNT)
    client = client_of("viewer")

    whole = text(client.get("/flows/?enabled="))
    part = text(client.get("/flows/", headers={"HX-Request": "true"}))

    for page in (whole, part):
        assert page.count("Missing from Twilio&#x27;s list (checking)") == 5


def test_empty_list_shows_the_time_of_the_last_check(client_of, sandbox):
    client = client_of("viewer")
    never = text(client.get("/flows/"))
    part = text(client.get("/flows/", headers={"HX-Request": "true"}))
    sync_account(ACCOUNT)
    checked = text(client.get("/flows/"))

    assert "Not every flow has been synced yet" in never
    assert "Not every flow has been synced yet" in part
    assert "Twilio had no Flex Flows at the last sync" in checked


@pytest.fixture
def stale(sandbox, flow_sid):
    """Let Twilio show everything as it was before."""
    age_history(sandbox)

    def begin():
        sandbox.lag(Lag("stale", times=None, seconds=3600))

    return begin


def test_page_of_a_new_flow_that_twilio_does_not_show_yet(client_of, stale):
    sid = create_flow().event.target_sid
    stale()

    page = client_of("operator").get(f"/flows/{sid}/")

    assert page.context["state"] == "settling"
    assert "Not visible at Twilio yet" in text(page)
    assert "Störungsmeldung Köln" in text(page)
    assert "Deleted at Twilio" not in text(page)
    assert "/edit/" not in text(page)


def test_page_of_a_change_that_twilio_does_not_show_yet_shows_the_change(
    client_of, stale, flow_sid
):
    rename_flow(flow_sid)
    stale()

    page = client_of("operator").get(f"/flows/{flow_sid}/")

    assert page.context["state"] == "settling"
    assert "Plaintes Lyon" in text(page)
    assert "Réclamations Lyon" not in text(page)


def test_page_of_a_flow_that_we_deleted_and_twilio_still_shows(client_of, stale, flow_sid):
    delete_flow(flow_sid)
    stale()

    page = client_of("operator").get(f"/flows/{flow_sid}/")

    assert page.context["state"] == "gone"
    assert "Twilio may still show it for a minute" in text(page)


def test_edit_form_is_not_opened_on_an_old_state(client_of, stale, flow_sid):
    rename_flow(flow_sid)
    stale()

    page = client_of("operator").get(f"/flows/{flow_sid}/edit/", follow=True)

    assert "Try again in a minute" in text(page)
    assert page.redirect_chain[-1][0] == f"/flows/{flow_sid}/"


def test_change_on_an_old_state_is_not_sent_and_keeps_the_input(
    client_of, sandbox, stale, flow_sid
):
    client = client_of("operator")
    form = client.get(f"/flows/{flow_sid}/enabled/").context["form"]
    data = {name: form[name].value() or "" for name in form.fields} | {"reason": "At night"}
    rename_flow(flow_sid)
    stale()
    request_count = len(received_writes(sandbox))

    page = client.post(f"/flows/{flow_sid}/enabled/", data)

    assert page.status_code == 409
    assert "Couldn&#x27;t turn off the flow" in text(page)
    assert 'value="At night"' in text(page)
    assert len(received_writes(sandbox)) == request_count


def test_repeated_deletion_reports_that_the_flow_is_deleted(client_of, stale, flow_sid):
    client = client_of("operator")
    form = client.get(f"/flows/{flow_sid}/delete/").context["form"]
    data = {name: form[name].value() or "" for name in form.fields} | {
        "confirm_name": "Réclamations Lyon"
    }
    delete_flow(flow_sid)
    stale()

    page = client.post(f"/flows/{flow_sid}/delete/", data, follow=True)

    assert "Showing its last known settings" in text(page)
