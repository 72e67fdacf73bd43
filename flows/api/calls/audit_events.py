"""The stream of the audit log's events, such as for a SIEM."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router

from flows.accounts.twilio_accounts import Scope
from flows.api.access import require_scope
from flows.api.schemas import EventParameters, responses
from flows.audit import audit_log
from flows.audit.access import Request, get_actor
from flows.audit.actions import EVERY_EVENT, AuditAction
from flows.audit.audit_log import Payload
from flows.audit.export import Export
from flows.audit.log_list import readable_events
from flows.audit.models import AuditEvent, Result, Stage
from flows.redaction.redacted import redact_fields

router = Router(tags=["Audit log"])
CONTENT_TYPE: Final = "application/x-ndjson"
MAX_WAITING: Final = 2  # requests that wait in a process, which has four threads
RECORD_INTERVAL: Final = timedelta(days=1)  # between events that say that a token follows the log
_waiting = threading.BoundedSemaphore(MAX_WAITING)


@router.get(
    "events",
    response=responses({}),
    summary="Read events of the audit log",
    openapi_extra={
        "responses": {
            200: {
                "description": "One event per line, with the fields of the log's NDJSON export.",
                "content": {CONTENT_TYPE: {"schema": {"type": "string"}}},
            }
        }
    },
)
def read_events(request: HttpRequest, parameters: Query[EventParameters]) -> HttpResponse:
    """Return the events after a seq, in their order, without gaps.

    Continue after the seq of the last line. A token's use of this call is logged once a day.
    """
    api_request = require_scope(request, "flows.export_auditevent")
    _record_following(api_request, parameters.after)
    if parameters.wait and _waiting.acquire(blocking=False):
        try:
            wait_for_event(api_request.scope, parameters.after, seconds=parameters.wait)
        finally:
            _waiting.release()
    events = readable_events(api_request.scope).filter(seq__gt=parameters.after).order_by("seq")
    seqs = list(events.values_list("seq", flat=True)[: parameters.limit])
    through = seqs[-1] if seqs else parameters.after
    export = Export("ndjson", events, parameters.after, through)
    return HttpResponse("".join(export.lines()), content_type=CONTENT_TYPE)


def wait_for_event(
    scope: Scope,
    after: int,
    *,
    seconds: int,
    pause: Callable[[float], None] = time.sleep,
) -> bool:
    """Wait until the log has an event after a `seq` that the scope may read. Look once a second.

    Return False if there is none.
    """
    events = readable_events(scope).filter(seq__gt=after)
    for _ in range(seconds):
        if events.exists():
            return True
        pause(1.0)
    return events.exists()


def _record_following(request: Request, after: int) -> None:
    """Log that a token reads the log, unless its last such event is less than a day old."""
    actor = get_actor(request)
    followed = AuditEvent.objects.filter(
        action=AuditAction.FOLLOW,
        token_key=actor.token_key,
        at__gte=timezone.now() - RECORD_INTERVAL,
    )
    if followed.exists():
        return
    requested = {"format": "ndjson", "content": EVERY_EVENT, "after": after}
    if request.scope is not None:
        requested["accounts"] = " ".join(sorted(request.scope))
    audit_log.append(
        action=AuditAction.FOLLOW,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=actor,
        account_sid="",
        payload=Payload(requested=redact_fields(requested)),
    )
