"""The database's own refusal to change or remove an audit event, on SQLite and PostgreSQL.

The migration installs it. `lift` is for the tests' clean-up between transactional tests, and for nothing else.
"""

from __future__ import annotations

from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "flows_auditevent"

_SQLITE = {
    "audit_no_update": f"BEFORE UPDATE ON {TABLE}",
    "audit_no_delete": f"BEFORE DELETE ON {TABLE}",
    # INSERT OR REPLACE removes the old row without firing its delete trigger; so refuse the insert itself.
    # The table has a rowid of its own beside seq, and a row can be replaced by that too.
    "audit_no_replace": f"""BEFORE INSERT ON {TABLE} WHEN EXISTS (
        SELECT 1 FROM {TABLE} WHERE rowid = NEW.rowid OR seq = NEW.seq OR event_id = NEW.event_id OR hash = NEW.hash
        OR (change_id = NEW.change_id AND stage = NEW.stage AND stage IN ('attempt', 'outcome', 'reconciled')))""",  # noqa: S608 - constants only  # nosec B608
}


def install(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name, when in _SQLITE.items():
                cursor.execute(
                    f"CREATE TRIGGER {name} {when} BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END"
                )
        elif connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'the audit log is append-only'; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON {TABLE} "
                "FOR EACH ROW EXECUTE FUNCTION audit_append_only()"
            )
            cursor.execute(
                f"CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON {TABLE} "
                "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()"
            )
        else:
            raise NotImplementedError(f"no append-only rule is written for {connection.vendor}")


def lift(connection: BaseDatabaseWrapper) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in _SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            cursor.execute("DROP FUNCTION IF EXISTS audit_append_only() CASCADE")
