"""Which flows may have a text in their name or identity, by an index of every three letters in a row: FTS5's trigram
tokenizer on SQLite, pg_trgm on PostgreSQL. It only narrows down: whoever asks still compares the text itself.

SQLite's stands beside the narrow table, whose triggers keep it in step. PostgreSQL keeps its own; where the site's user
may not install pg_trgm, searches go through every flow, and a check says so.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final

from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL

from flows.core import triggers
from flows.core.triggers import Trigger
from flows.search import projection

MIN_LENGTH: Final = 3  # letters that the index needs
COMMON_THRESHOLD: Final = 10_000  # entries
PENDING_LIMIT_KB: Final = 256  # kB of an index that are not in their place yet
COLUMNS: Final = ("name_folded", "identity_folded")
_INDEX: Final = "flow_trigram"
_COLUMN_LIST: Final = ", ".join(COLUMNS)
_CREATE_INDEX: Final = f"CREATE VIRTUAL TABLE {_INDEX} USING fts5({_COLUMN_LIST}, content='{projection.TABLE}', content_rowid='id', tokenize='trigram')"
_INSERT_ROW: Final = f"INSERT INTO {_INDEX} (rowid, {_COLUMN_LIST}) VALUES (new.id, new.{COLUMNS[0]}, new.{COLUMNS[1]});"  # noqa: S608 - constants only
_DELETE_ROW: Final = f"INSERT INTO {_INDEX} ({_INDEX}, rowid, {_COLUMN_LIST}) VALUES ('delete', old.id, old.{COLUMNS[0]}, old.{COLUMNS[1]});"  # noqa: S608
TRIGGERS: Final[dict[str, tuple[Trigger, ...]]] = {
    "sqlite": (
        Trigger("trigram_insert", projection.TABLE, "AFTER INSERT", _INSERT_ROW),
        Trigger("trigram_delete", projection.TABLE, "AFTER DELETE", _DELETE_ROW),
        Trigger(
            "trigram_update",
            projection.TABLE,
            f"AFTER UPDATE OF id, {_COLUMN_LIST}",
            f"{_DELETE_ROW} {_INSERT_ROW}",
        ),
    ),
    "postgresql": (),
}
_EXTENSION: Final = "CREATE EXTENSION IF NOT EXISTS pg_trgm"
_MATCH: Final = f"SELECT rowid FROM {_INDEX} WHERE {_INDEX} MATCH %s"  # noqa: S608
_LIKE: Final = " OR ".join(rf"{column} LIKE %s ESCAPE '\'" for column in COLUMNS)
_EXISTS_QUERIES: Final = {
    "sqlite": (f"SELECT count(*) FROM sqlite_master WHERE name = '{_INDEX}'", 1),  # noqa: S608
    "postgresql": (
        "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'flow_%_trigrams'",
        len(COLUMNS),
    ),
}


def candidate_filter(texts: Collection[str], *, in_order: bool = False) -> Q:
    """Holds for each entry that has one of these folded texts in its name or identity, and perhaps for others.
    `in_order`: for whoever was told nothing, and wants the first some of an order, not just any."""
    if connection.vendor != "sqlite":
        return Q()  # PostgreSQL's planner takes its index by itself
    if in_order == _are_long(texts) or _are_common(texts):
        return Q()  # going through the entries comes to them soon
    return Q(pk__in=RawSQL(*_candidate_query(texts)))  # noqa: S611 - constants, and their parameters


def is_common(entries: QuerySet[Any], narrowed: Q) -> bool:
    """Whether going through all entries in an order comes to a page of these soon."""
    if connection.vendor == "sqlite":
        return not narrowed
    # PostgreSQL knows about how many there are, but takes them to stand everywhere in the order alike. What many names
    # begin with stands in one place, perhaps at the end.
    plan = json.loads(entries.explain(format="json"))[0]["Plan"]
    return bool(plan["Plan Rows"] >= COMMON_THRESHOLD)


def _are_long(texts: Collection[str]) -> bool:
    return all(len(text) >= MIN_LENGTH for text in texts)


def _are_common(texts: Collection[str]) -> bool:
    statement, parameters = _candidate_query(texts)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({statement} LIMIT {COMMON_THRESHOLD})", parameters)  # noqa: S608
        return bool(cursor.fetchone()[0] == COMMON_THRESHOLD)


def _candidate_query(texts: Collection[str]) -> tuple[str, list[str]]:
    texts = sorted(texts)
    if _are_long(texts):
        return _MATCH, [" OR ".join('"' + text.replace('"', '""') + '"' for text in texts)]
    literals = [
        "".join(f"\\{letter}" if letter in "\\%_" else letter for letter in text) for text in texts
    ]
    return (
        f"SELECT id FROM {projection.TABLE} WHERE " + " OR ".join([_LIKE] * len(texts)),  # noqa: S608
        [f"%{literal}%" for literal in literals for _ in COLUMNS],
    )


def is_installed(to: BaseDatabaseWrapper) -> bool:
    """Whether searches are served by the index."""
    question, parts = _EXISTS_QUERIES[to.vendor]
    with to.cursor() as cursor:
        cursor.execute(question)
        has_index = bool(cursor.fetchone()[0] == parts)
    return has_index and not triggers.find_altered(to, TRIGGERS[to.vendor])


def is_consistent(to: BaseDatabaseWrapper) -> bool:
    """Return True if the index has exactly the names and identities of its table. PostgreSQL's always has."""
    if to.vendor != "sqlite":
        return True
    try:
        with transaction.atomic(using=to.alias), to.cursor() as cursor:
            cursor.execute(f"INSERT INTO {_INDEX} ({_INDEX}, rank) VALUES ('integrity-check', 1)")  # noqa: S608
    except OperationalError:  # locked or read-only: that says nothing about the index
        raise
    except DatabaseError:
        return False
    return True


def install(to: BaseDatabaseWrapper) -> None:
    """Makes the index of what is there, and keeps it in step from now on. Can be done again at any time."""
    if to.vendor == "sqlite":
        drop(to)
        with to.cursor() as cursor:
            cursor.execute(_CREATE_INDEX)
        triggers.create_triggers(to, TRIGGERS[to.vendor])
        rebuild_index(to)
        return
    try:
        with transaction.atomic(using=to.alias), to.cursor() as cursor:
            cursor.execute(_EXTENSION)
            for column in COLUMNS:
                cursor.execute(
                    f"CREATE INDEX IF NOT EXISTS flow_{column}_trigrams ON {projection.TABLE} USING gin ({column} gin_trgm_ops)"
                )
    except DatabaseError:
        return  # `is_installed` tells, and the check says what it means


def limit_pending_list(to: BaseDatabaseWrapper) -> None:
    """PostgreSQL puts what is new aside until it is much, and each search reads through all of that: up to 4 MB, if it
    isn't told less. To put each row into its place at once takes seven times as long as this. Can be done at any time."""
    if to.vendor == "postgresql":
        with to.cursor() as cursor:
            for column in COLUMNS:
                cursor.execute(
                    f"ALTER INDEX IF EXISTS flow_{column}_trigrams SET (gin_pending_list_limit = {PENDING_LIMIT_KB})"
                )


def drop(to: BaseDatabaseWrapper) -> None:
    triggers.drop_triggers(to, TRIGGERS[to.vendor])
    with to.cursor() as cursor:
        if to.vendor == "sqlite":
            cursor.execute(f"DROP TABLE IF EXISTS {_INDEX}")
        else:
            for column in COLUMNS:
                cursor.execute(f"DROP INDEX IF EXISTS flow_{column}_trigrams")


def rebuild_index(to: BaseDatabaseWrapper) -> None:
    """FTS5 only strikes out what is deleted: made anew of what is there, it holds nothing of it any more."""
    if to.vendor == "sqlite":
        with to.cursor() as cursor:
            cursor.execute(f"INSERT INTO {_INDEX} ({_INDEX}) VALUES ('rebuild')")  # noqa: S608
