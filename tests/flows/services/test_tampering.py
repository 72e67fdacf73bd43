"""What somebody can do who writes to the database and has no AUDIT_KEY: each change of a table that a page, an export
or a verification reads is named by a verification, or does nothing because the table is rebuilt.
"""

import uuid
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from flows import append_only, derived, log_days, triggers
from flows.models import AuditEvent, Flow, OpenDrift
from flows.services import audit, changes, closures, drift, erasure, evidence, mirror, planning, plans
from flows.services.planning import Ask
from tests import ACCOUNT
from tests.faults.acting import later

sqlite_only = pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="SQLite takes any value in any column"
)
postgresql_only = pytest.mark.skipif("connection.vendor != 'postgresql'", reason="only PostgreSQL has these")
LOG_TRIGGERS = [
    (part, trigger) for part in (append_only, log_days) for trigger in part.TRIGGERS[connection.vendor]
]
LIST_TRIGGERS = derived.list_triggers(connection.vendor)


def run(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def tamper(*statements):
    """Change the log as its owner can: without the triggers that refuse it."""
    append_only.lift(connection)
    run(*statements)
    append_only.install(connection)


def told():
    """The words of a verification; nothing if all is well."""
    verdict = evidence.verify()
    return "" if verdict.is_intact else str(verdict)


@pytest.fixture
def site(sandbox, person, db):
    """A site that has been lived in: flows, a bulk change, external changes of which one was accepted, a read-only
    account, and some denied attempts."""
    operator = person("operator")
    me = audit.Actor(id=str(operator.pk), label="operator", role="operator")
    for number in range(4):
        sandbox.add_flow(
            friendly_name=f"Flow {number}", enabled=True, contact_identity=f"+4930555000{number}"
        )
    mirror.sync(ACCOUNT)
    sids = list(Flow.objects.order_by("name_folded").values_list("sid", flat=True))
    plan = planning.plan_change(ask=Ask("disable"), sids=sids[:2], made_by="operator")
    plans.start(plan=plan, reason="because", actor=me)
    plans.carry_on.call(str(plan.pk))
    for sid in sids[2:]:
        sandbox.edit_flow(sid, friendly_name="Theirs")
    mirror.sync(ACCOUNT)
    (first, *_), (_, *_) = drift.inbox()
    drift.accept(event=first, reason="known", actor=me)
    closures.close(account_sid=ACCOUNT, reason="maintenance", actor=me)
    return sandbox


def test_site_that_nobody_touched_is_well(site):
    assert told() == ""


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
    "a bulk change under another id": (
        "UPDATE flows_plannedchange SET change_id = '99999999999999999999999999999999' WHERE place = 0",
        "Bulk change",
    ),
    "a bulk change's flow": ("DELETE FROM flows_plannedchange WHERE place = 0", "is missing its event"),
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
def test_table_that_was_tampered_with_is_named(site, kind):
    statement, named = TABLES[kind]
    run(statement if isinstance(statement, str) else statement[connection.vendor])

    assert named in told()


REBUILT = {
    "a flow out of the mirror": "DELETE FROM flows_flow WHERE name_folded = 'flow 0'",
    "another name in the mirror": "UPDATE flows_flow SET resource = '{\"sid\": \"x\"}' WHERE name_folded = 'flow 0'",
    "a flow marked as gone": "UPDATE flows_flow SET gone_at = '2026-11-25 00:00:00' WHERE name_folded = 'flow 0'",
    "a sync that never was": "UPDATE flows_syncstate SET synced_at = '2099-01-01 00:00:00', flows = 9",
}


@pytest.mark.parametrize("kind", list(REBUILT))
def test_mirror_that_was_tampered_with_is_rebuilt_by_the_next_sync(site, kind):
    before = list(Flow.objects.order_by("sid").values("sid", "friendly_name", "resource", "gone_at"))
    run(REBUILT[kind])

    with later():  # what was found a moment ago is not doubted yet
        mirror.sync(ACCOUNT)

    assert list(Flow.objects.order_by("sid").values("sid", "friendly_name", "resource", "gone_at")) == before
    assert mirror.copy_state(ACCOUNT).synced_at <= timezone.now() + timedelta(hours=1)
    assert told() == ""


@pytest.mark.parametrize(
    "statement", ["UPDATE flows_auditday SET last = 99999999", "UPDATE flows_auditday SET first = -7"]
)
def test_day_index_that_lies_hides_nothing_that_is_there(site, client_of, statement):
    run(statement)
    today = timezone.now().date()

    page = client_of("viewer").get("/audit/", {"from": today, "to": today, "q": "Theirs"})

    assert "Theirs" in page.content.decode()


@sqlite_only
@pytest.mark.parametrize("column", ["first", "last", "day"])
def test_day_index_that_is_no_number_breaks_neither_page_nor_verification(site, client_of, column):
    run(f"UPDATE flows_auditday SET {column} = 'abc'")

    page = client_of("viewer").get("/audit/", {"from": "2020-01-01"})

    assert page.status_code == 200
    assert f"flows_auditday has an invalid value in {column}" in told()


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
def test_event_that_is_spelled_in_another_way_is_named(site, kind):
    tamper(SPELLINGS[kind])
    # Ids have no letters once in many thousand runs; then upper case is the same spelling.
    verdict = evidence.verify()

    assert verdict.bad_seq is not None
    assert "flows_auditevent has an invalid value in" in str(verdict) or "does not match" in str(verdict)


@sqlite_only
@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("UPDATE flows_openchange SET change_id = upper(change_id)", ""),
        (
            "UPDATE flows_plannedchange SET change_id = upper(change_id)",
            "flows_plannedchange has an invalid value in change_id",
        ),
        ("UPDATE flows_flowentry SET enabled = 'yes'", "flows_flowentry has an invalid value in enabled"),
        ("UPDATE flows_chainhead SET seq = 'abc'", "flows_chainhead has an invalid value in seq"),
        (
            "UPDATE flows_syncstate SET synced_at = 'soon'",
            "flows_syncstate has an invalid value in synced_at",
        ),
    ],
)
def test_odd_value_in_a_table_beside_the_log_is_named(site, statement, named):
    run("PRAGMA foreign_keys = OFF", statement)

    assert named in told()


@sqlite_only
def test_event_whose_number_is_no_number_is_named(site):
    columns = [
        field.column
        for field in AuditEvent._meta.concrete_fields
        if field.column not in ("seq", "event_id", "hash")
    ]
    run(
        f"INSERT INTO flows_auditevent (seq, event_id, hash, {', '.join(columns)}) "
        f"SELECT 'abc', '{'9' * 32}', '{'9' * 64}', {', '.join(columns)} FROM flows_auditevent WHERE action = 'flow.drift' LIMIT 1"
    )

    verdict = evidence.verify()

    assert not verdict.is_intact
    assert "flows_auditevent has an invalid value in seq (row abc)" in str(verdict)


@pytest.mark.parametrize(("part", "trigger"), LOG_TRIGGERS, ids=[trigger.name for _, trigger in LOG_TRIGGERS])
def test_missing_trigger_of_the_log_is_named_and_restored_by_migrate(site, capsys, part, trigger):
    triggers.drop(connection, [trigger])
    assert trigger.name in told()

    call_command("check", databases=["default"])
    call_command("migrate", verbosity=0)

    assert "flows.W002" in capsys.readouterr().err
    event = AuditEvent.objects.get(action="audit.restore")
    assert trigger.name in event.payload.requested["triggers"]
    assert told() == ""


@pytest.mark.parametrize("trigger", LIST_TRIGGERS, ids=[trigger.name for trigger in LIST_TRIGGERS])
def test_missing_trigger_of_the_list_is_named_and_restored_by_migrate(site, trigger):
    triggers.drop(connection, [trigger])
    assert trigger.name in told()

    call_command("migrate", verbosity=0)

    assert told() == ""


@pytest.mark.parametrize("kind", ["a flow out of the list", "counts"])
def test_tables_of_the_list_are_rebuilt_by_migrate(site, kind):
    run(TABLES[kind][0])

    call_command("migrate", verbosity=0)

    assert told() == ""


def test_trigger_that_does_something_else_is_named(site):
    trigger = LOG_TRIGGERS[0][1]
    triggers.drop(connection, [trigger])
    body = "SELECT 1;" if connection.vendor == "sqlite" else "RETURN NULL;"
    triggers.create(connection, [type(trigger)(trigger.name, trigger.table, trigger.event, body)])

    assert trigger.name in told()


@postgresql_only
@pytest.mark.parametrize(
    ("statement", "named"),
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
def test_what_postgresql_can_hide_rows_with_is_named(site, statement, named):
    run("SET CONSTRAINTS ALL IMMEDIATE", statement)

    assert named in told()


@sqlite_only
def test_index_of_names_that_lacks_a_flow_is_named_and_rebuilt_by_migrate(site):
    entry = "SELECT id, name_folded, identity_folded FROM flows_flowentry WHERE name_folded = 'flow 0'"
    run(
        f"INSERT INTO flow_trigram (flow_trigram, rowid, name_folded, identity_folded) SELECT 'delete', * FROM ({entry})"
    )
    assert "search index" in told()

    call_command("migrate", verbosity=0)

    assert told() == ""


def test_verification_page_names_what_is_wrong_around_the_log(site, client_of):
    run("UPDATE flows_flowtally SET flows = flows + 1")
    auditor: Client = client_of("auditor")

    auditor.post("/audit/verification/")
    page = auditor.get("/audit/verification/").content.decode()

    assert "Events intact, but other tables were altered" in page
    assert "The counts of the flow list differ from the mirror" in page
    assert evidence.last_verification().event.result == "failed"


def test_undone_external_change_may_be_out_of_the_inbox(site, actor):
    """An ordinary change settles it: which of several is not told by the log alone."""
    waiting = OpenDrift.objects.get()
    closures.reopen(account_sid=ACCOUNT, reason="", actor=actor)

    changes.update_flow(
        sid=waiting.target_sid,
        base=None,
        values={"friendly_name": "Ours"},
        reason="",
        actor=actor,
        change_id=uuid.uuid4(),
        refers_to=waiting.event.event_id,
    )

    assert not OpenDrift.objects.exists()
    assert told() == ""


def test_acceptance_whose_external_change_was_erased_is_well(sandbox, flow_sid, actor):
    """It settled what was found of the flow before, and erasing it later must not bring that back."""
    sandbox.edit_flow(flow_sid, friendly_name="B")
    mirror.sync(ACCOUNT)
    sandbox.edit_flow(flow_sid, friendly_name="Hotline +49 170 1234567")
    with later():
        mirror.sync(ACCOUNT)
    ((_, last),) = drift.inbox()
    drift.accept(event=last, reason="known", actor=actor)

    erasure.erase(identity="+491701234567", actor=actor)

    assert told() == ""
