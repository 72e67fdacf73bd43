"""Runs of migrations: what they send, in which order, and when they send nothing."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from flows.accounts.update_signals import announce_sync_end
from flows.audit.models import AuditEvent, Result
from flows.availability import restrictions
from flows.migration import execution, leases, services
from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from flows.twilio.api.phone_number_settings import PHONE_NUMBER_SETTINGS
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.messaging.whatsapp_sender import WHATSAPP_SENDER
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests import ACCOUNT
from tests.faults.acting import dump_tables, received_writes
from tests.faults.migrations import moving_clock
from tests.flows.migration.acting import prepared, reload, run_worker, start, switched
from tests.flows.migration.world import SECRET, Kind, World, all_kinds

pytestmark = pytest.mark.django_db(transaction=True)


def switch(migration, actor):
    services.switch(migration=migration, reason="tonight", actor=actor)
    run_worker()
    return reload(migration)


def paths(sandbox):
    return [record.path.split("/")[-2] for record in received_writes(sandbox)]


def test_preparation_creates_the_address_that_is_off(sandbox, operator_actor):
    world, migration = prepared(sandbox, operator_actor)

    address = world.state(migration.flow_sid)["address"]
    assert (migration.status, migration.address_sid) == (MigrationStatus.READY, address["sid"])
    assert address["auto_creation_enabled"] is False
    assert world.state(migration.flow_sid)["flow"]["enabled"] is True
    assert len(received_writes(sandbox)) == 1


def test_switch_over_makes_its_calls_back_to_back(sandbox, operator_actor):
    _world, migration = switched(sandbox, operator_actor)

    assert migration.status == MigrationStatus.SWITCHED
    assert paths(sandbox) == [
        "Configuration",  # the address is created
        "PhoneNumbers",  # the number leaves its Messaging Service
        "IncomingPhoneNumbers",  # its webhook is removed
        "FlexFlows",  # the flow is turned off
        "Addresses",  # the address is turned on
    ]
    events = AuditEvent.objects.filter(request_id=migration.pk, stage="outcome")
    assert events.filter(result=Result.SUCCEEDED, reason="tonight").count() == 4


@pytest.mark.parametrize("kind", [kind for kind in all_kinds() if kind.refusal], ids=str)
def test_refused_kind_sends_nothing_and_says_why(sandbox, operator_actor, kind):
    world, migration = prepared(sandbox, operator_actor, kind)

    assert migration.status == MigrationStatus.ROLLED_BACK
    assert kind.refusal in migration.problem
    assert "Nothing has changed for customers" in migration.problem
    assert received_writes(sandbox) == []
    assert SECRET not in dump_tables()
    assert world.state(migration.flow_sid)["flow"]["enabled"] is kind.enabled


def test_whatsapp_sender_with_a_webhook_of_its_own_is_refused(sandbox, operator_actor):
    world = World(sandbox)
    _world, migration = start(sandbox, operator_actor, Kind(channel="whatsapp"), world=world)
    store = sandbox.store_of(WHATSAPP_SENDER)
    (sender,) = (
        sid
        for sid, body in store.snapshot().items()
        if body["sender_id"] == migration.contact_identity
    )
    store.edit(sender, {"webhook": {"callback_url": "https://bot.example.com/in"}})
    run_worker()

    assert "has a webhook of its own" in reload(migration).problem
    assert received_writes(sandbox) == []


def test_secret_of_a_webhook_reaches_the_address_and_nothing_else(sandbox, operator_actor):
    world, migration = switched(
        sandbox, operator_actor, Kind(integration="secret webhook", number="proxied")
    )

    address = world.state(migration.flow_sid)["address"]
    assert SECRET in address["auto_creation_webhook_url"]
    assert SECRET not in dump_tables()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda world, sid: world.sandbox.edit_flow(sid, friendly_name="Else"), "Friendly name"),
        (lambda world, sid: world.sandbox.edit_flow(sid, enabled=False), "Status"),
        (lambda world, sid: _edit_number(world.sandbox), "SMS webhook URL"),
        (lambda world, sid: _edit_address(world.sandbox), "Auto-creation"),
    ],
    ids=["name", "status", "number", "address"],
)
def test_what_changed_since_the_preparation_is_not_switched_over(
    sandbox, operator_actor, change, sentence
):
    world, migration = prepared(sandbox, operator_actor, Kind(number="proxied"))
    change(world, migration.flow_sid)
    migration = switch(migration, operator_actor)

    assert migration.status == MigrationStatus.READY
    assert sentence in migration.problem
    assert "nothing was sent" in migration.problem
    assert len(received_writes(sandbox)) == 1


def _edit_number(sandbox):
    store = sandbox.store_of(PHONE_NUMBER_SETTINGS)
    store.edit(next(iter(store.snapshot())), {"sms_url": "https://else.example.com/"})


def _edit_address(sandbox):
    store = sandbox.store_of(ADDRESS_CONFIGURATION)
    newest = next(iter(store.snapshot()))
    store.edit(newest, {"auto_creation_enabled": True})


def test_refusal_rolls_back_the_steps_that_were_made(sandbox, operator_actor):
    world, migration = prepared(sandbox, operator_actor)
    before = world.state(migration.flow_sid)
    sandbox.inject(Fault(FaultKind.REFUSE, method="POST", path="/FlexFlows/*"))
    migration = switch(migration, operator_actor)

    assert migration.status == MigrationStatus.READY
    assert "HTTP 400" in migration.problem
    assert world.state(migration.flow_sid) == before
    assert switch(migration, operator_actor).status == MigrationStatus.SWITCHED


def test_numbers_are_switched_over_one_at_a_time(sandbox, operator_actor):
    world = World(sandbox)
    migrations = [prepared(sandbox, operator_actor, world=world)[1] for _ in range(3)]
    for migration in migrations:
        services.switch(migration=migration, reason="", actor=operator_actor)
    run_worker()

    sent = AuditEvent.objects.filter(request_id__in=[one.pk for one in migrations])
    order = sent.filter(stage="attempt").exclude(action="address_configuration.create")
    numbers = list(order.order_by("seq").values_list("request_id", flat=True))
    assert numbers == [migration.pk for migration in migrations for _ in range(4)]


def test_stop_leaves_the_numbers_that_no_worker_has_begun(sandbox, operator_actor):
    world = World(sandbox)
    first, second = (prepared(sandbox, operator_actor, world=world)[1] for _ in range(2))
    for migration in (first, second):
        services.switch(migration=migration, reason="", actor=operator_actor)
    FlowMigration.objects.filter(pk=first.pk).update(begun_at=timezone.now())

    assert services.stop(account_sid=ACCOUNT, reason="", actor=operator_actor) == 1

    run_worker()
    assert reload(first).status == MigrationStatus.SWITCHED
    assert reload(second).status == MigrationStatus.READY


def test_another_run_holds_the_lease(sandbox, operator_actor):
    _world, migration = start(sandbox, operator_actor)
    leases.acquire_lease(ACCOUNT, uuid.uuid4())

    run_worker()

    assert reload(migration).status == MigrationStatus.PREPARING
    assert received_writes(sandbox) == []
    late = timezone.now() - leases.LEASE_TIMEOUT - timedelta(seconds=1)
    leases.MigrationLease.objects.update(heartbeat_at=late)
    execution.enqueue(ACCOUNT)
    run_worker()
    assert reload(migration).status == MigrationStatus.READY


def test_restart_takes_the_migrations_up_at_once(sandbox, operator_actor):
    _world, migration = start(sandbox, operator_actor)
    leases.acquire_lease(ACCOUNT, uuid.uuid4())

    assert execution.requeue_all() == 1
    run_worker()

    assert reload(migration).status == MigrationStatus.READY


def test_user_without_the_permission_switches_nothing_over(sandbox, operator_actor, operator_user):
    _world, migration = prepared(sandbox, operator_actor)
    services.switch(migration=migration, reason="", actor=operator_actor)
    operator_user.groups.clear()
    run_worker()

    migration = reload(migration)
    assert migration.status == MigrationStatus.READY
    assert "no longer has permission" in migration.problem
    assert len(received_writes(sandbox)) == 1


def test_user_without_the_permission_rolls_nothing_back(sandbox, operator_actor, operator_user):
    _world, migration = prepared(sandbox, operator_actor)
    services.roll_back(migration=migration, reason="", actor=operator_actor)
    operator_user.groups.clear()
    run_worker()

    migration = reload(migration)
    assert migration.status == MigrationStatus.STUCK
    assert "no longer has permission" in migration.problem
    assert len(received_writes(sandbox)) == 1


@pytest.mark.parametrize("waits", [True, False])
def test_sync_enqueues_a_migration_that_no_task_would_take_up(sandbox, operator_actor, waits):
    _world, migration = start(sandbox, operator_actor)
    if not waits:
        DBTaskResult.objects.all().delete()

    announce_sync_end(ACCOUNT)
    announce_sync_end(ACCOUNT)

    path = execution.run_migrations.module_path
    assert DBTaskResult.objects.filter(task_path=path).count() == 1
    run_worker()
    assert reload(migration).status == MigrationStatus.READY


def test_sync_enqueues_nothing_without_a_running_migration(sandbox, operator_actor):
    prepared(sandbox, operator_actor)
    DBTaskResult.objects.all().delete()

    announce_sync_end(ACCOUNT)

    assert not DBTaskResult.objects.exists()


def test_read_only_account_in_the_middle_is_reported_as_unserved(
    sandbox, operator_actor, monkeypatch
):
    world, migration = prepared(sandbox, operator_actor)
    before = world.state(migration.flow_sid)
    services.switch(migration=migration, reason="", actor=operator_actor)
    make_step, made = execution.MigrationRun._make_steps, []

    def make_read_only_after_two(run, steps):
        for step in steps:
            if len(made) == 2:
                restrictions.set_read_only(account_sid="", reason="", actor=operator_actor)
            made.append(step)
            result = make_step(run, [step])
            if result.outcome.value != "done":
                return result
        return result

    monkeypatch.setattr(execution.MigrationRun, "_make_steps", make_read_only_after_two)
    run_worker()
    migration = reload(migration)
    assert migration.status == MigrationStatus.STUCK
    assert "get no answer at the moment" in migration.problem
    assert "read-only" in migration.problem
    assert "Try again" in migration.problem

    monkeypatch.undo()
    restrictions.lift_read_only(account_sid="", reason="", actor=operator_actor)
    services.resume(migration=migration, reason="", actor=operator_actor)
    run_worker()
    assert reload(migration).status == MigrationStatus.READY
    assert world.state(migration.flow_sid) == before


def test_someone_who_turned_the_address_on_again_is_not_overwritten(sandbox, operator_actor):
    world, migration = prepared(sandbox, operator_actor, Kind(number="proxied"))
    _edit_address(sandbox)
    with moving_clock() as clock:
        clock.move(timedelta(minutes=2))  # Twilio can't show an older state after that
        services.roll_back(migration=migration, reason="", actor=operator_actor)
        run_worker()

    migration = reload(migration)
    assert migration.status == MigrationStatus.STUCK
    assert "Someone else changed Auto-creation" in migration.problem
    assert world.state(migration.flow_sid)["address"] is not None
