"""The migrations on a database that has been lived in: what they must carry over, and what they must not cost."""

import itertools
import uuid
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from flows.audit.models import AuditEntry, AuditEvent, OpenChange
from flows.changes import in_flight
from flows.core import triggers
from flows.local_details.fields import Details
from flows.local_details.reading import load_details
from flows.mirror import targets
from flows.mirror.models import Flow, SyncState
from flows.mirror.sync import sync_account
from flows.plans.models import Plan
from flows.search import flow_search, index_tables
from flows.search.flow_search import Query
from flows.search.models import TargetUse
from tests import ACCOUNT
from tests.faults.acting import (
    append_attempt,
    assert_chain_intact,
    create_flow,
    rename_flow,
    switch_flow,
)

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE_OPEN_CHANGES = [("flows", "0004_doubt")]
SID = "FO" + "1" * 32
NOW = datetime(2026, 11, 25, tzinfo=UTC)


def migrate(target):
    executor = MigrationExecutor(connection)
    executor.migrate(target)


def newest():
    return MigrationExecutor(connection).loader.graph.leaf_nodes("flows")


@contextmanager
def at(name):
    """Take the tables back to a migration, give the models of that time, and go forward again."""
    state = [("flows", name)]
    try:
        migrate(state)
        yield MigrationExecutor(connection).loader.project_state(state).apps
    finally:
        migrate(newest())


@pytest.fixture
def there_and_back():
    """Back to the tables of before, and forward again on what the log has."""

    def go():
        try:
            migrate(BEFORE_OPEN_CHANGES)
        finally:
            migrate(newest())

    return go


def story(*stages, **more):
    """A change with these stages, as (stage, result); its attempt and its latest event."""
    change_id = uuid.uuid4()
    events = [
        append_attempt(SID, stage=stage, result=result, change_id=change_id, **more)
        for stage, result in stages
    ]
    return events[0], events[-1]


PENDING, UNKNOWN = ("attempt", "pending"), ("outcome", "unknown")
SETTLED = {
    "succeeded": [PENDING, ("outcome", "succeeded")],
    "failed": [PENDING, ("outcome", "failed")],
    "nothing sent": [("outcome", "conflict")],
    "unknown, then applied": [PENDING, UNKNOWN, ("reconciled", "applied")],
    "unknown, then not applied": [PENDING, UNKNOWN, ("reconciled", "not_applied")],
    "died, then applied": [PENDING, ("reconciled", "applied")],
    "died, then applied, then a late answer": [PENDING, ("reconciled", "applied"), UNKNOWN],
}


def test_open_changes_of_an_older_log_are_found_and_settled_ones_are_not(there_and_back):
    """Each of the settled ones and of the open ones is a change of a flow of its own."""
    sids = (f"FO{number:032}" for number in itertools.count())
    for stages in SETTLED.values():
        story(*stages, target_sid=next(sids))
    expected = {}
    for action in ("flow.update", "flow.delete", "flow.create"):
        for stages in ([PENDING], [PENDING, UNKNOWN]):
            target_sid = "" if action == "flow.create" else next(sids)
            attempt, latest = story(*stages, action=action, target_sid=target_sid)
            expected[attempt.change_id] = (attempt, latest, action, target_sid)

    there_and_back()

    assert {
        change.change_id: (change.attempt, change.latest, change.action, change.target_sid)
        for change in OpenChange.objects.all()
    } == expected
    for change in OpenChange.objects.all():
        assert (change.not_applied_at, change.ambiguity, change.candidates) == (None, "", [])
    assert_chain_intact(sum(map(len, SETTLED.values())) + 9)


def test_several_open_changes_of_one_flow_are_all_found(there_and_back):
    """An older site let a second change in after a minute."""
    story(PENDING, UNKNOWN)
    OpenChange.objects.all().delete()
    _, latest = story(PENDING, UNKNOWN)
    story(PENDING, ("outcome", "succeeded"), target_sid="FO" + "2" * 32)

    there_and_back()

    assert OpenChange.objects.count() == 2
    assert in_flight.open_changes_by_flow([SID]) == {SID: latest}
    with pytest.raises(in_flight.ConcurrentChange):
        append_attempt(SID)


def test_open_change_that_was_found_is_settled_like_any_other(there_and_back):
    attempt, _ = story(PENDING, UNKNOWN)
    there_and_back()

    append_attempt(SID, stage="reconciled", result="not_applied", change_id=attempt.change_id)

    assert not OpenChange.objects.exists()
    append_attempt(SID)


def test_log_and_its_seals_are_as_they_were(there_and_back, sandbox, flow_sid):
    rename_flow(flow_sid)
    create_flow()
    hashes = list(AuditEvent.objects.order_by("seq").values_list("hash", flat=True))

    there_and_back()

    assert list(AuditEvent.objects.order_by("seq").values_list("hash", flat=True)) == hashes
    assert_chain_intact()


def test_sync_after_the_migration_tells_nothing_anew_of_flows_that_the_log_knows(
    there_and_back, sandbox, flow_sid
):
    switch_flow(flow_sid)
    create_flow()
    told = AuditEvent.objects.count()

    there_and_back()
    sync_account(ACCOUNT)

    assert AuditEvent.objects.count() == told
    assert SyncState.objects.get().baseline_at is not None


def test_entries_of_the_list_are_made_of_an_older_log(there_and_back, sandbox, flow_sid):
    story(PENDING, UNKNOWN, ("reconciled", "applied"))
    story(PENDING, UNKNOWN, target_sid="FO" + "2" * 32)
    rename_flow(flow_sid)
    kept = list(AuditEntry.objects.order_by("start").values())

    there_and_back()

    assert list(AuditEntry.objects.order_by("start").values()) == kept
    assert any("reclamations lyon" in entry["text"] for entry in kept)
    assert_chain_intact()


@pytest.mark.parametrize(
    "target", ["0001_initial", "0002_append_only", "0003_event_indexes", "0004_doubt"]
)
def test_log_is_append_only_on_the_way_from_any_older_state(target):
    attempt, _ = story(PENDING)
    try:
        migrate([("flows", target)])
    finally:
        migrate(newest())

    for statement in ("UPDATE flows_auditevent SET reason = 'x'", "DELETE FROM flows_auditevent"):
        with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
            cursor.execute(statement)
    assert AuditEvent.objects.get() == attempt


TIMES_BY_STATUS = {
    "draft": {},
    "running": {"started_at": NOW},
    "stopping": {"started_at": NOW, "stop_requested_at": NOW},
    "stopped": {"started_at": NOW, "ended_at": NOW, "stop_reason": "Stopped."},
    "done": {"started_at": NOW, "stop_requested_at": NOW, "ended_at": NOW},
}


def test_older_bulk_changes_get_the_status_of_their_times():
    with at("0017_plan_names") as older_apps:
        plans = older_apps.get_model("flows", "Plan").objects
        for status, times in TIMES_BY_STATUS.items():
            plans.create(title=status, created_at=NOW, **times)

    assert {plan.title: plan.status for plan in Plan.objects.all()} == {
        status: status for status in TIMES_BY_STATUS
    }


FLOWS_OF_AN_OLDER_MIRROR = {
    "studio": (
        {"integration_type": "studio", "integration_flow_sid": "FW1", "integration_url": "https://a.example"},
        [["studio-flow", "FW1", "fw1"]],
    ),
    "webhook": (
        {"integration_type": " External ", "integration_url": "https://me:pass@Hooks.Example.com:8443/in?t=1"},
        [["webhook", "hooks.example.com", "hooks.example.com"]],
    ),
    "task": (
        {"integration_type": "task", "integration_workflow_sid": "WW1", "integration_channel": "Été"},
        [["workflow", "WW1", "ww1"], ["task-channel", "Été", "ete"]],
    ),
    "no type": (
        {"integration_url": "https://[bad/", "integration_workspace_sid": "WS1", "chat_service_sid": "ŋ" * 600},
        [["workspace", "WS1", "ws1"], ["chat-service", "ŋ" * 500, "ŋ" * 500]],
    ),
    "Studio by default": (
        {"integration_flow_sid": "FW1", "integration_workflow_sid": "WW1"},
        [["studio-flow", "FW1", "fw1"]],
    ),
    "unreadable": ({"integration_type": 7, "chat_service_sid": ["IS1"], "integration_flow_sid": " "}, []),
}  # fmt: skip


def test_flows_of_an_older_mirror_get_the_targets_of_that_time(monkeypatch):
    """What the site takes for a target later does not change what the migration stores."""
    monkeypatch.setattr(targets, "_FIELDS", [])

    with at("0020_names") as older_apps:
        for sid, (resource, _) in FLOWS_OF_AN_OLDER_MIRROR.items():
            older_apps.get_model("flows", "Flow").objects.create(
                sid=sid, account_sid=ACCOUNT, resource=resource, mirrored_at=NOW
            )

    expected = {sid: items for sid, (_, items) in FLOWS_OF_AN_OLDER_MIRROR.items()}
    assert dict(Flow.objects.values_list("sid", "targets")) == expected
    assert TargetUse.objects.count() == sum(map(len, expected.values()))


def test_tags_and_flows_of_an_older_site_are_found_by_todays_searches_and_filters():
    """The command `migrate` also checks the flows. The triggers of their tables stay."""
    older = [("flows", "0025_erase_permission")]
    try:
        call_command("migrate", *older[0], verbosity=0)
        older_apps = MigrationExecutor(connection).loader.project_state(older).apps
        resource = {"sid": SID, "friendly_name": "Lyon", "channel_type": "sms"}
        older_apps.get_model("flows", "Flow").objects.create(
            sid=SID, account_sid=ACCOUNT, resource=resource, mirrored_at=NOW
        )
        details = older_apps.get_model("flows", "LocalDetails").objects.create(
            sid=SID, account_sid=ACCOUNT, owner="Claims", owner_folded="claims", note="Ring Ada"
        )
        for name in ("störung", "vip"):
            details.tags.create(account_sid=ACCOUNT, name=name)
    finally:
        call_command("migrate", verbosity=0)

    assert flow_search.list_sids(Query(q="storung")) == [SID]
    assert flow_search.list_sids(Query(warnings="true")) == [SID]
    assert load_details(SID) == Details("Claims", ("störung", "vip"), "Ring Ada")
    assert not triggers.find_altered(connection, index_tables.list_triggers(connection.vendor))
    assert index_tables.find_differences(connection) == []
