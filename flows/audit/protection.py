"""Checks of the database triggers that protect the audit log, and their restoration.

Missing triggers are reported by a system check and by verifications. Each `migrate` restores and
logs them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from types import ModuleType
from typing import Any, Final

from django.core import checks
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from flows.audit import append_only, audit_log, day_index
from flows.audit.actions import AuditAction
from flows.audit.audit_log import Actor, NotRecorded, Payload
from flows.audit.models import Result, Stage
from flows.core import triggers
from flows.core.triggers import Trigger
from flows.redaction.redacted import redact_fields

log = logging.getLogger(__name__)

_MIGRATE_ACTOR: Final = Actor(id="", label="migrate")
# Triggers are only expected once their migration is applied.
_TRIGGER_MIGRATIONS: Final = (("0002_append_only", append_only), ("0011_log_pages", day_index))
_RULES_SQL: Final = (
    "SELECT tablename, rulename FROM pg_rules WHERE tablename LIKE 'flows!_%' ESCAPE '!'"
)
_ROW_SECURITY_SQL: Final = """
    SELECT relname FROM pg_class
    WHERE relrowsecurity AND pg_table_is_visible(oid) AND relname LIKE 'flows!_%' ESCAPE '!'
"""


_other_triggers: list[Callable[[str], list[Trigger]]] = []


def register_triggers(triggers_of: Callable[[str], list[Trigger]]) -> None:
    """Expect these triggers in the database, too. `triggers_of` takes the database's vendor."""
    if triggers_of not in _other_triggers:
        _other_triggers.append(triggers_of)


def violations() -> list[str]:
    """Return one sentence for each missing, altered or foreign trigger.

    On PostgreSQL, rules and row-level security are reported, too: they could hide or change rows.
    """
    expected = _triggers_of((append_only, day_index), connection.vendor)
    for triggers_of in _other_triggers:
        expected += triggers_of(connection.vendor)
    sentences = [
        f"The database trigger {name} is missing or altered. `migrate` restores it."
        for name in triggers.find_altered(connection, expected)
    ]
    sentences += [
        f"The database has a trigger {name} that this site did not create."
        for name in triggers.find_unknown(connection, expected)
    ]
    return sentences + _foreign_rules()


def restore_triggers(*, using: str, **_signal: Any) -> None:
    """Restore missing or altered triggers of the log, and log it. Runs after every migrate."""
    database = connections[using]
    missing: list[str] = []
    for part in _installed_parts(database):
        expected = part.TRIGGERS[database.vendor]
        altered = triggers.find_altered(database, expected)
        if altered:
            triggers.drop_triggers(database, expected)
            part.install(database)
            missing += altered
    if missing:
        _record_restoration(missing)


def _record_restoration(missing: list[str]) -> None:
    """Log the names of restored triggers. A failure must not stop `migrate`."""
    log.warning(
        "restored database triggers of the audit log that were missing: %s", ", ".join(missing)
    )
    try:
        audit_log.append(
            action=AuditAction.RESTORE,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=_MIGRATE_ACTOR,
            account_sid="",
            payload=Payload(requested=redact_fields({"triggers": missing})),
        )
    except NotRecorded:
        log.error("the restored triggers could not be recorded in the audit log")


def _installed_parts(database: BaseDatabaseWrapper) -> list[ModuleType]:
    """Return the modules with triggers whose migration is applied."""
    applied = MigrationRecorder(database).applied_migrations()
    return [part for migration, part in _TRIGGER_MIGRATIONS if ("flows", migration) in applied]


def _triggers_of(parts: Iterable[ModuleType], vendor: str) -> list[Trigger]:
    """Return the triggers of these modules for a database of this vendor."""
    expected: list[Trigger] = []
    for part in parts:
        expected += part.TRIGGERS[vendor]
    return expected


def _foreign_rules() -> list[str]:
    """Return one sentence for each rule and each table with row-level security on PostgreSQL."""
    if connection.vendor != "postgresql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(_RULES_SQL)
        sentences = [
            f"The database has a rule {rule} on {table} that this site did not create."
            for table, rule in cursor
        ]
        cursor.execute(_ROW_SECURITY_SQL)
        sentences += [f"Row-level security hides rows of {table}." for (table,) in cursor]
    return sentences


@checks.register(checks.Tags.database)
def check_log_triggers(**options: Any) -> list[checks.CheckMessage]:
    """Report missing triggers of the log. Runs with `migrate` and `check --database default`."""
    messages: list[checks.CheckMessage] = []
    for alias in options.get("databases") or ():
        missing = _missing_triggers(connections[alias])
        if missing:
            messages.append(
                checks.Warning(
                    f"The audit log lacks database triggers that protect it: {', '.join(missing)}.",
                    hint="Find out who removed them, then run `manage.py migrate`,"
                    " which restores them.",
                    id="flows.W002",
                )
            )
    return messages


def _missing_triggers(database: BaseDatabaseWrapper) -> list[str]:
    """Return the names of missing or altered triggers, none before the log's first migration."""
    if append_only.TABLE not in database.introspection.table_names():
        return []
    expected = _triggers_of(_installed_parts(database), database.vendor)
    return triggers.find_altered(database, expected)
