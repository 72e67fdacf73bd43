"""Attacks by somebody who can write to the database but has no AUDIT_KEY.

Each change of a table that a page, an export or a verification reads is reported by a verification,
or has no effect because the table is rebuilt.
"""

import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from flows.audit import append_only, audit_log, day_index, verification
from flows.audit.models import AuditEvent, OpenDrift
from flows.availability import restrictions
from flows.changes import flow_changes
from flows.core import triggers
from flows.erasure import erasure
from flows.mirror import drift
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account, sync_state
from flows.plans import drafts, execution, start_and_stop
from flows.plans.drafts import BulkAction
from flows.search import index_tables
from tests import ACCOUNT
from tests.faults.acting import clock_ahead

sqlite_only = pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="SQLite takes any value in any column"
)
postgresql_only = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="only PostgreSQL has these"
)
LOG_TRIGGERS = [
    (part, trigger)
    for part in (append_only, day_index)
    for trigger in part.TRIGGERS[connection.vendor]
]
LIST_TRIGGERS = index_tables.list_triggers(connection.vendor)


def execute(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def tamper(*statements):
    """Change the log as its owner can: without the triggers that refuse it."""
    append_only.remove(connection)
    execute(*statements)
    append_only.install(connection)


def verification_faults():
    """Return the text of a verification, or "" if it finds no fault."""
    verdict = verification.verify()
    return "" if verdict.is_intact else str(verdict)


@pytest.fixture
def site(sandbox, person, db):
    """Set up a site with flows, a bulk change, external changes, and a read-only account.

    One of the external changes was accepted, and some attempts were denied.
    """
    operator = person("operator")
    operator_actor = audit_log.Actor(id=str(operator.pk), label="operator", role="operator")
    for number in range(4):
        sandbox.add_flow(
            friendly_name=f"Flow {number}", enabled=True, contact_identity=f"+4930555000{number}"
        )
    sync_account(ACCOUNT)
    sids = list(Flow.objects.order_by("name_folded").values_list("sid", flat=True))
    plan = drafts.plan_bulk_action(
        action=BulkAction("disable"), sids=sids[:2], created_by="operator"
    )
    start_and_stop.start(plan=plan, reason="because", actor=operator_actor)
    execution.run_plan.call(str(plan.pk))
    for sid in sids[2:]:
        sandbox.edit_flow(sid, friendly_name="Theirs")
    sync_account(ACCOUNT)
    (first, *_), (_, *_) = drift.load_inbox()
    drift.accept(event=first, reason="known", actor=operator_actor)
    restrictions.set_read_only(account_sid=ACCOUNT, reason="maintenance", actor=operator_actor)
    return sandbox


def test_untouched_site_is_intact(site):
    assert verification_faults() == ""


TABLES = {
    "a day's end far ahead": ("UPDATE flows_auditday SET last = 99999999", "day index"),
    "a day's end one ahead": ("UPDATE flows_auditday SET last = last + 1", "day index"),
    "a day that is to come": (
        "INSERT INTO flows_auditday (day, first, last) VALUES ('2099-01-01', 90000000, 99999999)",
        "day index",
    ),
    "a day that was not": (
        "INSERT INTO flows_auditday (day, first, last) VALUES ('1999-01-01', 1, 2)",
        "day index",
    ),
    "no days": ("DELETE FROM flows_auditday", "day index"),
    "an open external change hidden": ("DELETE FROM flows_opendrift", "is missing from the external changes"),
    "an accepted one back": (
        ("INSERT INTO flows_opendrift (event_id, target_sid) SELECT seq, target_sid FROM flows_auditevent "
        "WHERE action = 'flow.drift' AND seq NOT IN (SELECT event_id FROM flows_opendrift)"),
        "is still in the external changes",
    ),
    "an external change of another flow": ("UPDATE flows_opendrift SET target_sid = 'FO1'", "another flow"),
    "read-only lifted": ("DELETE FROM flows_closure", "is writable"),
    "another account read-only": (
        ("INSERT INTO flows_closure (account_sid, kind, since, said_by, reason) "
        "VALUES ('', 'change', '2026-11-25 00:00:00', 'ada', '')"),
        "is read-only",
    ),
    "a flow out of the list": (
        "DELETE FROM flows_flowentry WHERE name_folded = 'flow 0'",
        "differs between the flow list and the mirror",
    ),
    "a flow made up in the list": (
        ("INSERT INTO flows_flowentry (sid, account_sid, name_folded, identity_folded, channel_type, integration_type) "
        "VALUES ('FO1', 'AC1', 'x', '', 'sms', '')"),
        "Flow FO1 differs between the flow list and the mirror",
    ),
    "another name in the list": (
        "UPDATE flows_flowentry SET name_folded = 'other' WHERE name_folded = 'flow 0'",
        "differs between the flow list and the mirror",
    ),
    "a name in the mirror's own column": (
        "UPDATE flows_flow SET friendly_name = 'Evil' WHERE name_folded = 'flow 0'",
        "The mirror's friendly_name of flow",
    ),
    "a switch in the mirror's own column": (
        "UPDATE flows_flow SET enabled = NOT enabled WHERE name_folded = 'flow 0'",
        "The mirror's enabled of flow",
    ),
    "a flow of another account": (
        "UPDATE flows_flow SET account_sid = 'AC1' WHERE name_folded = 'flow 0'",
        "The mirror's account_sid of flow",
    ),
    "counts": ("UPDATE flows_flowtally SET flows = flows + 1", "The counts of the flow list"),
    "no counts": ("DELETE FROM flows_flowtally", "The counts of the flow list"),
    "counts of a target": ("UPDATE flows_target SET flows_on = flows_on + 1", "The targets of the flows"),
    "a flow out of a target": ("DELETE FROM flows_targetuse", "The targets of the flows"),
    "a target in the mirror's own column": (
        "UPDATE flows_flow SET targets = '[]' WHERE name_folded = 'flow 0'",
        "The mirror's targets of flow",
    ),
    "a bulk change under another id": (
        "UPDATE flows_plannedchange SET change_id = '99999999999999999999999999999999' WHERE place = 0",
        "Bulk change",
    ),
    "a bulk change's flow": ("DELETE FROM flows_plannedchange WHERE place = 0", "is missing its event"),
    "a bulk change back to a draft": (
        "UPDATE flows_plan SET status = 'draft', started_at = NULL, ended_at = NULL",
        "has the wrong status draft",
    ),
    "a bulk change that runs again": ("UPDATE flows_plan SET status = 'running'", "has the wrong status running"),
    "a bulk change that ended too early": (
        "UPDATE flows_plannedchange SET done_at = NULL",
        "has the wrong status done"
    ),
    "a unique key": ("DROP INDEX one_event_per_stage", "unique key one_event_per_stage"),
    "a trigger of somebody's": (
        {
            "sqlite": "CREATE TRIGGER silence BEFORE INSERT ON flows_auditevent BEGIN SELECT RAISE(IGNORE); END",
            "postgresql": "CREATE TRIGGER silence BEFORE INSERT ON flows_auditevent FOR EACH ROW "
            "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        },
        "trigger silence",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(TABLES))
def test_altered_table_is_reported(site, kind):
    statement, expected_text = TABLES[kind]
    execute(statement if isinstance(statement, str) else statement[connection.vendor])

    assert expected_text in verification_faults()


REBUILT = {
    "a flow out of the mirror": "DELETE FROM flows_flow WHERE name_folded = 'flow 0'",
    "another name in the mirror": "UPDATE flows_flow SET resource = '{\"sid\": \"x\"}' WHERE name_folded = 'flow 0'",
    "a flow marked as gone": "UPDATE flows_flow SET gone_at = '2026-11-25 00:00:00' WHERE name_folded = 'flow 0'",
    "a sync that never was": "UPDATE flows_syncstate SET synced_at = '2099-01-01 00:00:00', flows = 9",
}


@pytest.mark.parametrize("kind", list(REBUILT))
def test_altered_mirror_is_rebuilt_by_the_next_sync(site, kind):
    before = list(
        Flow.objects.order_by("sid").values("sid", "friendly_name", "resource", "gone_at")
    )
    execute(REBUILT[kind])

    with clock_ahead():  # the mirror keeps what it read a moment ago
        sync_account(ACCOUNT)

    assert (
        list(Flow.objects.order_by("sid").values("sid", "friendly_name", "resource", "gone_at"))
        == before
    )
    assert sync_state(ACCOUNT).synced_at <= timezone.now() + timedelta(hours=1)
    assert verification_faults() == ""


@pytest.mark.parametrize(
    "statement",
    ["UPDATE flows_auditday SET last = 99999999", "UPDATE flows_auditday SET first = -7"],
)
def test_altered_day_index_hides_no_event(site, client_of, statement):
    execute(statement)
    today = timezone.now().date()

    page = client_of("viewer").get("/audit/", {"from": today, "to": today, "q": "Theirs"})

    assert "Theirs" in page.content.decode()


@sqlite_only
@pytest.mark.parametrize("column", ["first", "last", "day"])
def test_page_and_verification_survive_a_malformed_day_index(site, client_of, column):
    execute(f"UPDATE flows_auditday SET {column} = 'abc'")

    page = client_of("viewer").get("/audit/", {"from": "2020-01-01"})

    assert page.status_code == 200
    assert f"flows_auditday has an invalid value in {column}" in verification_faults()


SPELLINGS = {
    "T in the time": "UPDATE flows_auditevent SET at = replace(at, ' ', 'T') WHERE seq = 3",
    "zone in the time": "UPDATE flows_auditevent SET at = at || '+00:00' WHERE seq = 3",
    "time as bytes": "UPDATE flows_auditevent SET at = CAST(at AS BLOB) WHERE seq = 3",
    "time that is none": "UPDATE flows_auditevent SET at = 'abc' WHERE seq = 3",
    "upper case of the event": "UPDATE flows_auditevent SET event_id = upper(event_id) WHERE seq = 3",
    "dashes in the event": "UPDATE flows_auditevent SET event_id = '-' || event_id WHERE seq = 3",
    "event that is none": "UPDATE flows_auditevent SET event_id = 'abc' WHERE seq = 3",
    "upper case of the change": "UPDATE flows_auditevent SET change_id = upper(change_id) WHERE change_id IS NOT NULL",
    "braces around the request": "UPDATE flows_auditevent SET request_id = '{' || request_id || '}' WHERE request_id IS NOT NULL",
    "upper case of what is referred to": "UPDATE flows_auditevent SET refers_to = upper(refers_to)",
    "action as bytes": "UPDATE flows_auditevent SET action = CAST(action AS BLOB) WHERE seq = 3",
    "a number that is none": "UPDATE flows_auditevent SET duration_ms = 'abc' WHERE seq = 3",
}


@sqlite_only
@pytest.mark.parametrize("kind", list(SPELLINGS))
def test_malformed_event_is_reported(site, kind):
    tamper(SPELLINGS[kind])
    # Ids have no letters once in many thousand runs; then upper case is the same spelling.
    verdict = verification.verify()

    assert verdict.bad_seq is not None
    assert "flows_auditevent has an invalid value in" in str(verdict) or "does not match" in str(
        verdict
    )


@sqlite_only
@pytest.mark.parametrize(
    ("statement", "expected_text"),
    [
        ("UPDATE flows_openchange SET change_id = upper(change_id)", ""),
        (
            "UPDATE flows_plannedchange SET change_id = upper(change_id)",
            "flows_plannedchange has an invalid value in change_id",
        ),
        (
            "UPDATE flows_flowentry SET enabled = 'yes'",
            "flows_flowentry has an invalid value in enabled",
        ),
        ("UPDATE flows_chainhead SET seq = 'abc'", "flows_chainhead has an invalid value in seq"),
        (
            "UPDATE flows_syncstate SET synced_at = 'soon'",
            "flows_syncstate has an invalid value in synced_at",
        ),
    ],
)
def test_malformed_value_in_a_derived_table_is_reported(site, statement, expected_text):
    execute("PRAGMA foreign_keys = OFF", statement)

    assert expected_text in verification_faults()


@sqlite_only
def test_malformed_seq_is_reported(site):
    columns = [
        field.column
        for field in AuditEvent._meta.concrete_fields
        if field.column not in ("seq", "event_id", "hash")
    ]
    execute(
        f"INSERT INTO flows_auditevent (seq, event_id, hash, {', '.join(columns)}) "
        f"SELECT 'abc', '{'9' * 32}', '{'9' * 64}', {', '.join(columns)} FROM flows_auditevent WHERE action = 'flow.drift' LIMIT 1"
    )

    verdict = verification.verify()

    assert not verdict.is_intact
    assert "flows_auditevent has an invalid value in seq (row abc)" in str(verdict)


@pytest.mark.parametrize(
    ("part", "trigger"), LOG_TRIGGERS, ids=[trigger.name for _, trigger in LOG_TRIGGERS]
)
def test_missing_trigger_of_the_log_is_reported_and_restored_by_migrate(
    site, capsys, part, trigger
):
    triggers.drop_triggers(connection, [trigger])
    assert trigger.name in verification_faults()

    call_command("check", databases=["default"])
    call_command("migrate", verbosity=0)

    assert "flows.W002" in capsys.readouterr().err
    event = AuditEvent.objects.get(action="audit.restore")
    assert trigger.name in event.payload.requested["triggers"]
    assert verification_faults() == ""


@pytest.mark.parametrize("trigger", LIST_TRIGGERS, ids=[trigger.name for trigger in LIST_TRIGGERS])
def test_missing_trigger_of_the_list_is_reported_and_restored_by_migrate(site, trigger):
    triggers.drop_triggers(connection, [trigger])
    assert trigger.name in verification_faults()

    call_command("migrate", verbosity=0)

    assert verification_faults() == ""


@pytest.mark.parametrize("kind", ["a flow out of the list", "counts"])
def test_tables_of_the_list_are_rebuilt_by_migrate(site, kind):
    execute(TABLES[kind][0])

    call_command("migrate", verbosity=0)

    assert verification_faults() == ""


def test_altered_trigger_is_reported(site):
    trigger = LOG_TRIGGERS[0][1]
    triggers.drop_triggers(connection, [trigger])
    body = "SELECT 1;" if connection.vendor == "sqlite" else "RETURN NULL;"
    triggers.create_triggers(
        connection, [type(trigger)(trigger.name, trigger.table, trigger.event, body)]
    )

    assert trigger.name in verification_faults()


@postgresql_only
@pytest.mark.parametrize(
    ("statement", "expected_text"),
    [
        ("ALTER TABLE flows_auditevent DISABLE TRIGGER audit_no_change", "audit_no_change"),
        ("ALTER TABLE flows_auditevent DISABLE TRIGGER USER", "audit_days"),
        (
            "ALTER TABLE flows_opendrift ENABLE ROW LEVEL SECURITY",
            "Row-level security hides rows of flows_opendrift",
        ),
        (
            "CREATE RULE quiet AS ON INSERT TO flows_opendrift DO INSTEAD NOTHING",
            "rule quiet on flows_opendrift",
        ),
    ],
)
def test_means_of_postgresql_to_hide_rows_are_reported(site, statement, expected_text):
    execute("SET CONSTRAINTS ALL IMMEDIATE", statement)

    assert expected_text in verification_faults()


@sqlite_only
def test_incomplete_search_index_is_reported_and_rebuilt_by_migrate(site):
    entry = (
        "SELECT id, name_folded, identity_folded FROM flows_flowentry WHERE name_folded = 'flow 0'"
    )
    execute(
        f"INSERT INTO flow_trigram (flow_trigram, rowid, name_folded, identity_folded) SELECT 'delete', * FROM ({entry})"
    )
    assert "search index" in verification_faults()

    call_command("migrate", verbosity=0)

    assert verification_faults() == ""


def test_verification_page_reports_faults_of_derived_tables(site, client_of):
    execute("UPDATE flows_flowtally SET flows = flows + 1")
    auditor: Client = client_of("auditor")

    auditor.post("/audit/verification/")
    page = auditor.get("/audit/verification/").content.decode()

    assert "Events intact, but other tables were altered" in page
    assert "The counts of the flow list differ from the mirror" in page
    assert verification.last_verification().event.result == "failed"


def test_reverted_external_change_may_be_missing_from_the_inbox(site, actor):
    """An ordinary change may revert it. The log alone does not tell which of several it reverts."""
    open_drift = OpenDrift.objects.get()
    restrictions.lift_read_only(account_sid=ACCOUNT, reason="", actor=actor)

    flow_changes.update_flow(
        sid=open_drift.target_sid,
        account_sid=ACCOUNT,
        base=None,
        values={"friendly_name": "Ours"},
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
        refers_to=open_drift.event.event_id,
    )

    assert not OpenDrift.objects.exists()
    assert verification_faults() == ""


def test_acceptance_of_an_erased_external_change_is_intact(sandbox, flow_sid, actor):
    """It resolved all earlier drift of the flow. A later erasure must not reopen that drift."""
    sandbox.edit_flow(flow_sid, friendly_name="B")
    sync_account(ACCOUNT)
    sandbox.edit_flow(flow_sid, friendly_name="Hotline +49 170 1234567")
    with clock_ahead():
        sync_account(ACCOUNT)
    ((_, last),) = drift.load_inbox()
    drift.accept(event=last, reason="known", actor=actor)

    erasure.erase(identity="+491701234567", actor=actor)

    assert verification_faults() == ""
