"""A refresh of an account's names against the sandbox, and what a failure of Twilio's leaves."""

from datetime import timedelta
from functools import partial

import pytest
from django.utils import timezone

from flows.accounts import shared_rates
from flows.names import refresh
from flows.names.models import NameReading, NameRefresh, ResourceName
from flows.names.refresh import RefreshBusy, needs_refresh, refresh_names
from flows.names.twilio_reads import TwilioReader
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.conversations.conversation_service import CONVERSATION_SERVICE
from flows.twilio.named_resources import STORED_RESOURCES
from flows.twilio.rates import operation_of_product
from flows.twilio.sandbox.consistency import Lag, LagKind
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.named_bodies import SECRET
from flows.twilio.sandbox.seed import DEMO_SIDS
from flows.twilio.sandbox.server import Sandbox
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE
from tests import ACCOUNT
from tests.security.places import dump_database

pytestmark = pytest.mark.django_db(transaction=True)

STUDIO_SID = DEMO_SIDS["integration_flow_sid"]
WORKSPACE_SID = DEMO_SIDS["integration_workspace_sid"]
WORKFLOW_SID = DEMO_SIDS["integration_workflow_sid"]
SERVICE_SID = DEMO_SIDS["chat_service_sid"]
DELETED_SID = "FW" + "d" * 32
NO_FLOWS: dict[str, str] = {}


def name_of(sid):
    return ResourceName.objects.get(account_sid=ACCOUNT, sid=sid)


def refuse(sandbox, path, *, status=403, code=20003, times=None):
    sandbox.inject(Fault(FaultKind.REFUSE, path=path, status=status, code=code, times=times))


def requests_of(sandbox, path):
    return [request.path for request in sandbox.requests if path in request.path]


def test_every_resource_is_read_and_stored(sandbox):
    report = refresh_names(ACCOUNT, NO_FLOWS)

    stored = set(ResourceName.objects.values_list("resource", flat=True))
    # Chat has the services that Conversations has. An empty account has no numbers and senders.
    assert stored == {
        resource.name
        for resource in STORED_RESOURCES
        if resource.name not in ("chat_service", "phone_number", "whatsapp_sender")
    }
    assert (report.failures, report.names) == ([], ResourceName.objects.count())
    assert name_of(STUDIO_SID).name == "Support IVR"
    assert name_of(STUDIO_SID).status == "published"
    assert name_of(WORKFLOW_SID).parent_sid == WORKSPACE_SID
    channel = ResourceName.objects.get(resource="task_channel", reference="chat")
    assert (channel.name, channel.parent_sid) == ("Programmable Chat", WORKSPACE_SID)


def test_numbers_and_senders_have_the_address_that_flows_have(settings):
    with Sandbox(flows=40) as server:
        settings.FLEX_API_URL, settings.TWILIO_API_URL = server.url, server.api_url
        refresh_names(ACCOUNT, NO_FLOWS)

    numbers = ResourceName.objects.filter(resource="phone_number")
    assert numbers
    assert all(number.reference.startswith("+") for number in numbers)
    senders = ResourceName.objects.filter(resource="whatsapp_sender")
    assert senders
    assert all(sender.reference.startswith("whatsapp:+") for sender in senders)


def test_addresses_have_a_name_their_address_and_whether_they_are_on(sandbox):
    refresh_names(ACCOUNT, NO_FLOWS)

    addresses = ResourceName.objects.filter(resource="address_configuration")
    stored = {row.reference: (row.name, row.status) for row in addresses}
    assert stored["whatsapp:+14155550143"] == ("WhatsApp help desk", "on")
    assert stored["24763"] == ("24763", "off")
    assert len(requests_of(sandbox, "Addresses")) == 1


@pytest.mark.parametrize("value", [None, "perhaps", ["on"], {"on": True}])
def test_address_that_is_neither_on_nor_off_has_no_status(sandbox, value):
    store = sandbox.store_of(ADDRESS_CONFIGURATION)
    sid = next(iter(store.snapshot()))
    store.edit(sid, {"auto_creation_enabled": value})

    refresh_names(ACCOUNT, NO_FLOWS)

    assert name_of(sid).status == ""


def test_no_secret_of_another_product_is_stored(settings):
    with Sandbox(flows=40) as server:
        settings.FLEX_API_URL, settings.TWILIO_API_URL = server.url, server.api_url
        refresh_names(ACCOUNT, NO_FLOWS)

    assert SECRET not in str(dump_database())


def test_unchanged_names_are_not_written_again(sandbox):
    refresh_names(ACCOUNT, NO_FLOWS)
    before = list(ResourceName.objects.order_by("pk").values())

    assert refresh_names(ACCOUNT, NO_FLOWS).changed == 0
    assert list(ResourceName.objects.order_by("pk").values()) == before


def test_new_name_replaces_the_old_one(sandbox):
    refresh_names(ACCOUNT, NO_FLOWS)
    ResourceName.objects.filter(sid=STUDIO_SID).update(name="Old", name_folded="old", revision=0)

    assert refresh_names(ACCOUNT, NO_FLOWS).changed == 1
    assert (name_of(STUDIO_SID).name, name_of(STUDIO_SID).name_folded) == (
        "Support IVR",
        "support ivr",
    )


@pytest.mark.parametrize(
    ("path", "resources"),
    [
        ("/studio/*", {"studio_flow"}),
        ("/taskrouter/*", {"workspace", "workflow", "task_channel"}),
        ("/taskrouter/*/Workflows", {"workflow"}),
        ("/messaging/v2/*", {"whatsapp_sender"}),
        ("/conversations/v1/Configuration/*", {"address_configuration"}),
    ],
)
def test_refusal_keeps_the_names_of_its_resources_and_reads_the_others(sandbox, path, resources):
    refresh_names(ACCOUNT, NO_FLOWS)
    before = ResourceName.objects.count()
    ResourceName.objects.exclude(resource__in=resources).delete()
    refuse(sandbox, path)

    report = refresh_names(ACCOUNT, {DELETED_SID: ""} if "studio_flow" in resources else NO_FLOWS)

    assert ResourceName.objects.count() == before
    assert not ResourceName.objects.exclude(gone_at=None)
    assert {reading.resource for reading in report.failures} == resources
    for reading in NameReading.objects.filter(resource__in=resources):
        assert (reading.status, reading.code) == (403, 20003)
        assert reading.read_at < reading.failed_at
    assert not NameReading.objects.exclude(resource__in=resources).exclude(failed_at=None)


def test_next_successful_reading_clears_a_failure(sandbox):
    refuse(sandbox, "/studio/*", times=1)
    refresh_names(ACCOUNT, NO_FLOWS)
    refresh_names(ACCOUNT, NO_FLOWS)

    reading = NameReading.objects.get(resource="studio_flow")
    assert (reading.failed_at, reading.status, reading.error) == (None, None, "")


def test_services_are_read_from_chat_if_conversations_refuses(sandbox):
    refuse(sandbox, "/conversations/*", status=404, code=20404)

    refresh_names(ACCOUNT, NO_FLOWS)

    assert name_of(SERVICE_SID).resource == "chat_service"
    assert name_of(SERVICE_SID).name == "Flex Chat Service"


def test_services_are_read_from_chat_if_conversations_lacks_one(sandbox):
    sandbox.store_of(CONVERSATION_SERVICE).delete(SERVICE_SID)

    refresh_names(ACCOUNT, {SERVICE_SID: ""})

    assert name_of(SERVICE_SID).resource == "chat_service"


def test_chat_is_not_asked_if_conversations_has_every_service(sandbox):
    refresh_names(ACCOUNT, {SERVICE_SID: ""})

    assert name_of(SERVICE_SID).resource == "conversation_service"
    assert not requests_of(sandbox, "/chat/")
    assert not NameReading.objects.filter(resource="chat_service")


def test_deleted_object_keeps_its_name_and_is_marked_as_gone(sandbox):
    refresh_names(ACCOUNT, NO_FLOWS)
    sandbox.store_of(STUDIO_FLOW).delete(STUDIO_SID)

    refresh_names(ACCOUNT, NO_FLOWS)

    assert name_of(STUDIO_SID).name == "Support IVR"
    assert name_of(STUDIO_SID).gone_at is not None
    requests_before = len(requests_of(sandbox, STUDIO_SID))
    refresh_names(ACCOUNT, NO_FLOWS)
    assert len(requests_of(sandbox, STUDIO_SID)) == requests_before  # proven once is enough


def test_deleted_workspace_takes_its_workflows_along(sandbox):
    refresh_names(ACCOUNT, NO_FLOWS)
    sandbox.store_of(WORKSPACE).delete(WORKSPACE_SID)
    sandbox.store_of(WORKFLOW, WORKSPACE_SID).delete(WORKFLOW_SID)

    refresh_names(ACCOUNT, {WORKFLOW_SID: WORKSPACE_SID})

    assert name_of(WORKSPACE_SID).gone_at
    assert name_of(WORKFLOW_SID).gone_at


def test_target_of_a_flow_that_was_never_listed_is_gone(sandbox):
    refresh_names(ACCOUNT, {DELETED_SID: ""})

    assert (name_of(DELETED_SID).name, name_of(DELETED_SID).resource) == ("", "studio_flow")
    assert name_of(DELETED_SID).gone_at is not None


def test_object_that_a_list_leaves_out_is_not_gone(sandbox):
    refresh_names(ACCOUNT, NO_FLOWS)
    sandbox.lag(Lag(LagKind.EMPTY, path="/studio/v2/Flows"))

    refresh_names(ACCOUNT, NO_FLOWS)

    assert name_of(STUDIO_SID).gone_at is None
    assert requests_of(sandbox, STUDIO_SID)


@pytest.mark.parametrize(
    ("kind", "status"),
    [(FaultKind.REFUSE, 403), (FaultKind.EMPTY, 404), (FaultKind.SERVER_ERROR, 500)],
)
def test_only_twilios_own_not_found_proves_a_deletion(sandbox, kind, status):
    sandbox.inject(Fault(kind, path=f"*/Flows/{DELETED_SID}", status=status, times=None))

    refresh_names(ACCOUNT, {DELETED_SID: ""})

    assert not ResourceName.objects.filter(sid=DELETED_SID)


def test_object_that_is_listed_again_is_no_longer_gone(sandbox):
    refresh_names(ACCOUNT, NO_FLOWS)
    ResourceName.objects.filter(sid=STUDIO_SID).update(gone_at=timezone.now())

    refresh_names(ACCOUNT, NO_FLOWS)

    assert name_of(STUDIO_SID).gone_at is None


def test_refresh_asks_for_a_limited_number_of_objects(sandbox, monkeypatch):
    monkeypatch.setattr(refresh, "MAX_CHECKS", 3)
    deleted = [f"FW{number:032x}" for number in range(5)]

    for gone in (3, 5):
        refresh_names(ACCOUNT, dict.fromkeys(deleted, ""))
        assert ResourceName.objects.exclude(gone_at=None).count() == gone


def test_two_accounts_keep_their_names_apart(sandbox, staging):
    refresh_names(ACCOUNT, NO_FLOWS)
    refresh_names(staging.account_sid, NO_FLOWS)

    assert ResourceName.objects.filter(sid=STUDIO_SID).count() == 2


def test_only_one_refresh_of_an_account_runs_at_a_time(sandbox):
    NameRefresh.objects.create(account_sid=ACCOUNT, started_at=timezone.now())

    with pytest.raises(RefreshBusy):
        refresh_names(ACCOUNT, NO_FLOWS)
    assert not needs_refresh(ACCOUNT)


def test_dead_refresh_is_replaced(sandbox):
    long_ago = timezone.now() - timedelta(minutes=3)
    NameRefresh.objects.create(account_sid=ACCOUNT, started_at=long_ago)

    assert needs_refresh(ACCOUNT)
    assert refresh_names(ACCOUNT, NO_FLOWS).names


def test_names_are_old_after_some_minutes(sandbox):
    assert needs_refresh(ACCOUNT)
    refresh_names(ACCOUNT, NO_FLOWS)
    assert not needs_refresh(ACCOUNT)

    NameRefresh.objects.update(ended_at=timezone.now() - timedelta(minutes=6))
    assert needs_refresh(ACCOUNT)


def test_each_request_has_a_turn_within_twilios_rates(sandbox, settings, monkeypatch):
    settings.FLEX_RATE_LIMITS = True
    bookings = []
    book = shared_rates.SHARED_RATE_LIMITER.book

    def note_booking(account_sid, operation, *, patience):
        bookings.append(operation)
        return book(account_sid, operation, patience=patience)

    monkeypatch.setattr(shared_rates.SHARED_RATE_LIMITER, "book", note_booking)

    refresh_names(ACCOUNT, {DELETED_SID: ""})
    shared_rates.SHARED_RATE_LIMITER.close()

    assert len(bookings) >= len(sandbox.requests) > 0
    assert {"studio.list", "studio.fetch", operation_of_product("taskrouter", "list")} < {*bookings}


def test_no_request_is_sent_once_the_time_is_over(sandbox, monkeypatch):
    monkeypatch.setattr(refresh, "TwilioReader", partial(TwilioReader, timeout=0))

    report = refresh_names(ACCOUNT, NO_FLOWS)

    assert not sandbox.requests
    assert "no time left" in report.failures[0].error
