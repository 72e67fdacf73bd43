"""The source of a page about one flow: a read from Twilio, or the mirror.

A page has one source, and names it.
"""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from flows.audit.access import Request
from flows.mirror import failure_messages, mirror, shared_reads
from flows.mirror.models import Flow
from flows.redaction.redacted import Redacted
from flows.twilio.errors import FlexError
from flows.twilio.resource import Snapshot


def fetch_once(request: Request, sid: str, *, deadline: float) -> Snapshot:
    """Return the flow from Twilio for a form, read at most once in a request."""
    if sid in request.readings:
        return request.readings[sid]
    return mirror.fetch(sid, account_sid=request.account_sid, deadline=deadline)


def fetch_for_page(request: Request, sid: str) -> Snapshot:
    """Return the flow from Twilio for its page. Requests at the same time share one read."""
    if sid in request.readings:
        return request.readings[sid]
    return shared_reads.fetch_shared(sid, account_sid=request.account_sid)


def build_displayed_flow(
    sid: str, row: Flow | None, snapshot: Redacted, state: str, account_sid: str
) -> Flow:
    """Return the flow for the page's heading and route, from the same source as its fields."""
    if state in ("live", "settling"):
        return mirror.flow_from_snapshot(snapshot, account_sid)
    flow = row or Flow(sid=sid, resource=snapshot)
    if state == "gone":
        # The mirror doesn't mark a flow as deleted while a change of it is open.
        flow.gone_at = flow.gone_at or timezone.now()
    return flow


def explain_read_error(
    request: Request, error: FlexError | None, row: Flow | None
) -> failure_messages.Problem | None:
    """Return the reason of a failed read, unless the notice about the account has it already."""
    if error is None:
        return None
    availability = request.states.get(request.account_sid)
    if availability and availability.restriction_of("fetch"):
        return None
    source = "Showing cached data." if row else "No cached data is available."
    return failure_messages.read_failed(error, fallback=source)


def get_confirmation_time(
    row: Flow | None, account_sid: str, *, is_unresolved: bool
) -> datetime | None:
    """Return the time when the mirror's copy of the flow was last confirmed, or None.

    A sync confirms all flows but those with an open change.
    """
    if row is None:
        return None
    if is_unresolved:
        return row.mirrored_at
    synced_at = mirror.sync_state(account_sid).synced_at
    if synced_at is None:
        return row.mirrored_at
    return max(row.mirrored_at, synced_at)
