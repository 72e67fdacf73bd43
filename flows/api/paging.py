"""Pages of a list by cursor. A cursor is opaque, and has no personal data.

It has the place of the last item in the order of the list, not its number. So no item is missing or
repeated because others come or go between two pages.
"""

from __future__ import annotations

import base64
import binascii
import bisect
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import DateTimeField, Field, IntegerField, Model, Q, QuerySet, UUIDField
from django.http import HttpResponse

from flows.api.problems import Problem, invalid

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")
Value = str | int  # of a cursor
_Field = Field[Any, Any]
_OrderTerm = tuple[_Field, bool]  # True if it is descending


def encode_cursor(position: str | int) -> str:
    """Return the cursor of a position in a list."""
    return base64.urlsafe_b64encode(str(position).encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """Return the position of a cursor, or "" for none. Raise `Problem`."""
    padding = "=" * (-len(cursor) % 4)
    try:
        return base64.b64decode(cursor + padding, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, UnicodeError, ValueError):
        raise invalid_cursor() from None


def invalid_cursor() -> Problem:
    """Return the problem of a cursor that no page gave."""
    return invalid({"cursor": ["Send the “next_cursor” of the page before, or none."]})


def json_response(body: Any, *, status: int = 200) -> HttpResponse:
    """Return a body as JSON."""
    content = json.dumps(
        body, ensure_ascii=False, separators=(",", ":"), cls=DjangoJSONEncoder, allow_nan=False
    )
    return HttpResponse(content, status=status, content_type="application/json")


def encode_values(name: str, values: Iterable[Value]) -> str:
    """Return the cursor that names a list and its position, the values that it is sorted by."""
    return encode_cursor(json.dumps([name, *values], separators=(",", ":")))


def cursor_values(cursor: str, name: str) -> list[Any] | None:
    """Return the position in a list, or None for the first page. Raise `Problem`.

    The values can be any JSON: a cursor comes from the client.
    """
    if not cursor:
        return None
    try:
        values = json.loads(decode_cursor(cursor))
    except (ValueError, RecursionError):
        raise invalid_cursor() from None
    if not isinstance(values, list) or values[:1] != [name]:
        raise invalid_cursor()
    return values[1:]


def sorted_page(
    items: Iterable[Item],
    cursor: str,
    limit: int,
    *,
    name: str,
    key: Callable[[Item], tuple[Value, ...]],
) -> tuple[list[Item], str | None]:
    """Return a page of items in memory by their key, and the next cursor, or None at the end.

    It begins after the key of the cursor, also if that item is gone. A key is different for each
    item and without personal data, because it becomes part of the cursor. `name` is of the list.
    """
    rows = sorted(items, key=key)
    values = cursor_values(cursor, name)
    start = 0
    if values is not None and rows:
        if [type(value) for value in values] != [type(value) for value in key(rows[0])]:
            raise invalid_cursor()
        start = bisect.bisect_right(rows, tuple(values), key=key)
    page = rows[start : start + limit]
    has_more = start + limit < len(rows)
    return page, encode_values(name, key(page[-1])) if has_more else None


def query_page(
    rows: QuerySet[Row], cursor: str, limit: int, *, name: str
) -> tuple[list[Row], str | None]:
    """Return a page of a query's rows in its order, and the next cursor, or None at its end.

    It begins after the values of the cursor, also if that row is gone. The query is ordered by dates
    and ids that are never null. `name` is of the list.
    """
    terms = _order_terms(rows)
    rows = rows.order_by(
        *(f"{'-' * is_descending}{field.attname}" for field, is_descending in terms)
    )
    values = cursor_values(cursor, name)
    if values is not None:
        rows = rows.filter(_is_after(terms, values))
    page = list(rows[: limit + 1])
    if len(page) <= limit:
        return page, None
    last = [_to_value(getattr(page[limit - 1], field.attname)) for field, _ in terms]
    return page[:limit], encode_values(name, last)


def _order_terms(rows: QuerySet[Row]) -> list[_OrderTerm]:
    """Return the fields of a query's order, completed by its primary key, each with its direction."""
    options = rows.model._meta
    names = [str(term) for term in rows.query.order_by or options.ordering or ()]
    names.append("-pk" if names and names[-1].startswith("-") else "pk")
    terms: list[_OrderTerm] = []
    for term in names:
        name = term.removeprefix("-")
        field = options.pk if name == "pk" else options.get_field(name)
        if not isinstance(field, (DateTimeField, UUIDField, IntegerField)) or field.null:
            raise TypeError(f"No cursor has {name} of {options.label}")
        terms.append((field, term.startswith("-")))
        if field.primary_key:
            break
    return terms


def _is_after(terms: Sequence[_OrderTerm], values: Sequence[Any]) -> Q:
    """Return the condition of the rows after these values. Raise `Problem` if they are no such values."""
    if len(values) != len(terms):
        raise invalid_cursor()
    is_after, is_equal = Q(), Q()
    for (field, is_descending), value in zip(terms, values, strict=True):
        parse = next(parse for kind, parse in _PARSERS.items() if isinstance(field, kind))
        parsed = _parse(parse, value)
        comparison = "lt" if is_descending else "gt"
        is_after |= is_equal & Q((f"{field.attname}__{comparison}", parsed))
        is_equal &= Q((field.attname, parsed))
    return is_after


def moment_value(moment: datetime) -> str:
    """Return a moment as cursors have it, in UTC to the microsecond."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def parse_moment_value(value: Any) -> datetime:
    """Return a moment of a cursor. Raise `Problem`."""
    moment: datetime = _parse(datetime.fromisoformat, value)
    return moment


def _to_value(value: Any) -> Value:
    if isinstance(value, datetime):
        return moment_value(value)
    return value if isinstance(value, int) else str(value)


def _parse(parse: Callable[[Any], Any], value: Any) -> Any:
    """Return a value of a cursor as rows have it. Raise `Problem` if no cursor has it like that."""
    try:
        parsed = parse(value)
        is_same = _to_value(parsed) == value
    except (TypeError, ValueError, AttributeError, OverflowError):
        raise invalid_cursor() from None
    if not is_same:
        raise invalid_cursor()
    return parsed


def _parse_integer(value: Any) -> int:
    if type(value) is not int or not -(2**63) <= value < 2**63:
        raise ValueError(value)
    return value


_PARSERS: Final[Mapping[type[_Field], Callable[[Any], Any]]] = {
    DateTimeField: datetime.fromisoformat,
    UUIDField: uuid.UUID,
    IntegerField: _parse_integer,
}
