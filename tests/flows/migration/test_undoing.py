"""The rollback and the deletion, if Twilio shows old states, refuses, or has lost an object."""

from datetime import timedelta

import pytest

from flows.audit.models import OpenChange
from flows.changes import reconcile
from flows.migration import execution, services
from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.reversals import PATIENCE
from flows.migration.status import MigrationStatus
from flows.migration.step_kinds import StepKind
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.sandbox.consistency import Lag, LagKind
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests.faults.acting import received_writes
from tests.faults.migrations import moving_clock
from tests.flows.migration.acting import prepared, reload, run_worker, switched
from tests.flows.migration.world import Kind
from tests.sandbox_addresses import sandbox_addresses

pytestmark = pytest.mark.django_db(transaction=True)

A_WHILE = timedelta(minutes=3)
KIND = Kind(number="proxied")


@pytest.fixture
def clock():
    with moving_clock() as clock:
        yield clock


@pytest.fixture
def twilio(settings, clock):
    with Sandbox(clock=clock.now) as sandbox:
        for name, value in sandbox_addresses(sandbox.url).items():
            setattr(settings, name, value)
        yield sandbox


def roll_back(migration, actor):
    services.roll_back(migration=migration, reason="", actor=actor)
    run_worker()
    return reload(migration)


def show_old_state(twilio, path):
    twilio.lag(Lag(LagKind.STALE, path=path, times=None, seconds=30))


def wait(clock):
    clock.move(execution.WAIT_FOR_OUTCOME)
    run_worker()


def refuse(twilio, method, path, **options):
    twilio.inject(Fault(FaultKind.REFUSE, method=method, path=path, **options))


def test_number_is_attached_again_though_twilio_still_shows_it_attached(
    twilio, clock, operator_actor
):
    world, migration = prepared(twilio, operator_actor, KIND)
    before = world.state(migration.flow_sid)
    clock.move(A_WHILE)
    refuse(twilio, "POST", "/FlexFlows/*")
    show_old_state(twilio, "*/IncomingPhoneNumbers/*")
    services.switch(migration=migration, reason="", actor=operator_actor)
    run_worker()
    assert reload(migration).status == MigrationStatus.ROLLING_BACK

    twilio.lags.clear()
    wait(clock)

    assert reload(migration).status == MigrationStatus.READY
    assert world.state(migration.flow_sid) == before


def test_address_is_turned_off_though_twilio_still_shows_it_off(twilio, clock, operator_actor):
    world, migration = prepared(twilio, operator_actor, KIND)
    before = world.state(migration.flow_sid)
    clock.move(A_WHILE)
    services.switch(migration=migration, reason="", actor=operator_actor)
    run_worker()
    show_old_state(twilio, "*/Configuration/Addresses/*")
    migration = roll_back(reload(migration), operator_actor)
    assert migration.status == MigrationStatus.ROLLING_BACK
    assert "tried again in a minute" in migration.problem
    assert world.handlers(migration.flow_sid, before) == ["address"]

    twilio.lags.clear()
    wait(clock)

    assert reload(migration).status == MigrationStatus.ROLLED_BACK
    assert world.state(migration.flow_sid) == {**before, "address": None}


def test_flow_is_turned_on_though_twilio_still_shows_it_on(twilio, clock, operator_actor):
    world, migration = prepared(twilio, operator_actor, KIND)
    before = world.state(migration.flow_sid)
    clock.move(A_WHILE)
    refuse(twilio, "POST", "*/Configuration/Addresses/*")
    show_old_state(twilio, "/FlexFlows/*")
    services.switch(migration=migration, reason="", actor=operator_actor)
    run_worker()
    assert reload(migration).status == MigrationStatus.ROLLING_BACK

    twilio.lags.clear()
    wait(clock)

    assert reload(migration).status == MigrationStatus.READY
    assert world.state(migration.flow_sid) == before


def test_undo_that_can_never_read_needs_a_user(twilio, clock, operator_actor):
    world, migration = prepared(twilio, operator_actor, KIND)
    before = world.state(migration.flow_sid)
    refuse(twilio, "POST", "*/Configuration/Addresses/*")
    services.switch(migration=migration, reason="", actor=operator_actor)
    broken = Fault(FaultKind.SERVER_ERROR, method="GET", path="/FlexFlows/*", times=None)
    make_reversals = execution.MigrationRun._roll_back

    def break_then_roll_back(run):
        twilio.inject(broken)
        make_reversals(run)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution.MigrationRun, "_roll_back", break_then_roll_back)
        run_worker()
        assert reload(migration).status == MigrationStatus.ROLLING_BACK
        wait(clock)
        assert reload(migration).status == MigrationStatus.ROLLING_BACK
        clock.move(PATIENCE)
        run_worker()
    migration = reload(migration)
    assert migration.status == MigrationStatus.STUCK
    assert "get no answer at the moment" in migration.problem

    twilio.clear_faults()
    services.resume(migration=migration, reason="", actor=operator_actor)
    run_worker()
    assert reload(migration).status == MigrationStatus.READY
    assert world.state(migration.flow_sid) == before


@pytest.mark.parametrize("is_verified", [False, True])
def test_address_stays_if_the_flow_was_deleted_at_twilio(
    twilio, clock, operator_actor, is_verified
):
    _world, migration = switched(twilio, operator_actor, KIND)
    if is_verified:
        services.verify(migration=migration, reason="", actor=operator_actor)
    status, sent = reload(migration).status, len(received_writes(twilio))
    clock.move(A_WHILE)
    twilio.remove_flow(migration.flow_sid)

    for _ in range(2):  # a second try is answered in the same way
        migration = roll_back(reload(migration), operator_actor)

        assert migration.status == status
        assert "no longer has the flow" in migration.problem
        assert "nothing was sent" in migration.problem
        assert len(received_writes(twilio)) == sent
    assert not MigrationStep.objects.exclude(reverses=None).exists()
    newest = next(iter(twilio.store_of(ADDRESS_CONFIGURATION).snapshot().values()))
    assert newest["auto_creation"]["enabled"] is True


@pytest.mark.parametrize("path", ["/FlexFlows/*", "*/IncomingPhoneNumbers/*"])
def test_address_stays_if_what_comes_back_cannot_be_read(twilio, clock, operator_actor, path):
    _world, migration = switched(twilio, operator_actor, KIND)
    sent = len(received_writes(twilio))
    clock.move(A_WHILE)
    refuse(twilio, "GET", path, status=403, code=20403)
    migration = roll_back(migration, operator_actor)

    assert migration.status == MigrationStatus.SWITCHED
    assert "roll back again" in migration.problem
    assert len(received_writes(twilio)) == sent
    assert roll_back(migration, operator_actor).status == MigrationStatus.ROLLED_BACK


def test_rollback_waits_for_a_read_before_it_takes_the_address_away(twilio, clock, operator_actor):
    world, migration = prepared(twilio, operator_actor, KIND)
    before = world.state(migration.flow_sid)
    clock.move(A_WHILE)
    services.switch(migration=migration, reason="", actor=operator_actor)
    run_worker()
    show_old_state(twilio, "/FlexFlows/*")
    migration = roll_back(reload(migration), operator_actor)
    assert migration.status == MigrationStatus.ROLLING_BACK
    assert world.handlers(migration.flow_sid, before) == ["address"]

    twilio.lags.clear()
    wait(clock)

    assert reload(migration).status == MigrationStatus.ROLLED_BACK
    assert world.state(migration.flow_sid) == {**before, "address": None}


def test_address_is_turned_on_again_if_the_flow_cannot_be(twilio, clock, operator_actor):
    world, migration = prepared(twilio, operator_actor, KIND)
    before = world.state(migration.flow_sid)
    services.switch(migration=migration, reason="", actor=operator_actor)
    run_worker()
    services.verify(migration=reload(migration), reason="", actor=operator_actor)
    refuse(twilio, "POST", "/FlexFlows/*")
    migration = roll_back(reload(migration), operator_actor)

    assert migration.status == MigrationStatus.SWITCHED
    assert migration.verified_at is None
    assert "the address answers again" in migration.problem
    assert "HTTP 400" in migration.problem
    assert world.handlers(migration.flow_sid, before) == ["address"]
    assert roll_back(migration, operator_actor).status == MigrationStatus.ROLLED_BACK
    assert world.state(migration.flow_sid) == {**before, "address": None}


def test_address_that_was_deleted_counts_as_turned_off(twilio, clock, operator_actor):
    world, migration = prepared(twilio, operator_actor, KIND)
    before = world.state(migration.flow_sid)
    services.switch(migration=migration, reason="", actor=operator_actor)
    run_worker()
    clock.move(A_WHILE)
    twilio.store_of(ADDRESS_CONFIGURATION).delete(reload(migration).address_sid)
    migration = roll_back(reload(migration), operator_actor)

    assert migration.status == MigrationStatus.ROLLED_BACK
    assert world.state(migration.flow_sid) == {**before, "address": None}


def test_reversal_decided_as_not_applied_is_tried_again_at_once(twilio, clock, operator_actor):
    world, migration = prepared(twilio, operator_actor, KIND)
    before = world.state(migration.flow_sid)
    services.switch(migration=migration, reason="", actor=operator_actor)
    run_worker()
    twilio.inject(Fault(FaultKind.DROP, method="POST", path="/FlexFlows/*"))
    migration = roll_back(reload(migration), operator_actor)
    OpenChange.objects.update(ambiguity="Nothing tells.")
    FlowMigration.objects.update(status=MigrationStatus.STUCK, interrupted_status="rolling_back")
    reconcile.resolve_manually(
        change=OpenChange.objects.get(), applied=False, reason="seen", actor=operator_actor
    )

    services.resume(migration=reload(migration), reason="", actor=operator_actor)
    run_worker()

    assert reload(migration).status == MigrationStatus.ROLLED_BACK
    assert world.state(migration.flow_sid) == {**before, "address": None}


def verified_long_ago(twilio, clock, actor):
    world, migration = switched(twilio, actor, KIND)
    services.verify(migration=migration, reason="seen", actor=actor)
    clock.move(services.DELETION_DELAY)
    return world, reload(migration)


def delete(migration, actor):
    services.delete(migration=migration, reason="", actor=actor)
    run_worker()
    return reload(migration)


def test_refused_deletion_leaves_no_step(twilio, clock, operator_actor, operator_user, person):
    _world, migration = verified_long_ago(twilio, clock, operator_actor)
    groups = list(operator_user.groups.all())
    operator_user.groups.clear()
    migration = delete(migration, operator_actor)
    assert migration.status == MigrationStatus.VERIFIED
    assert "no longer has permission" in migration.problem
    assert not migration.steps.filter(kind=StepKind.DELETE_FLOW).exists()

    operator_user.groups.set(groups)
    migration = delete(migration, operator_actor)

    assert migration.status == MigrationStatus.DONE
    assert migration.flow_sid not in twilio.flows


def test_flow_that_is_gone_counts_as_deleted(twilio, clock, operator_actor):
    _world, migration = verified_long_ago(twilio, clock, operator_actor)
    twilio.remove_flow(migration.flow_sid)

    migration = delete(migration, operator_actor)

    assert (migration.status, migration.problem) == (MigrationStatus.DONE, "")
    step = migration.steps.get(kind=StepKind.DELETE_FLOW)
    assert step.skip_reason == "It was deleted already."


@pytest.mark.parametrize("is_deleted", [False, True])
def test_flow_stays_if_no_address_answers(twilio, clock, operator_actor, is_deleted):
    _world, migration = verified_long_ago(twilio, clock, operator_actor)
    addresses = twilio.store_of(ADDRESS_CONFIGURATION)
    if is_deleted:
        addresses.delete(migration.address_sid)
    else:
        body = addresses.snapshot()[migration.address_sid]
        auto_creation = {**body["auto_creation"], "enabled": False}
        addresses.edit(migration.address_sid, {"auto_creation": auto_creation})

    migration = delete(migration, operator_actor)

    assert migration.status == MigrationStatus.VERIFIED
    assert "customers get no answer" in migration.problem
    assert migration.flow_sid in twilio.flows
    assert not migration.steps.filter(kind=StepKind.DELETE_FLOW).exists()
