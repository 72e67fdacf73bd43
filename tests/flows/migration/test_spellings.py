"""A flow's identity in another spelling than its number: the number is found and detached."""

import pytest

from flows.migration import services
from flows.migration.status import MigrationStatus
from flows.mirror import mirror
from flows.mirror.models import Flow
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from tests import ACCOUNT
from tests.faults.acting import received_writes
from tests.flows.migration.acting import reload, run_worker
from tests.flows.migration.world import Kind, World

pytestmark = pytest.mark.django_db(transaction=True)

E164 = "+16285550001"  # that of a world's first flow
IN_SERVICE = Kind(number="in a service")


def prepare(sandbox, actor, kind, identity):
    """Prepare a flow whose identity has another spelling than its number or sender."""
    world = World(sandbox)
    sid = world.add(kind)
    sandbox.edit_flow(sid, contact_identity=identity)
    mirror.fetch(sid, account_sid=ACCOUNT)
    migration = services.prepare(
        flow=Flow.objects.get(sid=sid), deployment_key="", reason="", actor=actor
    )
    run_worker()
    return world, reload(migration)


def addresses(sandbox):
    store = sandbox.store_of(ADDRESS_CONFIGURATION)
    return {sid: body["address"] for sid, body in store.snapshot().items()}


@pytest.mark.parametrize("address", ["none", "studio"])
@pytest.mark.parametrize("spelling", [E164[1:], "1 (628) 555-0001", "00" + E164[1:]])
def test_number_is_detached_in_any_spelling(sandbox, operator_actor, spelling, address):
    kind = Kind(number="in a service", address=address)
    _world, migration = prepare(sandbox, operator_actor, kind, spelling)
    assert (migration.status, migration.problem) == (MigrationStatus.READY, "")
    services.switch(migration=migration, reason="", actor=operator_actor)
    run_worker()

    migration = reload(migration)
    assert (migration.status, migration.problem) == (MigrationStatus.SWITCHED, "")
    assert addresses(sandbox)[migration.address_sid] == E164
    kinds = set(migration.steps.values_list("kind", flat=True))
    assert {"detach_number", "leave_service"} <= kinds


@pytest.mark.parametrize(
    ("kind", "identity"),
    [
        (IN_SERVICE, "6285550001"),
        (IN_SERVICE, "12345"),
        (IN_SERVICE, "ACME Shop"),
        (Kind(channel="whatsapp"), "whatsapp:6285550001"),
    ],
    ids=["national", "short code", "name", "national whatsapp"],
)
def test_identity_without_its_country_is_refused(sandbox, operator_actor, kind, identity):
    _world, migration = prepare(sandbox, operator_actor, kind, identity)

    assert migration.status == MigrationStatus.ROLLED_BACK
    assert f"{identity} is not a number with its country code" in migration.problem
    assert received_writes(sandbox) == []


@pytest.mark.parametrize("identity", [f"whatsapp:{E164[1:]}", E164, "whatsapp:+1 628 555 0001"])
def test_sender_is_found_in_any_spelling(sandbox, operator_actor, identity):
    _world, migration = prepare(sandbox, operator_actor, Kind(channel="whatsapp"), identity)

    assert (migration.status, migration.problem) == (MigrationStatus.READY, "")
    assert addresses(sandbox)[migration.address_sid] == f"whatsapp:{E164}"


def test_webhook_of_a_sender_in_another_spelling_is_refused(sandbox, operator_actor):
    world = World(sandbox)
    sid = world.add(Kind(channel="whatsapp"))
    store = sandbox.store_of(WHATSAPP_SENDER)
    for sender_sid, body in store.snapshot().items():
        if body["sender_id"] == f"whatsapp:{E164}":
            store.edit(sender_sid, {"webhook": {"callback_url": "https://bot.example.com/in"}})
    sandbox.edit_flow(sid, contact_identity=f"whatsapp:{E164[1:]}")
    mirror.fetch(sid, account_sid=ACCOUNT)
    flow = Flow.objects.get(sid=sid)
    migration = services.prepare(flow=flow, deployment_key="", reason="", actor=operator_actor)
    run_worker()

    assert "has a webhook of its own" in reload(migration).problem
