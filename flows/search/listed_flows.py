"""The flows of a page of the list, with the names of what they point to, read by one query.

Building model objects and parsing the JSON of fifty flows takes longer than the query. Most of them
are the same as at the last request, so a page compares their columns as they are stored, and works
out again only those that differ.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from flows.core.database import aggregate_as_json, as_utc
from flows.mirror.models import Flow
from flows.names.lookup import Name
from flows.search.models import FlowEntry

_COLUMNS: Final = (
    "sid",
    "account_sid",
    "friendly_name",
    "channel_type",
    "contact_identity",
    "enabled",
    "date_updated",
    "gone_at",
)
# On SQLite, CROSS JOIN keeps the order of the tables. Otherwise it may read all flows or targets.
_FLOWS_QUERY: Final = """
    SELECT {columns}, CAST(flow.resource AS text), CAST(flow.targets AS text), (
        SELECT {names}
        FROM flows_targetuse AS used
        CROSS JOIN flows_target AS target
        CROSS JOIN flows_resourcename AS named
        WHERE used.flow_sid = flow.sid AND target.id = used.target_id
            AND named.account_sid = flow.account_sid AND named.sid = target.value
    )
    FROM ({sids}) AS page
    CROSS JOIN flows_flow AS flow
    WHERE flow.sid = page.sid
    ORDER BY {order}
"""
_SIDS_BY_KEY: Final = {  # by database; the order has the columns of `flow`
    "sqlite": (
        "SELECT flow.sid FROM flows_flowentry AS flow "
        "WHERE flow.id IN (SELECT value FROM json_each(%s)) ORDER BY {order} LIMIT %s OFFSET %s"
    ),
    "postgresql": (
        "SELECT flow.sid FROM flows_flowentry AS flow WHERE flow.id IN "
        "(SELECT value::bigint FROM jsonb_array_elements_text(%s::jsonb)) "
        "ORDER BY {order} LIMIT %s OFFSET %s"
    ),
}
_NAME_COLUMNS: Final = (  # the values of a `Name`
    "named.sid",
    "named.resource",
    "named.name",
    "named.status",
    "named.parent_sid",
    "named.gone_at IS NOT NULL",
    "named.revision",
)


class ListedFlow(NamedTuple):
    """A flow as the mirror stores it, and the names of what it points to.

    It never changes, and two with the same contents are equal. So what a page works out from one
    can be remembered for as long as nothing of the flow or of a name changes.
    """

    sid: str
    account_sid: str
    friendly_name: str
    channel_type: str
    contact_identity: str
    enabled: bool | None
    date_updated: datetime | None
    gone_at: datetime | None
    resource_json: str
    targets_json: str
    names_json: str

    def __str__(self) -> str:
        return self.friendly_name or self.sid

    @property
    def names_by_sid(self) -> dict[str, Name]:
        names = (Name(*values) for values in json.loads(self.names_json))
        return {name.sid: name for name in names}

    def to_flow(self) -> Flow:
        """Return the flow as a row of the mirror."""
        columns: dict[str, Any] = dict(zip(_COLUMNS, self, strict=False))
        return Flow(
            **columns,
            resource=json.loads(self.resource_json),
            targets=json.loads(self.targets_json),
        )


def load_entries(entries: QuerySet[FlowEntry], order: str) -> list[ListedFlow]:
    """Return the flows of these entries. `order` is the SQL of their order."""
    try:
        sids, parameters = entries.values("sid").query.sql_with_params()
    except EmptyResultSet:  # Django knows that there are none, as in a scope without accounts
        return []
    return _load_flows(sids, parameters, order)


def load_by_keys(keys: Sequence[int], order: str, *, start: int, count: int) -> list[ListedFlow]:
    """Return `count` flows of the entries with these primary keys, from `start` on.

    There can be a thousand keys, which would be as many parameters.
    """
    sids = _SIDS_BY_KEY[connection.vendor].format(order=order)
    return _load_flows(sids, (json.dumps(keys), count, start), order)


def _load_flows(sids: str, parameters: tuple[Any, ...], order: str) -> list[ListedFlow]:
    statement = _FLOWS_QUERY.format(
        columns=", ".join(map("flow.{}".format, _COLUMNS)),
        names=aggregate_as_json(*_NAME_COLUMNS),
        sids=sids,
        order=order,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [_build_flow(row) for row in cursor.fetchall()]


def _build_flow(row: tuple[Any, ...]) -> ListedFlow:
    flow = ListedFlow(*row)
    return flow._replace(date_updated=as_utc(flow.date_updated), gone_at=as_utc(flow.gone_at))
