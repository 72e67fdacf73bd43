"""The source that a page about one flow shows: what was just read from Twilio, or the copy. A page has one,
and says so."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from flows.audit.access import Request
from flows.mirror import failure_messages, mirror, shared_reads
from flows.mirror.models import Flow
from flows.twilio.errors import FlexError
from flows.twilio.flex import flex_flow


def fetch_once(request: Request, sid: str, *, deadline: float) -> flex_flow.Snapshot:
    """The flow as this request has read it already, or reads it now, for a form that changes it."""
    known = request.readings.get(sid)
    if known is not None:
        return known
    return mirror.fetch(sid, account_sid=request.account_sid, deadline=deadline)


def fetch_for_page(request: Request, sid: str) -> flex_flow.Snapshot:
    """The flow as this request has read it already, or as all who look at its page just now read it together."""
    known = request.readings.get(sid)
    return (
        known
        if known is not None
        else shared_reads.fetch_shared(sid, account_sid=request.account_sid)
    )


def build_displayed_flow(
    sid: str, row: Flow | None, snapshot: flex_flow.Snapshot, state: str, account_sid: str
) -> Flow:
    """The flow as the page's heading and route show it: from what was just read, else from the copy."""
    if state in ("live", "settling"):
        return mirror.flow_from_snapshot(snapshot, account_sid)
    shown = row or Flow(sid=sid, resource=snapshot)
    if (
        state == "gone" and shown.gone_at is None
    ):  # held back from the copy while a change of it is open
        shown.gone_at = timezone.now()
    return shown


def explain_read_error(
    request: Request, error: FlexError | None, row: Flow | None
) -> failure_messages.Problem | None:
    """The reason that the flow could not be read, unless the notice about the whole account says so already."""
    state = request.states.get(request.account_sid)
    if error is None or (state and state.why("fetch")):
        return None
    shown = "Showing cached data." if row else "No cached data is available."
    return failure_messages.read_failed(error, fallback=shown)


def get_confirmation_time(
    row: Flow | None, account_sid: str, *, is_unresolved: bool
) -> datetime | None:
    """The time when the copy of the flow was last known to be right. A sync leaves out a flow with an open
    change."""
    mirrored_at = row.mirrored_at if row else None
    if is_unresolved or row is None:
        return mirrored_at
    synced_at = mirror.sync_state(account_sid).synced_at
    return max((at for at in (mirrored_at, synced_at) if at), default=None)
