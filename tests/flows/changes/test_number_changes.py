"""A number is detached from its handler and put back exactly, through changes that the log has."""

import pytest
from django.urls import reverse

from flows.audit.models import AuditEvent, OpenChange
from flows.changes import in_flight, operations, reconcile
from flows.mirror import name_sync
from flows.mirror.sync import sync_account
from flows.names.load_handling import load_surroundings
from flows.twilio.api.phone_number_settings import PHONE_NUMBER_SETTINGS
from flows.twilio.errors import RequestRefused
from flows.twilio.messaging.service_membership import SERVICE_MEMBERSHIP
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.faults.acting import clock_ahead
from tests.flows.changes.number_changes import (
    APPLICATION_SID,
    OTHER_SERVICE_SID,
    SECRET_URL,
    SERVICE_SID,
    add_to_service,
    change_number,
    free_number,
    number_of_service,
    read_membership,
    read_number,
    remove_from_service,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def twilio(settings):
    """Twilio with numbers, some of them in Messaging Services."""
    with Sandbox(flows=120) as server:
        settings.FLEX_API_URL, settings.TWILIO_API_URL = server.url, server.api_url
        settings.FLEX_RATE_LIMITS = False
        yield server


def stages_and_results():
    events = AuditEvent.objects.order_by("seq")
    return [(event.action, event.stage, event.result) for event in events]


def members(twilio, service_sid=SERVICE_SID):
    return twilio.store_of(SERVICE_MEMBERSHIP, service_sid).snapshot()


# A number's settings


def test_cleared_number_is_put_back_exactly(twilio, actor):
    sid = free_number(twilio)
    change_number(sid, actor, sms_application_sid=APPLICATION_SID, sms_method="GET")
    before = read_number(sid)

    change_number(sid, actor, sms_url="", sms_application_sid="")
    cleared = read_number(sid)
    settings = ("sms_url", "sms_method", "sms_application_sid")
    change_number(sid, actor, **{name: before[name] for name in settings})

    assert (cleared["sms_url"], cleared["sms_application_sid"]) == ("", None)
    assert cleared["sms_method"] == "GET"
    without_date = {name: before[name] for name in before if name != "date_updated"}
    after = read_number(sid)
    assert {name: after[name] for name in without_date} == without_date
    assert PHONE_NUMBER_SETTINGS.differing_fields(before, after) in ([], ["date_updated"])
    assert after.keys() == PHONE_NUMBER_SETTINGS.by_name.keys()


def test_change_of_a_number_is_in_the_log(twilio, actor, client_of):
    sid = free_number(twilio)
    before = read_number(sid)

    event = change_number(sid, actor, sms_url="").event

    assert stages_and_results() == [
        ("number.update", "attempt", "pending"),
        ("number.update", "outcome", "succeeded"),
    ]
    assert (event.target_sid, event.changed_fields) == (sid, ["sms_url"])
    assert event.payload.contact_identity == before["phone_number"]
    page = client_of("auditor").get(reverse("audit:detail", args=[event.event_id]))
    assert "Changed a phone number: SMS webhook URL" in page.content.decode()
    for text in (sid, before["phone_number"], actor.label):
        found = client_of("auditor").get("/audit/", {"q": text}).content.decode()
        assert "Changed a phone number" in found, text


def test_number_has_no_page_that_the_log_links_to(twilio, actor, client_of):
    number = change_number(free_number(twilio), actor, sms_url="").event
    membership = remove_from_service(number_of_service(twilio), actor).event

    for event in (number, membership):
        page = client_of("admin").get(reverse("audit:detail", args=[event.event_id]))
        assert page.status_code == 200
        assert f"{event.target_sid}</a>" not in page.content.decode()
        assert f"/{event.target_sid}/" not in page.content.decode()


def test_secrets_of_an_sms_url_are_masked_in_the_log(twilio, actor):
    sid = free_number(twilio)

    change_number(sid, actor, sms_url=SECRET_URL)
    change_number(sid, actor, sms_url="")

    payloads = [event.payload for event in AuditEvent.objects.all()]
    stored = str([(one.before, one.requested, one.after) for one in payloads])
    assert "hooks.example.com" in stored
    assert "t0k3n" not in stored
    assert "hidden-word" not in stored
    assert twilio.requests[-1].parameters == {"SmsUrl": ""}


def test_address_of_flex_proxy_is_stored_as_it_is(twilio, actor):
    sid = free_number(twilio)
    before = read_number(sid)

    event = change_number(sid, actor, sms_url="").event

    assert "/Proxy/" in before["sms_url"]
    assert event.payload.before["sms_url"] == before["sms_url"]


def test_setting_that_someone_else_changed_is_a_conflict(twilio, actor):
    sid = free_number(twilio)
    base = read_number(sid)
    change_number(sid, actor, sms_url="https://hooks.example.com/mine")

    with pytest.raises(operations.Conflict):
        operations.update(
            PHONE_NUMBER_SETTINGS,
            sid=sid,
            base=base,
            values={"sms_url": ""},
            reason="",
            actor=actor,
            change_id="0" * 32,
            account_sid=ACCOUNT,
        )

    assert AuditEvent.objects.latest("seq").payload.message.startswith(
        "Someone else changed SMS webhook URL"
    )


def test_lost_update_of_a_number_is_reconciled(twilio, actor):
    sid = free_number(twilio)
    twilio.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))

    lost = change_number(sid, actor, sms_url="")
    (event,) = reconcile.reconcile()

    assert lost.event.result == "unknown"
    assert (event.action, event.result, event.target_sid) == ("number.update", "applied", sid)


def test_refresh_of_the_names_reads_what_was_changed(twilio, actor):
    sid, member_sid = free_number(twilio), number_of_service(twilio)
    sync_account(ACCOUNT)

    change_number(sid, actor, sms_url="https://own.example.com/sms")
    remove_from_service(member_sid, actor)
    name_sync.refresh_names(ACCOUNT)

    numbers = load_surroundings(ACCOUNT).numbers
    by_sid = {number.owned_sid: number for number in numbers.values()}
    assert by_sid[sid].sms_url_host == "own.example.com"
    assert by_sid[member_sid].messaging_service_sid == ""
    assert SERVICE_SID in {number.messaging_service_sid for number in numbers.values()}


# Memberships


def test_number_is_removed_from_its_service_and_put_back(twilio, actor):
    sid = number_of_service(twilio)
    before = read_membership(sid)

    removed = remove_from_service(sid, actor)
    is_gone = sid not in members(twilio)
    added = add_to_service(sid, actor)

    assert is_gone
    after = read_membership(sid)
    dates = {"date_created", "date_updated"}
    assert {one: after[one] for one in after.keys() - dates} == {
        one: before[one] for one in before.keys() - dates
    }
    assert after.keys() == before.keys() == SERVICE_MEMBERSHIP.by_name.keys()
    assert (removed.event.target_sid, added.event.target_sid) == (sid, sid)
    assert stages_and_results() == [
        ("service_membership.delete", "attempt", "pending"),
        ("service_membership.delete", "outcome", "succeeded"),
        ("service_membership.create", "attempt", "pending"),
        ("service_membership.create", "outcome", "succeeded"),
    ]


def test_log_names_memberships_and_finds_them_by_sid_number_and_person(twilio, actor, client_of):
    sid = number_of_service(twilio)
    number = read_membership(sid)["phone_number"]

    remove_from_service(sid, actor)
    event = add_to_service(sid, actor).event

    page = client_of("auditor").get(reverse("audit:detail", args=[event.event_id]))
    assert "Added a number to a Messaging Service" in page.content.decode()
    assert SERVICE_SID in page.content.decode()
    for text in (sid, number, actor.label):
        found = client_of("auditor").get("/audit/", {"q": text}).content.decode()
        assert "Added a number to a Messaging Service" in found, text
        assert "Removed a number from a Messaging Service" in found, text


def test_attempt_to_add_a_number_has_its_sid(twilio, actor):
    sid = number_of_service(twilio, OTHER_SERVICE_SID)

    refused = add_to_service(sid, actor)

    assert isinstance(refused.error, RequestRefused)
    assert (refused.error.status, refused.error.code) == (400, 21712)
    attempt, outcome = AuditEvent.objects.order_by("seq")
    assert attempt.target_sid == outcome.target_sid == sid
    assert attempt.parent_sid == outcome.parent_sid == SERVICE_SID
    assert outcome.result == "failed"


def test_lost_addition_is_found_although_the_log_knows_the_number(twilio, actor):
    sid = number_of_service(twilio)
    remove_from_service(sid, actor)
    twilio.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))

    lost = add_to_service(sid, actor)
    (event,) = reconcile.reconcile()

    assert (lost.event.result, lost.event.target_sid) == ("unknown", sid)
    assert (event.action, event.result) == ("service_membership.create", "applied")
    assert (event.target_sid, event.payload.after["service_sid"]) == (sid, SERVICE_SID)
    assert not OpenChange.objects.exists()


def test_addition_that_never_arrived_is_not_applied_after_two_reads(twilio, actor):
    sid = number_of_service(twilio)
    remove_from_service(sid, actor)
    twilio.inject(Fault(FaultKind.DROP, method="POST"))
    add_to_service(sid, actor)

    first = reconcile.reconcile()
    with clock_ahead(minutes=2):
        (event,) = reconcile.reconcile()

    assert first == []
    assert (event.result, event.target_sid) == ("not_applied", sid)


def test_membership_from_before_the_change_proves_nothing_until_a_user_decides(
    twilio, actor, client_of
):
    sid = number_of_service(twilio)
    twilio.inject(Fault(FaultKind.DROP, method="POST"))
    lost = add_to_service(sid, actor)  # it is in the service already

    assert reconcile.reconcile() == []
    change = OpenChange.objects.get()
    page = client_of("operator").get(reverse("audit:detail", args=[lost.event.event_id]))

    assert change.ambiguity == (
        "Twilio has the service membership, but doesn't date it at the time of this change, "
        "so reading can't tell."
    )
    assert "Mark as applied" in page.content.decode()
    assert "SID of the created" not in page.content.decode()
    event = reconcile.resolve_manually(change=change, applied=True, reason="seen", actor=actor)
    assert (event.result, event.target_sid) == ("applied", sid)
    assert event.payload.after["service_sid"] == SERVICE_SID


def test_lost_removal_is_reconciled(twilio, actor):
    sid = number_of_service(twilio)
    twilio.inject(Fault(FaultKind.HANG, method="DELETE", seconds=0, times=None))
    lost = remove_from_service(sid, actor)
    twilio.clear_faults()
    twilio.store_of(SERVICE_MEMBERSHIP, SERVICE_SID).delete(sid)

    (event,) = reconcile.reconcile()

    assert lost.event.result == "unknown"
    assert (event.action, event.result) == ("service_membership.delete", "applied")


def test_number_with_an_open_addition_takes_no_other_change_of_it(twilio, actor):
    sid, other_sid = number_of_service(twilio), number_of_service(twilio, OTHER_SERVICE_SID)
    remove_from_service(sid, actor)
    twilio.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    add_to_service(sid, actor)

    with pytest.raises(in_flight.ConcurrentChange):
        add_to_service(sid, actor)

    assert remove_from_service(other_sid, actor, OTHER_SERVICE_SID).error is None
