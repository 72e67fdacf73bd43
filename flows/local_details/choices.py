"""The owners and tags that flows have, for the filters of the list and for forms.

Each is found by one step in an index, however many flows have it: a query that groups all flows
would take longer than the rest of the page.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import connection

from flows.accounts import twilio_accounts

MAX_CHOICES: Final = 200  # owners, and tags, that a filter offers
MAX_SUGGESTIONS: Final = 20  # owners that a form names
_OWNERS_TABLE, _TAGS_TABLE = "flows_localdetails", "flows_flowtag"
# Spellings of an owner that differ only in case count as one.
_CHOICES: Final = (
    "WITH RECURSIVE owners(value) AS ({owners}), tags(value) AS ({tags}) "
    "SELECT 'owner', (SELECT min(owner) FROM {owners_table} WHERE owner_folded = value{scope}) "
    "FROM (SELECT value FROM owners WHERE value IS NOT NULL LIMIT {limit}) AS first_owners "
    "UNION ALL SELECT 'tag', value "
    "FROM (SELECT value FROM tags WHERE value IS NOT NULL LIMIT {limit}) AS first_tags"
)

DetailsChoices = dict[str, list[str]]  # the values that flows have, by "owner" and "tag"


def distinct_values(name: str, table: str, column: str, scope: str = "") -> str:
    """Return the SQL for the values of a column in the order of its index, without "".

    It is the query of a recursive table with this name and one column, `value`. The last value is
    NULL. `scope` is a further condition.
    """
    return (
        f"SELECT min({column}) FROM {table} WHERE {column} > ''{scope} UNION ALL "  # noqa: S608
        f"SELECT (SELECT min({column}) FROM {table} WHERE {column} > previous.value{scope}) "
        f"FROM {name} AS previous WHERE previous.value IS NOT NULL"
    )


def load_choices(scope: twilio_accounts.Scope) -> DetailsChoices:
    """Return the first owners and tags, by alphabet, of the flows in these accounts.

    It takes one query.
    """
    values: DetailsChoices = {"owner": [], "tag": []}
    if scope is not None and not scope:
        return values
    sql, parameters = _choices_query(sorted(scope or ()))
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        for kind, value in cursor.fetchall():
            values[kind].append(value)
    return values


def suggest_owners(scope: twilio_accounts.Scope) -> list[str]:
    """Return owners of flows in these accounts, for the help text of a form."""
    return load_choices(scope)["owner"][:MAX_SUGGESTIONS]


def _choices_query(account_sids: list[str]) -> tuple[str, list[Any]]:
    """Return the SQL for the choices and its parameters. No accounts stand for all of them."""
    scope = ""
    if account_sids:
        scope = f" AND account_sid IN ({', '.join(['%s'] * len(account_sids))})"
    owners = distinct_values("owners", _OWNERS_TABLE, "owner_folded", scope)
    tags = distinct_values("tags", _TAGS_TABLE, "name", scope)
    sql = _CHOICES.format(
        owners=owners, tags=tags, owners_table=_OWNERS_TABLE, scope=scope, limit=MAX_CHOICES
    )
    return sql, account_sids * sql.count(" IN (")
