"""The database itself refuses to change or remove an audit event, by whatever statement it is tried."""

import uuid
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from flows.audit import append_only, audit_log, chain
from flows.audit.models import AuditEvent, AuditPayload, OpenChange
from tests.faults.acting import OMAR, assert_chain_intact

pytestmark = pytest.mark.django_db

TABLE = append_only.TABLE
COLUMNS = [field.column for field in AuditEvent._meta.concrete_fields]
POINTING_THERE = "flows_auditpayload, flows_openchange, flows_opendrift"
SAYS = "append-only"
sqlite_only = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="a statement of SQLite's")
postgresql_only = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="a statement of PostgreSQL's"
)

# Columns that a new row shares with the recorded one; the rest are its own.
SHARED = {
    "seq": ["seq"],
    "event_id": ["event_id"],
    "hash": ["hash"],
    "change_id and stage": ["change_id", "stage"],
    "all of them": ["seq", "event_id", "hash", "change_id", "stage"],
}


@pytest.fixture
def event():
    """An attempt on record, with another event before and after it."""
    append()
    event = append(stage="attempt", result="pending", change_id=uuid.uuid4())
    append()
    return event


def append(**values):
    said = {"action": "flow.update", "stage": "access", "result": "denied", "actor": OMAR, **values}
    return audit_log.append(**said)


def rows():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {TABLE} ORDER BY seq")
        return cursor.fetchall()


def values_of(event, shared, **others):
    """The values of a row to insert: a copy of the event's that shares only these columns with it."""
    own = {
        "seq": 77, "event_id": uuid.uuid4(), "hash": "f" * 64, "change_id": uuid.uuid4(), "stage": "outcome",
        "actor_label": "mallory",
    }  # fmt: skip
    values = AuditEvent.objects.filter(pk=event.pk).values(*COLUMNS).get()
    values.update({name: value for name, value in own.items() if name not in shared}, **others)
    fields = {field.column: field for field in AuditEvent._meta.concrete_fields}
    return {
        name: fields[name].get_db_prep_save(value, connection) if name in fields else value
        for name, value in values.items()
    }


def refused(statement, parameters=(), says=SAYS):
    """Whether the database refuses the statement in those words and all rows stay as they were."""
    before = rows()
    with (
        pytest.raises(DatabaseError, match=says),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement, parameters)
    return rows() == before


def insert(values, verb="INSERT", ending=""):
    columns, places = ", ".join(values), ", ".join(["%s"] * len(values))
    return f"{verb} INTO {TABLE} ({columns}) VALUES ({places}) {ending}", list(values.values())


@pytest.mark.parametrize("column", COLUMNS)
def test_update_of_any_column_is_refused(event, column):
    assert refused(f"UPDATE {TABLE} SET {column} = {column} WHERE seq = {event.seq}")


@pytest.mark.parametrize("statement", [
    f"UPDATE {TABLE} SET actor_label = 'mallory'",
    f"UPDATE {TABLE} SET seq = seq + 100",
    f"DELETE FROM {TABLE}",
    f"DELETE FROM {TABLE} WHERE seq = 2",
])  # fmt: skip
def test_statement_is_refused(event, statement):
    assert refused(statement)


@sqlite_only
@pytest.mark.parametrize("policy", ["REPLACE", "IGNORE", "FAIL", "ABORT", "ROLLBACK"])
def test_update_with_a_conflict_policy_is_refused(event, policy):
    before = rows()

    with pytest.raises(DatabaseError, match=SAYS), connection.cursor() as cursor:
        cursor.execute(f"UPDATE OR {policy} {TABLE} SET seq = 1 WHERE seq = 2")

    assert rows() == before


@sqlite_only
@pytest.mark.parametrize("shared", SHARED.values(), ids=SHARED)
@pytest.mark.parametrize(
    "verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE", "INSERT OR FAIL", "INSERT"]
)
def test_insert_over_a_row_is_refused(event, verb, shared):
    assert refused(*insert(values_of(event, shared), verb))


@sqlite_only
@pytest.mark.parametrize("name", ["rowid", "oid", "_rowid_"])
def test_insert_over_a_row_by_its_rowid_is_refused(event, name):
    assert refused(*insert(values_of(event, [], **{name: 2}), "INSERT OR REPLACE"))


@postgresql_only
@pytest.mark.parametrize("shared", SHARED.values(), ids=SHARED)
def test_insert_over_a_row_breaks_a_constraint(event, shared):
    assert refused(*insert(values_of(event, shared)), says="duplicate key")


@pytest.mark.parametrize(("shared", "target"), [
    (["seq"], "(seq)"),
    (["event_id"], "(event_id)"),
    (["hash"], "(hash)"),
    (["change_id", "stage"], "(change_id, stage) WHERE stage IN ('attempt', 'outcome', 'reconciled')"),
])  # fmt: skip
def test_upsert_is_refused(event, shared, target):
    ending = f"ON CONFLICT {target} DO UPDATE SET actor_label = 'mallory'"

    assert refused(*insert(values_of(event, shared), ending=ending))


def test_insert_that_does_nothing_on_conflict_changes_nothing(event):
    before = rows()

    if connection.vendor == "sqlite":
        assert refused(*insert(values_of(event, ["seq"]), ending="ON CONFLICT DO NOTHING"))
    else:
        with connection.cursor() as cursor:
            cursor.execute(*insert(values_of(event, ["seq"]), ending="ON CONFLICT DO NOTHING"))

    assert rows() == before


@postgresql_only
@pytest.mark.parametrize("statement", [
    f"TRUNCATE {TABLE} CASCADE",
    f"TRUNCATE {TABLE}, {POINTING_THERE}",
    f"TRUNCATE {POINTING_THERE}, {TABLE} RESTART IDENTITY",
])  # fmt: skip
def test_truncate_is_refused(event, statement):
    with connection.cursor() as cursor:
        cursor.execute(
            "SET CONSTRAINTS ALL IMMEDIATE"
        )  # else the inserts' own checks stand in its way

    assert refused(statement)


def test_orm_update_and_delete_are_refused(event):
    before = rows()
    OpenChange.objects.all().delete()  # else Django's own protection stands in the way
    event.actor_label = "mallory"

    for act in (
        event.save,
        lambda: AuditEvent.objects.update(reason="x"),
        lambda: AuditEvent.objects.bulk_update([event], ["actor_label"]),
        lambda: AuditEvent.objects.filter(pk=event.pk)._raw_delete("default"),
        lambda: (
            AuditPayload.objects.all().delete() and AuditEvent.objects.filter(pk=event.pk).delete()
        ),
    ):
        with pytest.raises(DatabaseError, match=SAYS), transaction.atomic():
            act()

    assert rows() == before
    assert_chain_intact(3)


def test_ordinary_insert_works(event):
    with connection.cursor() as cursor:
        cursor.execute(*insert(values_of(event, [])))

    assert len(rows()) == 4


def test_insert_of_the_next_stage_works(event):
    append(stage="outcome", result="succeeded", change_id=event.change_id)

    assert_chain_intact(4)


def test_payload_may_be_erased(event):
    AuditPayload.objects.filter(pk=event.pk).update(before=None, friendly_name="")

    assert chain.event_hash(AuditEvent.objects.get(pk=event.pk)) == event.hash


def test_lift_and_install_again(event):
    append_only.remove(connection)
    AuditEvent.objects.filter(pk=event.pk).update(reason="lifted")

    append_only.install(connection)

    assert AuditEvent.objects.get(pk=event.pk).reason == "lifted"
    assert refused(f"DELETE FROM {TABLE}")


@pytest.mark.django_db(transaction=True)
def test_migration_backwards_and_forwards(event):
    executor = MigrationExecutor(connection)
    executor.migrate([("flows", "0001_initial")])
    AuditEvent.objects.filter(pk=event.pk).update(reason="lifted")

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("flows"))

    assert refused(f"DELETE FROM {TABLE}")


def test_another_database_is_told_that_nothing_is_written_for_it():
    class Cursor:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

    with pytest.raises(NotImplementedError, match="oracle"):
        append_only.install(SimpleNamespace(vendor="oracle", cursor=Cursor))
