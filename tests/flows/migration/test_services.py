"""What users do with migrations: what is recorded, what is refused, and how a stuck one goes on."""

import pytest

from flows.audit import audit_log
from flows.audit.audit_log import NotRecorded
from flows.audit.models import AuditEvent
from flows.migration import execution, sending, services
from flows.migration.models import FlowMigration
from flows.migration.services import NotPossible
from flows.migration.status import MigrationStatus
from flows.mirror.models import Flow
from flows.twilio.sandbox.faults import Fault, FaultKind
from tests.faults.acting import SECRET_URL, dump_tables, received_writes
from tests.faults.migrations import moving_clock
from tests.flows.migration.acting import prepared, reload, run_worker, start, switched

pytestmark = pytest.mark.django_db(transaction=True)


def test_flow_has_one_open_migration(sandbox, operator_actor):
    _world, migration = start(sandbox, operator_actor)
    flow = Flow.objects.get(sid=migration.flow_sid)

    again = services.prepare(flow=flow, deployment_key="", reason="", actor=operator_actor)

    assert again is None
    assert FlowMigration.objects.count() == 1
    assert AuditEvent.objects.filter(action="migration.prepare").count() == 1


def test_rolled_back_flow_can_be_prepared_again(sandbox, operator_actor):
    _world, migration = prepared(sandbox, operator_actor)
    services.roll_back(migration=migration, reason="", actor=operator_actor)
    run_worker()
    flow = Flow.objects.get(sid=migration.flow_sid)

    services.prepare(flow=flow, deployment_key="", reason="", actor=operator_actor)
    run_worker()

    assert services.latest_migration(flow.sid).status == MigrationStatus.READY
    assert reload(migration).status == MigrationStatus.ROLLED_BACK


def test_second_start_is_refused(sandbox, operator_actor):
    _world, migration = prepared(sandbox, operator_actor)
    services.switch(migration=migration, reason="", actor=operator_actor)

    with pytest.raises(NotPossible, match="moved on in the meantime"):
        services.switch(migration=migration, reason="", actor=operator_actor)

    assert AuditEvent.objects.filter(action="migration.switch").count() == 1


def test_nothing_changes_if_the_log_cannot_be_written(sandbox, operator_actor, monkeypatch):
    _world, migration = prepared(sandbox, operator_actor)

    def refuse(_log, **_event):
        raise NotRecorded("the audit log cannot be written")

    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse)
    with pytest.raises(NotRecorded):
        services.switch(migration=migration, reason="", actor=operator_actor)
    run_worker()

    assert reload(migration).status == MigrationStatus.READY
    assert len(received_writes(sandbox)) == 1


def test_run_waits_for_a_log_that_cannot_be_written(sandbox, operator_actor, monkeypatch):
    world, migration = prepared(sandbox, operator_actor)
    before = world.state(migration.flow_sid)
    services.switch(migration=migration, reason="", actor=operator_actor)
    append = audit_log.LogTransaction.append

    def refuse(_log, **_event):
        raise NotRecorded("the audit log cannot be written")

    monkeypatch.setattr(audit_log.LogTransaction, "append", refuse)
    run_worker()
    assert (reload(migration).status, world.state(migration.flow_sid)) == ("switching", before)

    monkeypatch.setattr(audit_log.LogTransaction, "append", append)
    execution.enqueue(migration.account_sid)
    run_worker()
    assert reload(migration).status == MigrationStatus.SWITCHED


def test_internal_error_needs_a_user_and_quotes_nothing(sandbox, operator_actor, monkeypatch):
    world, migration = prepared(sandbox, operator_actor)
    before = world.state(migration.flow_sid)
    services.switch(migration=migration, reason="", actor=operator_actor)
    update = sending.operations.update

    def fail(*_args, **_options):
        raise ValueError(SECRET_URL)

    monkeypatch.setattr(sending.operations, "update", fail)
    run_worker()
    migration = reload(migration)
    assert migration.status == MigrationStatus.STUCK
    assert "get no answer at the moment" in migration.problem  # it has left its service
    assert "canary" not in dump_tables()

    monkeypatch.setattr(sending.operations, "update", update)
    services.roll_back(migration=migration, reason="", actor=operator_actor)
    run_worker()
    assert reload(migration).status == MigrationStatus.ROLLED_BACK
    assert world.state(migration.flow_sid) == {**before, "address": None}


def test_unknown_step_has_to_be_decided_before_a_rollback(sandbox, operator_actor):
    _world, migration = prepared(sandbox, operator_actor)
    services.switch(migration=migration, reason="", actor=operator_actor)
    sandbox.inject(Fault(FaultKind.DROP, method="POST", path="/FlexFlows/*"))
    run_worker()
    FlowMigration.objects.update(status=MigrationStatus.STUCK, interrupted_status="switching")

    with pytest.raises(NotPossible, match="unknown outcome"):
        services.roll_back(migration=migration, reason="", actor=operator_actor)

    assert reload(migration).status == MigrationStatus.STUCK


def test_flow_that_was_turned_on_again_is_not_deleted(sandbox, operator_actor):
    _world, migration = switched(sandbox, operator_actor)
    services.verify(migration=migration, reason="seen", actor=operator_actor)
    sandbox.edit_flow(migration.flow_sid, enabled=True)
    with moving_clock() as clock:
        clock.move(services.DELETION_DELAY)
        services.delete(migration=migration, reason="", actor=operator_actor)
        run_worker()

    migration = reload(migration)
    assert migration.status == MigrationStatus.VERIFIED
    assert "Someone else changed Status" in migration.problem
    assert migration.flow_sid in sandbox.flows


def test_all_events_of_a_migration_have_its_id(sandbox, operator_actor):
    _world, migration = switched(sandbox, operator_actor)

    events = AuditEvent.objects.filter(request_id=migration.pk)
    assert set(events.values_list("action", flat=True)) == {
        "migration.prepare",
        "migration.switch",
        "migration.progress",
        "address_configuration.create",
        "address_configuration.update",
        "number.update",
        "service_membership.delete",
        "flow.update",
    }
    progress = events.filter(action="migration.progress").order_by("seq")
    assert [event.payload.requested["Status"] for event in progress] == [
        "Ready to switch over",
        "Switched over",
    ]
