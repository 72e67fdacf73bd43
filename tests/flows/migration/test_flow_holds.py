"""A flow whose migration has begun can't be deleted, or turned on unseen, on any other page."""

import uuid
from dataclasses import replace

import pytest
from django.utils import timezone
from django.utils.html import strip_tags

from flows.audit.models import AuditEvent, Result
from flows.availability.restrictions import OperationUnavailable
from flows.changes import flow_changes
from flows.migration import services
from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from flows.mirror.models import Flow
from flows.plans import drafts, one_change
from flows.plans.drafts import DELETE, DISABLE, ENABLE, BulkAction
from tests.conftest import form_data
from tests.flows.migration.acting import prepared, reload, run_worker, switched
from tests.flows.migration.adding import add_migration
from tests.flows.migration.world import Kind, World

pytestmark = pytest.mark.django_db(transaction=True)
OPEN = [each for each in MigrationStatus if each not in ("done", "rolled_back")]
BULK = [(DELETE, "7 days after"), (ENABLE, "both would answer")]


@pytest.fixture
def world(sandbox):
    return World(sandbox)


@pytest.fixture
def flow(world):
    return Flow.objects.get(sid=world.add(Kind(number="proxied", enabled=False)))


def text(page):
    return " ".join(strip_tags(page.content.decode()).split()).replace("&#x27;", "'")


def delete(flow, actor):
    flow_changes.delete_flow(
        sid=flow.sid,
        base=flow.resource,
        reason="tidy",
        actor=actor,
        change_id=uuid.uuid4(),
        account_sid=flow.account_sid,
    )


def set_enabled(flow, actor, *, enabled):
    flow_changes.set_enabled(
        sid=flow.sid,
        enabled=enabled,
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
        account_sid=flow.account_sid,
    )


@pytest.mark.parametrize("status", OPEN)
def test_flow_with_an_unfinished_migration_cannot_be_deleted(sandbox, flow, actor, status):
    add_migration(flow.sid, status, at=timezone.now(), contact_identity=flow.contact_identity)

    with pytest.raises(OperationUnavailable, match=r"migrat|moved to an address"):
        delete(flow, actor)

    assert flow.sid in sandbox.flows
    assert AuditEvent.objects.filter(result=Result.DENIED, target_sid=flow.sid).exists()


@pytest.mark.parametrize("status", [None, MigrationStatus.ROLLED_BACK])
def test_flow_without_an_open_migration_can_be_deleted(sandbox, flow, actor, status):
    if status:
        add_migration(flow.sid, status)

    delete(flow, actor)

    assert flow.sid not in sandbox.flows


@pytest.mark.parametrize("status", [MigrationStatus.SWITCHING, MigrationStatus.ROLLING_BACK])
def test_flow_is_not_switched_while_its_migration_does_that(sandbox, flow, actor, status):
    add_migration(flow.sid, status)

    with pytest.raises(OperationUnavailable, match="turns it on and off itself"):
        set_enabled(flow, actor, enabled=True)

    assert sandbox.flows[flow.sid]["enabled"] is False


def test_flow_of_a_stuck_migration_can_be_turned_on_by_hand(sandbox, flow, actor):
    add_migration(flow.sid, MigrationStatus.STUCK)

    set_enabled(flow, actor, enabled=True)

    assert sandbox.flows[flow.sid]["enabled"] is True


def test_the_migration_itself_turns_its_flow_off_and_deletes_it(sandbox, operator_actor, person):
    _, migration = switched(sandbox, operator_actor)
    assert sandbox.flows[migration.flow_sid]["enabled"] is False
    FlowMigration.objects.update(status=MigrationStatus.VERIFIED, verified_at=migration.created_at)
    migration = reload(migration)
    migration.verified_at -= services.DELETION_DELAY * 2
    migration.save()
    admin = person("admin", "admin")

    services.delete(
        migration=migration,
        reason="done",
        actor=replace(operator_actor, id=str(admin.pk), label="admin", role="admin"),
    )
    run_worker()

    assert reload(migration).status == MigrationStatus.DONE
    assert migration.flow_sid not in sandbox.flows


@pytest.mark.parametrize(("kind", "reason"), BULK)
def test_bulk_change_skips_a_moved_flow(world, flow, kind, reason):
    other = Flow.objects.get(sid=world.add(Kind(number="bare", enabled=False)))
    add_migration(flow.sid, MigrationStatus.VERIFIED, address_sid="IG" + "1" * 32)

    plan = drafts.plan_bulk_action(
        action=BulkAction(kind), sids=[flow.sid, other.sid], created_by="operator"
    )

    planned = {change.target_sid: change for change in plan.changes.all()}
    assert reason in planned[flow.sid].skip_reason
    assert planned[other.sid].skip_reason == ""


def test_bulk_change_skips_a_flow_that_was_moved_since_its_preview(sandbox, flow, actor):
    plan = drafts.plan_bulk_action(
        action=BulkAction(DELETE), sids=[flow.sid], created_by="operator"
    )
    add_migration(flow.sid, MigrationStatus.READY)

    [change] = plan.changes.all()
    result = one_change.make_change(change, reason="", actor=actor)

    assert "has begun" in result.skip_reason
    assert flow.sid in sandbox.flows


def test_bulk_change_still_turns_a_flow_off(sandbox, operator_actor):
    _, migration = prepared(sandbox, operator_actor)

    plan = drafts.plan_bulk_action(
        action=BulkAction(DISABLE), sids=[migration.flow_sid], created_by="operator"
    )

    assert plan.changes.get().skip_reason == ""


def test_pages_name_the_migration(client_of, flow):
    add_migration(
        flow.sid,
        MigrationStatus.VERIFIED,
        address_sid="IG" + "1" * 32,
        contact_identity=flow.contact_identity,
    )
    client = client_of("admin")

    deletion = client.get(f"/flows/{flow.sid}/delete/")
    assert deletion.status_code == 403
    assert "You can't delete the flow now" in text(deletion)
    assert f'href="/migration/{flow.sid}/steps/"' in deletion.content.decode()

    turning_on = text(client.get(f"/flows/{flow.sid}/enabled/"))
    assert f"{flow.contact_identity} is answered by the address IG1" in turning_on

    page = client.get(f"/flows/{flow.sid}/")
    assert "Moved to the address" in text(page)
    assert f'href="/migration/{flow.sid}/steps/"' in page.content.decode()
    assert f"/flows/{flow.sid}/delete/" not in page.content.decode()


def test_edit_that_turns_a_moved_flow_on_says_so_in_its_review(client_of, flow):
    add_migration(flow.sid, MigrationStatus.VERIFIED, address_sid="IG" + "1" * 32)
    client = client_of("operator")
    url = f"/flows/{flow.sid}/edit/"
    form = form_data(client.get(url))

    turning_on = client.post(url, {**form, "enabled": "true", "review": "1"})
    renaming = client.post(url, {**form, "friendly_name": "Renamed", "review": "1"})

    assert "With the flow on, both would answer" in text(turning_on)
    assert "both would answer" not in text(renaming)


def test_posted_deletion_is_refused_with_the_reason(client_of, sandbox, flow):
    client = client_of("admin")
    form = client.get(f"/flows/{flow.sid}/delete/").context["form"]
    add_migration(flow.sid, MigrationStatus.SWITCHED)

    answer = client.post(
        f"/flows/{flow.sid}/delete/",
        {
            "change_id": uuid.uuid4(),
            "base": form["base"].value(),
            "confirm_name": flow.sid,
            "reason": "tidy",
        },
    )

    assert answer.status_code == 403
    assert "kept for a rollback" in text(answer)
    assert flow.sid in sandbox.flows


def test_page_of_a_flow_without_a_migration_offers_it(client_of, flow):
    page = text(client_of("admin").get(f"/flows/{flow.sid}/"))

    assert "Move to Conversations" in page
    assert "Migration" not in page.split("Move to Conversations")[0].split("Live")[1]
