"""The database refuses every statement that would change or remove an audit event."""

import uuid
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from flows.audit import append_only, chain
from flows.audit.models import AuditEvent, AuditPayload, OpenChange
from tests.faults.acting import OMAR, append_stage, assert_chain_intact

pytestmark = pytest.mark.django_db

TABLE = append_only.TABLE
COLUMNS = [field.column for field in AuditEvent._meta.concrete_fields]
# TRUNCATE has to name every table that refers to the log: PostgreSQL refuses it before our trigger
# otherwise, and the test would say nothing of the trigger.
REFERRING_TABLES = ", ".join(
    sorted(
        {
            relation.related_model._meta.db_table
            for relation in AuditEvent._meta.get_fields(include_hidden=True)
            if relation.auto_created and relation.is_relation
        }
    )
)
ERROR = "append-only"
sqlite_only = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="a statement of SQLite's")
postgresql_only = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="a statement of PostgreSQL's"
)

# Columns that a new row shares with the existing one. The others differ.
SHARED = {
    "seq": ["seq"],
    "event_id": ["event_id"],
    "hash": ["hash"],
    "change_id and stage": ["change_id", "stage"],
    "all of them": ["seq", "event_id", "hash", "change_id", "stage"],
}


@pytest.fixture
def event():
    """An attempt, with another event before and after it."""
    append()
    event = append(stage="attempt", result="pending", change_id=uuid.uuid4())
    append()
    return event


def append(**values):
    event_values = {
        "action": "flow.update",
        "stage": "access",
        "result": "denied",
        "actor": OMAR,
        **values,
    }
    return append_stage(**event_values)


def rows():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM {TABLE} ORDER BY seq")
        return cursor.fetchall()


def row_values(event, shared, **overrides):
    """Return the values of a new row that shares only the `shared` columns with the event."""
    new_values = {
        "seq": 77, "event_id": uuid.uuid4(), "hash": "f" * 64, "change_id": uuid.uuid4(), "stage": "outcome",
        "actor_label": "mallory",
    }  # fmt: skip
    values = AuditEvent.objects.filter(pk=event.pk).values(*COLUMNS).get()
    values.update(
        {name: value for name, value in new_values.items() if name not in shared}, **overrides
    )
    fields = {field.column: field for field in AuditEvent._meta.concrete_fields}
    return {
        name: fields[name].get_db_prep_save(value, connection) if name in fields else value
        for name, value in values.items()
    }


def is_refused(statement, parameters=(), message=ERROR):
    """Return True if the database refuses the statement with this message and changes no row."""
    before = rows()
    with (
        pytest.raises(DatabaseError, match=message),
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
    assert is_refused(f"UPDATE {TABLE} SET {column} = {column} WHERE seq = {event.seq}")


@pytest.mark.parametrize("statement", [
    f"UPDATE {TABLE} SET actor_label = 'mallory'",
    f"UPDATE {TABLE} SET seq = seq + 100",
    f"DELETE FROM {TABLE}",
    f"DELETE FROM {TABLE} WHERE seq = 2",
])  # fmt: skip
def test_statement_is_refused(event, statement):
    assert is_refused(statement)


@sqlite_only
@pytest.mark.parametrize("policy", ["REPLACE", "IGNORE", "FAIL", "ABORT", "ROLLBACK"])
def test_update_with_a_conflict_policy_is_refused(event, policy):
    before = rows()

    with pytest.raises(DatabaseError, match=ERROR), connection.cursor() as cursor:
        cursor.execute(f"UPDATE OR {policy} {TABLE} SET seq = 1 WHERE seq = 2")

    assert rows() == before


@sqlite_only
@pytest.mark.parametrize("shared", SHARED.values(), ids=SHARED)
@pytest.mark.parametrize(
    "verb", ["INSERT OR REPLACE", "REPLACE", "INSERT OR IGNORE", "INSERT OR FAIL", "INSERT"]
)
def test_insert_over_a_row_is_refused(event, verb, shared):
    assert is_refused(*insert(row_values(event, shared), verb))


@sqlite_only
@pytest.mark.parametrize("name", ["rowid", "oid", "_rowid_"])
def test_insert_over_a_row_by_its_rowid_is_refused(event, name):
    assert is_refused(*insert(row_values(event, [], **{name: 2}), "INSERT OR REPLACE"))


@postgresql_only
@pytest.mark.parametrize("shared", SHARED.values(), ids=SHARED)
def test_insert_over_a_row_breaks_a_constraint(event, shared):
    assert is_refused(*insert(row_values(event, shared)), message="duplicate key")


@pytest.mark.parametrize(("shared", "target"), [
    (["seq"], "(seq)"),
    (["event_id"], "(event_id)"),
    (["hash"], "(hash)"),
    (["change_id", "stage"], "(change_id, stage) WHERE stage IN ('attempt', 'outcome', 'reconciled')"),
])  # fmt: skip
def test_upsert_is_refused(event, shared, target):
    ending = f"ON CONFLICT {target} DO UPDATE SET actor_label = 'mallory'"

    assert is_refused(*insert(row_values(event, shared), ending=ending))


def test_insert_with_on_conflict_do_nothing_changes_nothing(event):
    before = rows()

    if connection.vendor == "sqlite":
        assert is_refused(*insert(row_values(event, ["seq"]), ending="ON CONFLICT DO NOTHING"))
    else:
        with connection.cursor() as cursor:
            cursor.execute(*insert(row_values(event, ["seq"]), ending="ON CONFLICT DO NOTHING"))

    assert rows() == before


@postgresql_only
@pytest.mark.parametrize("statement", [
    f"TRUNCATE {TABLE} CASCADE",
    f"TRUNCATE {TABLE}, {REFERRING_TABLES}",
    f"TRUNCATE {REFERRING_TABLES}, {TABLE} RESTART IDENTITY",
])  # fmt: skip
def test_truncate_is_refused(event, statement):
    with connection.cursor() as cursor:
        # Deferred checks of the inserts would fail first.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")

    assert is_refused(statement)


def test_orm_update_and_delete_are_refused(event):
    before = rows()
    OpenChange.objects.all().delete()  # Django's own protection would refuse first
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
        with pytest.raises(DatabaseError, match=ERROR), transaction.atomic():
            act()

    assert rows() == before
    assert_chain_intact(3)


def test_ordinary_insert_works(event):
    with connection.cursor() as cursor:
        cursor.execute(*insert(row_values(event, [])))

    assert len(rows()) == 4


def test_insert_of_the_next_stage_works(event):
    append(stage="outcome", result="succeeded", change_id=event.change_id)

    assert_chain_intact(4)


def test_payload_may_be_erased(event):
    AuditPayload.objects.filter(pk=event.pk).update(before=None, friendly_name="")

    assert chain.event_hash(AuditEvent.objects.get(pk=event.pk)) == event.hash


def test_triggers_can_be_removed_and_installed(event):
    append_only.remove(connection)
    AuditEvent.objects.filter(pk=event.pk).update(reason="changed")

    append_only.install(connection)

    assert AuditEvent.objects.get(pk=event.pk).reason == "changed"
    assert is_refused(f"DELETE FROM {TABLE}")


@pytest.mark.django_db(transaction=True)
def test_migration_backwards_and_forwards(event):
    executor = MigrationExecutor(connection)
    executor.migrate([("flows", "0001_initial")])
    AuditEvent.objects.filter(pk=event.pk).update(reason="changed")

    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes("flows"))

    assert is_refused(f"DELETE FROM {TABLE}")


def test_other_databases_are_not_supported():
    class Cursor:
        def __enter__(self):
            return self

        def __exit__(self, *error):
            return None

    with pytest.raises(NotImplementedError, match="oracle"):
        append_only.install(SimpleNamespace(vendor="oracle", cursor=Cursor))
