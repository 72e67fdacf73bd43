"""A flow as the API shows it, and its ETag."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import HttpResponse

from flows.api.paging import json_response
from flows.mirror.models import Flow
from flows.redaction.redacted import Redacted


def build_body(resource: Redacted, deleted_at: datetime | None) -> dict[str, Any]:
    """Return a flow as Twilio last showed it, with its secrets masked."""
    return {**resource, "deleted_at": deleted_at.isoformat() if deleted_at else None}


def build_list_body(
    rows: Iterable[tuple[str, str, datetime | None]], next_cursor: str | None
) -> str:
    """Return a page of flows as JSON.

    Their fields stay the JSON that is stored: parsing it would take longer than the query.
    """
    items = ",".join(_add_deleted_at(text, deleted_at) for _, text, deleted_at in rows)
    return f'{{"items":[{items}],"next_cursor":{json.dumps(next_cursor)}}}'


def _add_deleted_at(text: str, deleted_at: datetime | None) -> str:
    """Add `deleted_at` to a JSON object."""
    value = json.dumps(deleted_at.isoformat() if deleted_at else None)
    separator = "" if text == "{}" else ","
    return f'{text[:-1]}{separator}"deleted_at":{value}}}'


def etag_of(flow: Flow) -> str:
    """Return the ETag of a flow's synced version. Equal versions have equal ETags."""
    return etag_of_body(build_body(flow.resource, flow.gone_at))


def etag_of_body(body: dict[str, Any]) -> str:
    """Return the ETag of a flow as `build_body` returns it."""
    text = json.dumps(body, sort_keys=True)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def flow_response(flow: Flow, *, status: int = 200, **members: Any) -> HttpResponse:
    """Return a flow with its ETag, and with further members."""
    body = build_body(flow.resource, flow.gone_at) | members
    response = json_response(body, status=status)
    response["ETag"] = etag_of(flow)
    return response
