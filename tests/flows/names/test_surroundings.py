"""Readings of what surrounds flows, from the sandbox over HTTP, and what a refusal leaves."""

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from flows.accounts import twilio_accounts
from flows.mirror import name_sync
from flows.mirror.sync import sync_account
from flows.names import surroundings
from flows.names.load_handling import load_surroundings
from flows.names.models import NameReading, NameRefresh, ObjectReading, ResourceName
from flows.names.readings import load_states
from flows.names.refresh import refresh_names
from flows.twilio.api.incoming_phone_number import INCOMING_PHONE_NUMBER
from flows.twilio.conversations.conversation_configuration import CONVERSATION_CONFIGURATION
from flows.twilio.messaging.messaging_service import MESSAGING_SERVICE
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.named_bodies import SECRET
from flows.twilio.sandbox.server import Sandbox
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from tests import ACCOUNT
from tests.security.places import dump_database

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def company(settings):
    """A sandbox with the flows of a company, which are synced."""
    with Sandbox(flows=120) as server:
        settings.FLEX_API_URL, settings.TWILIO_API_URL = server.url, server.api_url
        sync_account(ACCOUNT)
        yield server


def refresh_until_read():
    """Refresh the names until every definition is read."""
    for _ in range(5):
        report = name_sync.refresh_names(ACCOUNT)
        if NameReading.objects.filter(resource="studio_definition", failed_at=None):
            return report
    raise AssertionError("the definitions are never all read")


def definition_requests(sandbox):
    return [each.path for each in sandbox.requests if "/studio/v2/Flows/" in each.path]


def test_numbers_have_the_hosts_that_answer_them(company):
    refresh_until_read()

    numbers = list(load_surroundings(ACCOUNT).numbers.values())
    assert {number.sms_url_host for number in numbers} == {
        "webhooks.twilio.com",
        "hooks.example.com",
        "",
    }
    assert {
        number.is_proxy for number in numbers if number.sms_url_host == "webhooks.twilio.com"
    } == {True}
    assert {
        number.is_proxy for number in numbers if number.sms_url_host != "webhooks.twilio.com"
    } == {False}
    assert {number.application_sid[:2] for number in numbers} == {"", "AP"}
    assert all(number.can_receive_sms and number.read_at for number in numbers)
    assert {number.service_inbound_host for number in numbers} == {
        "",
        "hooks.example.com",
        "old-bot.example.net",
    }
    in_service = [number for number in numbers if number.messaging_service_sid]
    assert in_service
    assert all(number.service_read_at for number in in_service)


def test_senders_have_their_webhook_and_the_reasons_why_they_are_offline(company):
    refresh_until_read()

    senders = list(load_surroundings(ACCOUNT).senders.values())
    assert {sender.webhook_host for sender in senders} == {
        "webhooks.twilio.com",
        "hooks.example.com",
    }
    assert {(sender.status, sender.offline_reasons) for sender in senders} == {
        ("ONLINE", ()),
        ("OFFLINE", ("63020",)),
    }
    assert any(sender.service_inbound_host == "old-bot.example.net" for sender in senders)


def test_number_is_found_by_any_spelling_and_alone(company):
    name_sync.refresh_names(ACCOUNT)
    everything = load_surroundings(ACCOUNT)
    number = next(iter(everything.numbers.values()))

    for spelling in (
        number.phone_number,
        f"tel:{number.phone_number}",
        f"00{number.phone_number[1:]}",
    ):
        alone = load_surroundings(ACCOUNT, identities=[spelling], studio_flow_sids=[])
        assert alone.find_number(spelling) == number
        assert len(alone.numbers) == 1
        assert {*alone.senders} <= {*alone.numbers}  # a number can be a sender as well
        assert alone.studio_flows == {}


def test_loading_takes_three_queries(company, django_assert_num_queries):
    name_sync.refresh_names(ACCOUNT)

    with django_assert_num_queries(3):
        load_surroundings(ACCOUNT)


def test_chat_services_of_the_account_are_known(company):
    name_sync.refresh_names(ACCOUNT)

    services = load_surroundings(ACCOUNT).chat_services
    (configured,) = company.store_of(CONVERSATION_CONFIGURATION).snapshot().values()
    assert services.default_sid == configured["default_chat_service_sid"]
    assert services.flex_sid.startswith("IS")
    assert services.read_at


def test_definitions_of_used_studio_flows_are_read_a_few_at_a_time(company):
    read = []
    for _ in range(2):
        name_sync.refresh_names(ACCOUNT)
        read.append(len(load_surroundings(ACCOUNT).studio_flows))

    assert read == [1, 3]  # the first one also asked for a Studio Flow that is missing
    assert not NameReading.objects.filter(resource="studio_definition")
    refresh_until_read()
    facts = load_surroundings(ACCOUNT).studio_flows.values()
    used = set(name_sync._find_used_sids(ACCOUNT))
    expected = ResourceName.objects.filter(resource="studio_flow", gone_at=None, sid__in=used)
    assert len(facts) == expected.count() == 7
    assert {*map(len, (each.trigger_events for each in facts))} == {1, 2}
    assert {each.widget_count for each in facts} == {3}
    assert {each.old_variables for each in facts} == {
        frozenset(),
        frozenset({"ChannelSid", "ChannelAttributes"}),
    }


def test_definition_is_read_again_only_if_its_revision_changed(company):
    refresh_until_read()
    before = len(definition_requests(company))
    name_sync.refresh_names(ACCOUNT)
    assert len(definition_requests(company)) == before

    sid = next(iter(load_surroundings(ACCOUNT).studio_flows))
    company.store_of(STUDIO_FLOW).edit(sid, {"revision": 99, "definition": {"states": []}})
    name_sync.refresh_names(ACCOUNT)

    assert definition_requests(company)[before:] == [f"/studio/v2/Flows/{sid}"]
    assert sid not in load_surroundings(ACCOUNT).studio_flows  # no definition that is understood
    assert ObjectReading.objects.get(sid=sid).revision == 99


def test_neither_a_secret_nor_a_number_is_in_what_is_stored(company):
    refresh_until_read()

    assert SECRET not in str(dump_database())
    stored = str(list(ResourceName.objects.values_list("details")))
    stored += str(list(ObjectReading.objects.values_list("facts")))
    assert "hooks.example.com" in stored
    assert "://" not in stored
    assert "+1" not in stored


@pytest.mark.parametrize(
    ("path", "resources"),
    [
        ("/studio/v2/Flows/*", {"studio_definition"}),
        ("/messaging/v1/Services/*/PhoneNumbers", {"service_number"}),
        ("/messaging/v1/Services/*/ChannelSenders", {"service_sender"}),
        ("/conversations/v1/Configuration", {"conversation_configuration"}),
        ("/v1/Configuration", {"configuration"}),
    ],
)
def test_refusal_keeps_what_was_read_and_is_told_once(company, path, resources):
    refresh_until_read()
    before = load_surroundings(ACCOUNT)
    company.inject(Fault(FaultKind.REFUSE, path=path, status=403, code=20003, times=None))
    if "studio_definition" in resources:
        for sid in before.studio_flows:
            company.store_of(STUDIO_FLOW).edit(sid, {"revision": 99})

    report = name_sync.refresh_names(ACCOUNT)

    assert {reading.resource for reading in report.failures} == resources
    assert len(load_states(twilio_accounts.all_accounts())[ACCOUNT].problems) == 1
    after = load_surroundings(ACCOUNT)
    assert after.numbers.keys() == before.numbers.keys()
    assert {*after.studio_flows} == {*before.studio_flows}
    assert after.chat_services.own_sids == before.chat_services.own_sids


def test_services_are_read_in_turns(company):
    limits = surroundings.ReadingLimits(definitions=1, services=1)

    counts = []
    for _ in range(3):
        refresh_names(ACCOUNT, {}, limits)
        counts.append(ObjectReading.objects.filter(resource="service_number").count())

    assert counts == [1, 2, 3]
    assert NameReading.objects.get(resource="service_number").read_at


def run_worker():
    """Run every task that waits, and those that they enqueue. Return how many read names."""
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    assert not DBTaskResult.objects.failed()
    return DBTaskResult.objects.filter(task_path__endswith=".read_the_rest").count()


def test_worker_reads_what_a_refresh_left_unread(company):
    report = name_sync.refresh_names(ACCOUNT)
    assert report.unread == 8  # 6 of 7 definitions, and a service with two lists

    assert run_worker() == 1
    assert len(load_surroundings(ACCOUNT).studio_flows) == 7
    assert (
        NameReading.objects.filter(
            resource__in=("studio_definition", "service_number", "service_sender"), failed_at=None
        ).count()
        == 3
    )
    assert name_sync.refresh_names(ACCOUNT).unread == 0
    assert run_worker() == 1


def test_worker_goes_on_until_everything_is_read(company, monkeypatch):
    limits = surroundings.ReadingLimits(definitions=2, services=60)
    monkeypatch.setattr(name_sync, "LIMITS_OF_A_WORKER", limits)
    name_sync.refresh_names(ACCOUNT)

    assert run_worker() == 3
    assert len(load_surroundings(ACCOUNT).studio_flows) == 7


def test_worker_stops_if_it_can_read_nothing_more(company, monkeypatch):
    limits = surroundings.ReadingLimits(definitions=2, services=60)
    monkeypatch.setattr(name_sync, "LIMITS_OF_A_WORKER", limits)
    name_sync.refresh_names(ACCOUNT)
    gone = Fault(FaultKind.REFUSE, path="/studio/v2/Flows/*", status=404, code=20404, times=None)
    company.inject(gone)

    assert run_worker() == 2  # the first read the last service
    assert len(load_surroundings(ACCOUNT).studio_flows) == 1


@pytest.mark.parametrize("busy", [True, False])
def test_worker_leaves_a_refresh_that_is_running_alone(company, busy):
    name_sync.refresh_names(ACCOUNT)
    NameRefresh.objects.update(started_at=timezone.now() if busy else None)
    before = len(company.requests)

    assert run_worker() == 1
    assert (len(company.requests) == before) is busy


def test_readings_of_deleted_objects_are_deleted(company):
    refresh_until_read()
    sid = next(iter(company.store_of(MESSAGING_SERVICE).snapshot()))
    company.store_of(MESSAGING_SERVICE).delete(sid)

    name_sync.refresh_names(ACCOUNT)

    assert not ObjectReading.objects.filter(sid=sid)


def test_account_without_flows_reads_no_definition(sandbox):
    refresh_names(ACCOUNT, {})

    assert not definition_requests(sandbox)
    assert load_surroundings(ACCOUNT).studio_flows == {}


def test_objects_read_before_handling_was_stored_have_no_time(company):
    name_sync.refresh_names(ACCOUNT)
    named = ResourceName.objects.filter(
        resource__in=(INCOMING_PHONE_NUMBER.name, WHATSAPP_SENDER.name)
    )
    named.update(details={})

    numbers = load_surroundings(ACCOUNT).numbers.values()
    assert {number.read_at for number in numbers} == {None}
    name_sync.refresh_names(ACCOUNT)
    assert not named.filter(details={})
