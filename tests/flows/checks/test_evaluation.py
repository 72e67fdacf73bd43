"""When accounts are checked: after syncs, refreshes of names and changes, and never at their cost."""

from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from flows.audit.models import AuditEvent
from flows.checks import evaluation
from flows.checks.models import CheckedAccount, StoredFinding
from flows.flex_flows.flow_history import find_undoable_change
from flows.mirror.models import Flow, SyncState
from flows.mirror.name_sync import refresh_names, sync_with_names
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.faults.acting import OMAR, create_flow, delete_flow, rename_flow
from tests.flows.plans.running import run_worker

pytestmark = pytest.mark.django_db(transaction=True)
FAULTY = {
    "integration_type": "external",
    "integration_url": "http://h.example/",
    "enabled": True,
    "channel_type": "web",
}
SOUND = FAULTY | {"integration_url": "https://h.example/"}
RULE = "webhook-not-encrypted"
DELETED_SID = "FW" + "d" * 32


def stored_sids(rule_id=RULE):
    return set(StoredFinding.objects.filter(rule_id=rule_id).values_list("sid", flat=True))


def finding_events(rule_id=RULE):
    """Return the actions and flows of the events about a rule."""
    events = AuditEvent.objects.filter(action__startswith="finding.").select_related("payload")
    return [
        (event.action, event.target_sid)
        for event in events.order_by("seq")
        if event.payload.requested.get("Rule") == rule_id
    ]


def evaluate_first():
    """Sync and check the account once, so that later findings have events."""
    sync_account(ACCOUNT)
    run_worker()


@contextmanager
def unreachable_table(model):
    """Let every use of a table fail, as a damaged database would."""
    table = model._meta.db_table
    rename = "ALTER TABLE {} RENAME TO {}"
    with connection.cursor() as cursor:
        cursor.execute(rename.format(table, "out_of_reach"))
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(rename.format("out_of_reach", table))


def test_syncs_queue_one_check_between_them(sandbox):
    sid = sandbox.add_flow(**FAULTY)
    sync_account(ACCOUNT)
    sandbox.edit_flow(sid, friendly_name="Other")
    sync_account(ACCOUNT)

    assert DBTaskResult.objects.count() == 1
    assert stored_sids() == set()
    run_worker()
    assert stored_sids() == {sid}


def test_first_check_is_recorded_as_a_whole(sandbox):
    sids = {sandbox.add_flow(**FAULTY, friendly_name=f"Lab {number}") for number in range(3)}
    evaluate_first()

    event = AuditEvent.objects.get(action__startswith="finding.")
    assert (event.action, event.account_sid, event.target_sid) == (
        "finding.evaluated", ACCOUNT, "",
    )  # fmt: skip
    assert event.payload.requested["The webhook is not encrypted"] == 3
    assert "at 3 flows, first evaluated." in event.payload.message
    assert event.actor_id == ""
    assert stored_sids() == sids


def test_sync_makes_findings_appear_and_clear(sandbox):
    sid = sandbox.add_flow(**SOUND, friendly_name="Lab")
    evaluate_first()

    sandbox.edit_flow(sid, integration_url="http://h.example/")
    sync_account(ACCOUNT)
    run_worker()
    assert stored_sids() == {sid}
    assert finding_events() == [("finding.appeared", sid)]
    event = AuditEvent.objects.get(action="finding.appeared")
    assert event.payload.message == StoredFinding.objects.get(rule_id=RULE).message
    assert event.payload.friendly_name == "Lab"
    assert event.payload.requested["Severity"] == "warning"

    sandbox.edit_flow(sid, integration_url="https://other.example/")
    sync_account(ACCOUNT)
    run_worker()
    assert stored_sids() == set()
    assert finding_events() == [("finding.appeared", sid), ("finding.cleared", sid)]


def test_sync_without_changes_queues_nothing_and_checks_nothing(sandbox):
    sandbox.add_flow(**FAULTY)
    sync_with_names(ACCOUNT)
    run_worker()
    checked_at = CheckedAccount.objects.get().checked_at
    tasks = DBTaskResult.objects.count()

    sync_with_names(ACCOUNT)

    assert DBTaskResult.objects.count() == tasks
    assert CheckedAccount.objects.get().checked_at == checked_at


def test_refresh_of_names_makes_findings_appear(sandbox):
    sid = sandbox.add_flow(integration_type="studio", integration_flow_sid=DELETED_SID)
    evaluate_first()
    assert stored_sids("target-gone") == set()

    refresh_names(ACCOUNT)
    run_worker()

    assert stored_sids("target-gone") == {sid}
    assert finding_events("target-gone") == []
    event = AuditEvent.objects.filter(action="finding.evaluated").latest("seq")
    assert event.payload.requested["Points to something that Twilio no longer has"] == 1


def test_own_changes_make_findings_appear_and_clear(sandbox):
    sandbox.add_flow(**SOUND)
    evaluate_first()
    sid = create_flow(values=FAULTY | {"integration_flow_sid": None}).event.target_sid
    run_worker()
    assert stored_sids() == {sid}

    rename_flow(sid, values={"integration_url": "https://h.example/"})
    run_worker()
    assert stored_sids() == set()
    rename_flow(sid, values={"integration_url": "http://h.example/"})
    run_worker()
    assert stored_sids() == {sid}
    assert finding_events() == [
        ("finding.appeared", sid), ("finding.cleared", sid), ("finding.appeared", sid),
    ]  # fmt: skip


def test_page_of_the_flow_has_its_findings_in_its_history_and_still_offers_undo(sandbox, client_of):
    sid = sandbox.add_flow(**SOUND)
    evaluate_first()
    client = client_of("operator")
    user = User.objects.get(username="operator")
    actor = replace(OMAR, id=str(user.pk))
    rename_flow(sid, values={"integration_url": "http://h.example/"}, actor=actor)
    run_worker()

    page = client.get(f"/flows/{sid}/").content.decode()

    assert "Finding appeared: The webhook is not encrypted" in page
    assert find_undoable_change(sid, user) is not None


def test_findings_of_a_deleted_flow_go_without_an_event(sandbox):
    sid = sandbox.add_flow(**FAULTY)
    evaluate_first()
    assert stored_sids() == {sid}

    delete_flow(sid, base=Flow.objects.get().resource)
    run_worker()

    assert not StoredFinding.objects.exists()
    assert finding_events() == []


def test_flow_that_is_turned_off_has_no_error(sandbox):
    """Its finding is a warning from then on, which the log says as well."""
    sid = sandbox.add_flow(**FAULTY | {"integration_url": None})
    evaluate_first()
    assert StoredFinding.objects.get(rule_id="required-value-missing").severity == "error"

    sandbox.edit_flow(sid, enabled=False)
    sync_account(ACCOUNT)
    run_worker()

    assert StoredFinding.objects.get(rule_id="required-value-missing").severity == "warning"
    assert finding_events("required-value-missing") == [
        ("finding.cleared", sid), ("finding.appeared", sid),
    ]  # fmt: skip


def test_check_that_fails_harms_no_sync_and_is_made_again(sandbox, caplog):
    sid = sandbox.add_flow(**FAULTY)
    sync_with_names(ACCOUNT)
    with unreachable_table(StoredFinding):
        run_worker()

    account = CheckedAccount.objects.get()
    assert account.failed_at is not None
    assert account.checked_at is None
    assert "could not be stored" in caplog.text
    CheckedAccount.objects.update(failed_at=timezone.now() - timedelta(minutes=2))
    assert sync_with_names(ACCOUNT).flows == 1
    assert stored_sids() == {sid}
    assert CheckedAccount.objects.get().failed_at is None


def test_check_that_cannot_be_requested_harms_no_sync_and_no_change(sandbox, caplog):
    sandbox.add_flow(**FAULTY)
    with unreachable_table(CheckedAccount):
        assert sync_with_names(ACCOUNT).created == 1
        assert SyncState.objects.get().error == ""
        change = create_flow()

    assert change.event.result == "succeeded"
    assert Flow.objects.count() == 2
    assert "No check of" in caplog.text
    sync_with_names(ACCOUNT)
    run_worker()
    assert len(stored_sids()) == 1


def test_sync_makes_the_check_that_no_worker_takes(sandbox):
    sid = sandbox.add_flow(**FAULTY)
    sync_with_names(ACCOUNT)
    sync_with_names(ACCOUNT)
    assert stored_sids() == set()  # a worker may still take it

    CheckedAccount.objects.update(queued_at=timezone.now() - timedelta(minutes=2))
    sync_with_names(ACCOUNT)

    assert stored_sids() == {sid}
    assert DBTaskResult.objects.filter(task_path__contains="evaluat").count() == 1


def test_site_that_was_upgraded_is_checked_after_its_next_sync(sandbox):
    sid = sandbox.add_flow(**FAULTY)
    sync_with_names(ACCOUNT)
    CheckedAccount.objects.all().delete()
    DBTaskResult.objects.all().delete()

    sync_with_names(ACCOUNT)
    run_worker()

    assert stored_sids() == {sid}


def test_account_is_checked_once_at_a_time(sandbox):
    sandbox.add_flow(**FAULTY)
    sync_account(ACCOUNT)
    CheckedAccount.objects.update(started_at=timezone.now())

    run_worker()
    assert stored_sids() == set()

    CheckedAccount.objects.update(started_at=timezone.now() - timedelta(minutes=3))
    assert evaluation.evaluate(ACCOUNT)
    assert len(stored_sids()) == 1


def test_each_account_has_findings_of_its_own(sandbox, staging):
    sid = sandbox.add_flow(**FAULTY)
    other_sid = staging.add_flow(**FAULTY)
    for account_sid in (ACCOUNT, staging.account_sid):
        sync_account(account_sid)
    run_worker()

    rows = StoredFinding.objects.filter(rule_id=RULE)
    assert set(rows.values_list("account_sid", "sid")) == {
        (ACCOUNT, sid), (staging.account_sid, other_sid),
    }  # fmt: skip
