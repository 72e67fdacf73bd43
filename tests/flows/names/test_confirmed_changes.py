"""The names after the site's own changes: what a refresh would read, without one."""

import pytest

from flows.accounts import twilio_accounts
from flows.audit.audit_log import Actor
from flows.changes import operations, reconcile
from flows.migration import services
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.names.models import ObjectReading, ResourceName
from flows.names.refresh import refresh_names
from flows.names.surroundings import LIMITS_OF_A_WORKER
from flows.names.twilio_reads import TwilioReader
from flows.routing.answers import HandlerKind
from flows.routing.explain import Router
from flows.routing.load_routing import load_for_question
from flows.routing.questions import question_of_flow
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.flows.changes import number_changes
from tests.flows.changes.number_changes import common
from tests.flows.migration.acting import prepared, reload, run_worker

pytestmark = pytest.mark.django_db(transaction=True)
IDENTITY = "+14155550177"
WEBHOOK = {
    "type": "sms",
    "address": IDENTITY,
    "friendly_name": "Orders",
    "auto_creation_enabled": True,
    "auto_creation_type": "webhook",
    "auto_creation_webhook_url": "https://ana:word@hooks.example.com/in?token=t0k3n",
    "auto_creation_webhook_filters": ["onMessageAdded"],
}


@pytest.fixture
def actor(person):
    return Actor(id=str(person("operator").pk), label="operator", role="operator")


@pytest.fixture
def company(settings):
    """A sandbox with the flows of a company, which was read completely."""
    settings.FLEX_RATE_LIMITS = False
    with Sandbox(flows=60) as server:
        settings.FLEX_API_URL, settings.TWILIO_API_URL = server.url, server.api_url
        sync_account(ACCOUNT)
        read_everything()
        yield server


def read_everything():
    refresh_names(ACCOUNT, {}, LIMITS_OF_A_WORKER)


def stored():
    """Return the names and the members of services, but for the times of changes."""
    names = ResourceName.objects.order_by("sid").values_list(
        "sid", "resource", "name", "name_folded", "status", "reference", "details", "gone_at"
    )
    members = ObjectReading.objects.filter(resource="service_number").order_by("sid")
    return (
        [(*values, gone_at is not None) for *values, gone_at in names],
        [(row.sid, row.facts["sids"]) for row in members],
    )


def check_against_refresh():
    """Compare what is stored with what a refresh reads."""
    before = stored()
    read_everything()
    assert stored() == before


def create_address(actor, **values):
    change = operations.create(ADDRESS_CONFIGURATION, values={**WEBHOOK, **values}, **common(actor))
    return change.event.target_sid


def test_own_changes_of_addresses_are_known_at_once(company, actor):
    sid = create_address(actor)
    row = ResourceName.objects.get(sid=sid)
    assert (row.status, row.reference, row.name) == ("on", IDENTITY, "Orders")
    assert row.details["host"] == "hooks.example.com"
    assert "word" not in str(row.details)
    assert "t0k3n" not in str(row.details)
    check_against_refresh()

    values = {"auto_creation_enabled": False, "friendly_name": "Returns"}
    operations.update(ADDRESS_CONFIGURATION, sid=sid, base=None, values=values, **common(actor))
    row.refresh_from_db()
    assert (row.status, row.name, row.name_folded) == ("off", "Returns", "returns")
    check_against_refresh()

    operations.delete(ADDRESS_CONFIGURATION, sid=sid, base={}, **common(actor))
    row.refresh_from_db()
    assert row.gone_at is not None
    check_against_refresh()


def test_address_that_is_found_deleted_is_gone_at_once(company, actor):
    sid = create_address(actor)
    company.inject(Fault(FaultKind.REFUSE, method="POST", status=404, code=20404))

    operations.update(
        ADDRESS_CONFIGURATION, sid=sid, base=None, values={"friendly_name": "X"}, **common(actor)
    )

    assert ResourceName.objects.get(sid=sid).gone_at is not None


def test_own_changes_of_numbers_are_known_at_once(company, actor):
    sid = number_changes.free_number(company)
    for values in (
        {"sms_url": "https://hooks.example.com/sms?token=t0k3n"},
        {"sms_url": "", "sms_application_sid": number_changes.APPLICATION_SID},
    ):
        number_changes.change_number(sid, actor, **values)
        check_against_refresh()
    details = ResourceName.objects.get(sid=sid).details
    assert details["application_sid"] == number_changes.APPLICATION_SID
    assert details["can_receive_sms"] is True


def test_own_changes_of_memberships_are_known_at_once(company, actor):
    sid = number_changes.number_of_service(company)
    number_changes.remove_from_service(sid, actor)
    assert (
        sid
        not in ObjectReading.objects.get(
            sid=number_changes.SERVICE_SID, resource="service_number"
        ).facts["sids"]
    )
    check_against_refresh()

    number_changes.add_to_service(sid, actor, number_changes.OTHER_SERVICE_SID)
    check_against_refresh()


def test_other_resources_store_no_names(company, actor):
    before = stored()
    flow = Flow.objects.filter(gone_at=None, channel_type="sms").first()
    operations.update(
        FLEX_FLOW, sid=flow.sid, base=None, values={"friendly_name": "X"}, **common(actor)
    )
    assert stored() == before


def test_routing_is_right_right_after_a_switch_over(company, actor):
    _world, migration = prepared(company, actor)
    read_everything()
    account = twilio_accounts.get_account(ACCOUNT)
    question = question_of_flow(Flow.objects.get(sid=migration.flow_sid).resource)
    before = Router(load_for_question(account, question)).explain(question)
    assert HandlerKind.ADDRESS not in [each.kind for each in before.handlers]

    services.switch(migration=migration, reason="tonight", actor=actor)
    run_worker()

    after = Router(load_for_question(account, question)).explain(question)
    assert [each.kind for each in after.handlers] == [HandlerKind.ADDRESS]
    assert not any("Messaging Service" in step.kind for step in after.steps)
    check_against_refresh()

    services.roll_back(migration=reload(migration), reason="wrong", actor=actor)
    run_worker()
    again = Router(load_for_question(account, question)).explain(question)
    assert again.handlers == before.handlers
    check_against_refresh()


def test_refresh_that_began_before_a_change_doesnt_undo_it(company, actor, monkeypatch):
    sid = create_address(actor)
    number_sid = number_changes.number_of_service(company)
    read = TwilioReader.list_sids
    has_changed = []

    def list_and_change(self, resource, parent_sid):
        sids = read(self, resource, parent_sid)
        if not has_changed and number_sid in sids:
            has_changed.append(True)
            number_changes.remove_from_service(number_sid, actor)
        return sids

    list_objects = TwilioReader.list_objects

    def list_objects_and_change(self, resource, *arguments):
        listing = list_objects(self, resource, *arguments)
        if resource == ADDRESS_CONFIGURATION:
            values = {"auto_creation_enabled": False}
            operations.update(resource, sid=sid, base=None, values=values, **common(actor))
        return listing

    # Someone else changed the address, so the refresh has something to store.
    ResourceName.objects.filter(sid=sid).update(name="Former name")
    monkeypatch.setattr(TwilioReader, "list_sids", list_and_change)
    monkeypatch.setattr(TwilioReader, "list_objects", list_objects_and_change)
    read_everything()
    monkeypatch.undo()

    assert has_changed
    assert ResourceName.objects.get(sid=sid).status == "off"
    check_against_refresh()


def test_creation_that_is_confirmed_later_is_known_then(company, actor):
    company.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
    create_address(actor)
    assert not ResourceName.objects.filter(reference=IDENTITY).exists()

    reconcile.reconcile()

    assert ResourceName.objects.get(reference=IDENTITY).status == "on"
    check_against_refresh()
