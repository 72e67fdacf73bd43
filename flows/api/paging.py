"""Pages of a list by cursor. A cursor is opaque, and has no personal data."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from typing import Any, TypeVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Model, QuerySet
from django.http import HttpResponse

from flows.api.problems import Problem, invalid

Row = TypeVar("Row", bound=Model)


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


def offset_page(items: Sequence[Any], cursor: str, limit: int) -> tuple[Sequence[Any], str | None]:
    """Return a page of a list that is in memory, and the next cursor, or None at its end."""
    start = _decode_offset(cursor)
    end = start + limit
    return items[start:end], encode_cursor(end) if end < len(items) else None


def query_page(rows: QuerySet[Row], cursor: str, limit: int) -> tuple[list[Row], str | None]:
    """Return a page of a query's rows, and the next cursor, or None at its end."""
    start = _decode_offset(cursor)
    page = list(rows[start : start + limit + 1])
    return page[:limit], encode_cursor(start + limit) if len(page) > limit else None


def _decode_offset(cursor: str) -> int:
    position = decode_cursor(cursor) or "0"
    if not position.isdecimal() or len(position) > 9:
        raise invalid_cursor()
    return int(position)
