"""What the list of flows needs to know of the whole site, read by one query.

That is which tables have rows, the tally of all flows, and the accounts' last syncs and checks.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db import connection
from django.db.models import DateTimeField, Model

from flows.audit.models import OpenChange, OpenDrift
from flows.availability.models import Closure
from flows.checks.finding_counts import CheckState
from flows.checks.models import Suppression
from flows.core.database import aggregate_as_json, as_utc
from flows.local_details.models import LocalDetails
from flows.mirror.models import SyncState
from flows.search.facets import TALLY_COLUMNS, Tally
from flows.search.models import SavedView

# Tables that the list shows something of, and that have no rows on most sites.
_MOSTLY_EMPTY: Final[tuple[type[Model], ...]] = (
    Closure,
    LocalDetails,
    OpenChange,
    OpenDrift,
    SavedView,
    Suppression,
)
_SYNC_FIELDS: Final = SyncState._meta.concrete_fields
_QUERY: Final = """
    SELECT {has_rows},
        (SELECT {tally} FROM flows_flowtally WHERE flows > 0),
        (SELECT {sync_states} FROM flows_syncstate),
        (SELECT {check_states} FROM flows_checkedaccount WHERE checked_at IS NOT NULL)
"""


class ListState(NamedTuple):
    """The tables that have rows, the tally, and the accounts' syncs and checks by account SID."""

    occupied: frozenset[type[Model]]
    tally: Tally
    sync_states: Mapping[str, SyncState]
    check_states: Mapping[str, CheckState]


def load_list_state() -> ListState:
    """Return the state of the site, with one query."""
    has_rows = (f"EXISTS (SELECT 1 FROM {model._meta.db_table})" for model in _MOSTLY_EMPTY)  # noqa: S608
    statement = _QUERY.format(
        has_rows=", ".join(has_rows),
        tally=aggregate_as_json(*TALLY_COLUMNS),
        sync_states=aggregate_as_json(*(field.attname for field in _SYNC_FIELDS)),
        check_states=aggregate_as_json(*CheckState._fields),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        [(*flags, tally, sync_states, check_states)] = cursor.fetchall()
    syncs = map(_build_sync_state, json.loads(sync_states))
    checks = map(_build_check_state, json.loads(check_states))
    return ListState(
        frozenset(model for model, flag in zip(_MOSTLY_EMPTY, flags, strict=True) if flag),
        json.loads(tally),
        {sync.account_sid: sync for sync in syncs},
        {check.account_sid: check for check in checks},
    )


def _build_sync_state(values: list[Any]) -> SyncState:
    columns = {
        field.attname: _parse_time(value) if isinstance(field, DateTimeField) else value
        for field, value in zip(_SYNC_FIELDS, values, strict=True)
    }
    return SyncState(**columns)


def _build_check_state(values: list[Any]) -> CheckState:
    account_sid, checked_at, failed_at, *contents = values
    # SQLite stores JSON as text.
    parsed = [json.loads(each) if isinstance(each, str) else each for each in contents]
    return CheckState(account_sid, _parse_time(checked_at), _parse_time(failed_at), *parsed)


def _parse_time(text: str | None) -> datetime | None:
    """Return a time from JSON."""
    return as_utc(datetime.fromisoformat(text)) if text else None
