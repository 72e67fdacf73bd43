"""The search index of names and contact identities, by trigrams: every three letters in a row.

It is FTS5's trigram tokenizer on SQLite and pg_trgm on PostgreSQL. The index only gives candidates;
the caller compares the text itself. On SQLite, triggers of the narrow table keep it in step. On
PostgreSQL, a site whose user may not install pg_trgm searches every flow, and a check reports it.
"""

from __future__ import annotations

import json
import re
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
COMMON_THRESHOLD: Final = 10_000  # entries from which a text counts as common
PENDING_LIMIT_KB: Final = 256  # kB of new rows that PostgreSQL has not sorted into an index
COLUMNS: Final = ("name_folded", "identity_folded")
_INDEX: Final = "flow_trigram"
_COLUMN_LIST: Final = ", ".join(COLUMNS)
_CREATE_INDEX: Final = (
    f"CREATE VIRTUAL TABLE {_INDEX} USING fts5({_COLUMN_LIST}, "
    f"content='{projection.TABLE}', content_rowid='id', tokenize='trigram')"
)
_INSERT_ROW: Final = (
    f"INSERT INTO {_INDEX} (rowid, {_COLUMN_LIST}) "  # noqa: S608 - constants only
    f"VALUES (new.id, new.{COLUMNS[0]}, new.{COLUMNS[1]});"
)
_DELETE_ROW: Final = (
    f"INSERT INTO {_INDEX} ({_INDEX}, rowid, {_COLUMN_LIST}) "  # noqa: S608
    f"VALUES ('delete', old.id, old.{COLUMNS[0]}, old.{COLUMNS[1]});"
)
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
_LIKE_CONDITION: Final = " OR ".join(rf"{column} LIKE %s ESCAPE '\'" for column in COLUMNS)
_EXISTS_QUERIES: Final = {
    "sqlite": (f"SELECT count(*) FROM sqlite_master WHERE name = '{_INDEX}'", 1),  # noqa: S608
    "postgresql": (
        "SELECT count(*) FROM pg_indexes WHERE indexname LIKE 'flow_%_trigrams'",
        len(COLUMNS),
    ),
}


def candidate_filter(
    texts: Collection[str], *, in_order: bool = False, is_small: bool = False
) -> Q:
    """Return a filter for entries that may have one of these normalized texts in a column.

    An empty filter stands for all entries. `in_order` is for a second attempt, after an empty
    filter, by a caller that needs the first entries of an order instead of any. `is_small` means
    that there are too few entries for a common text.
    """
    if connection.vendor != "sqlite":
        return Q()  # PostgreSQL's planner uses its index by itself
    if in_order == _are_long(texts) or (not is_small and _are_common(texts)):
        return Q()  # reading the entries one by one finds enough of them soon
    statement, parameters = _candidate_query(texts)
    return Q(pk__in=RawSQL(statement, parameters))  # noqa: S611 - constants, and their parameters


def is_common(entries: QuerySet[Any], candidates: Q) -> bool:
    """Return True if reading all entries in an order soon finds a page of these."""
    if connection.vendor == "sqlite":
        return not candidates
    # PostgreSQL estimates their number, but assumes that they are spread evenly over the order.
    # Names with a common beginning stand together, perhaps at the end.
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
    """Return SQL for the ids of the entries that have one of the texts, and its parameters."""
    sorted_texts = sorted(texts)
    if _are_long(sorted_texts):
        return _MATCH, [" OR ".join(map(_quote_phrase, sorted_texts))]
    condition = " OR ".join([_LIKE_CONDITION] * len(sorted_texts))
    parameters = [_like_pattern(text) for text in sorted_texts for _ in COLUMNS]
    return f"SELECT id FROM {projection.TABLE} WHERE {condition}", parameters  # noqa: S608


def _quote_phrase(text: str) -> str:
    """Return a text as a phrase of FTS5's query language."""
    return '"' + text.replace('"', '""') + '"'


def _like_pattern(text: str) -> str:
    """Return the pattern of LIKE for texts that contain this one."""
    escaped = re.sub(r"[\\%_]", r"\\\g<0>", text)
    return f"%{escaped}%"


def is_installed(to: BaseDatabaseWrapper) -> bool:
    """Return True if searches use the index."""
    query, expected_count = _EXISTS_QUERIES[to.vendor]
    with to.cursor() as cursor:
        cursor.execute(query)
        has_index = bool(cursor.fetchone()[0] == expected_count)
    return has_index and not triggers.find_altered(to, TRIGGERS[to.vendor])


def is_consistent(to: BaseDatabaseWrapper) -> bool:
    """Return True if the index has exactly the names and identities of its table.

    PostgreSQL maintains its index itself, so there it is always True.
    """
    if to.vendor != "sqlite":
        return True
    try:
        with transaction.atomic(using=to.alias), to.cursor() as cursor:
            cursor.execute(f"INSERT INTO {_INDEX} ({_INDEX}, rank) VALUES ('integrity-check', 1)")  # noqa: S608
    except OperationalError:  # a locked or read-only database proves nothing about the index
        raise
    except DatabaseError:
        return False
    return True


def install(to: BaseDatabaseWrapper) -> None:
    """Create the index of all entries, and its triggers. Safe to repeat.

    Without pg_trgm, PostgreSQL gets no index; `is_installed` reports it.
    """
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
                    f"CREATE INDEX IF NOT EXISTS flow_{column}_trigrams "
                    f"ON {projection.TABLE} USING gin ({column} gin_trgm_ops)"
                )
    except DatabaseError:
        return


def limit_pending_list(to: BaseDatabaseWrapper) -> None:
    """Limit the list of new rows that PostgreSQL has not sorted into the index yet.

    Each search reads the whole list, by default up to 4 MB. Without a list, writing takes seven
    times as long. Safe to repeat.
    """
    if to.vendor == "postgresql":
        with to.cursor() as cursor:
            for column in COLUMNS:
                cursor.execute(
                    f"ALTER INDEX IF EXISTS flow_{column}_trigrams "
                    f"SET (gin_pending_list_limit = {PENDING_LIMIT_KB})"
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
    """Rebuild the index without the deleted texts, which FTS5 only marks as deleted."""
    if to.vendor == "sqlite":
        with to.cursor() as cursor:
            cursor.execute(f"INSERT INTO {_INDEX} ({_INDEX}) VALUES ('rebuild')")  # noqa: S608
