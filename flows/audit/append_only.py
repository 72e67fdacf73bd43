"""Triggers by which SQLite and PostgreSQL refuse to change or delete audit events.

Migration 0002 installs them. Only its reversal and the clean-up of tests call `remove`.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from flows.core import triggers
from flows.core.triggers import Trigger

TABLE = "flows_auditevent"
_ABORT: Final = "SELECT RAISE(ABORT, 'the audit log is append-only');"
_RAISE: Final = "RAISE EXCEPTION 'the audit log is append-only';"
_FUNCTION_NAME: Final = "audit_append_only"
# INSERT OR REPLACE deletes the old row without firing its delete trigger, so the insert is refused.
# The table's rowid is not its seq, and a row can be replaced by its rowid, too.
# The text is compared with the database's, spaces included.
_CONFLICTING_ROW_EXISTS: Final = (
    "EXISTS (\n"  # noqa: S608 - constants only
    f"        SELECT 1 FROM {TABLE} WHERE rowid = NEW.rowid OR seq = NEW.seq"
    " OR event_id = NEW.event_id OR hash = NEW.hash\n"
    "        OR (change_id = NEW.change_id AND stage = NEW.stage"
    " AND stage IN ('attempt', 'outcome', 'reconciled')))"
)
TRIGGERS: Final[dict[str, tuple[Trigger, ...]]] = {
    "sqlite": (
        Trigger("audit_no_update", TABLE, "BEFORE UPDATE", _ABORT),
        Trigger("audit_no_delete", TABLE, "BEFORE DELETE", _ABORT),
        Trigger("audit_no_replace", TABLE, "BEFORE INSERT", _ABORT, when=_CONFLICTING_ROW_EXISTS),
    ),
    "postgresql": (
        Trigger(
            "audit_no_change", TABLE, "BEFORE UPDATE OR DELETE", _RAISE, function=_FUNCTION_NAME
        ),
        Trigger(
            "audit_no_truncate",
            TABLE,
            "BEFORE TRUNCATE",
            _RAISE,
            per_statement=True,
            function=_FUNCTION_NAME,
        ),
    ),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers. Raises `NotImplementedError` on any other database."""
    if connection.vendor not in TRIGGERS:
        raise NotImplementedError(f"no append-only rule is written for {connection.vendor}")
    triggers.create_triggers(connection, TRIGGERS[connection.vendor])


def remove(connection: BaseDatabaseWrapper) -> None:
    triggers.drop_triggers(connection, TRIGGERS[connection.vendor])
