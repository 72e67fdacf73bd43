"""The source that a page about one flow shows: what was just read from Twilio, or the copy. A page has one,
and says so."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from flows.flexapi import schema
from flows.flexapi.errors import FlexError
from flows.models import Flow
from flows.services import mirror, shared_reading
from flows.views import problems
from flows.views.requests import Request


def read_once(request: Request, sid: str, *, deadline: float) -> schema.Snapshot:
    """The flow as this request has read it already, or reads it now, for a form that changes it."""
    known = request.readings.get(sid)
    if known is not None:
        return known
    return mirror.fetch(sid, account_sid=request.account_sid, deadline=deadline)


def read_for_page(request: Request, sid: str) -> schema.Snapshot:
    """The flow as this request has read it already, or as all who look at its page just now read it together."""
    known = request.readings.get(sid)
    return known if known is not None else shared_reading.flow(sid, account_sid=request.account_sid)


def shown_flow(sid: str, row: Flow | None, snapshot: schema.Snapshot, state: str, account_sid: str) -> Flow:
    """The flow as the page's heading and route show it: from what was just read, else from the copy."""
    if state in ("live", "settling"):
        return mirror.flow_from(snapshot, account_sid)
    shown = row or Flow(sid=sid, resource=snapshot)
    if state == "gone" and shown.gone_at is None:  # held back from the copy while a change of it is open
        shown.gone_at = timezone.now()
    return shown


def problem_of_reading(
    request: Request, error: FlexError | None, row: Flow | None
) -> problems.Problem | None:
    """The reason that the flow could not be read, unless the notice about the whole account says so already."""
    state = request.states.get(request.account_sid)
    if error is None or (state and state.why("fetch")):
        return None
    shown = "Showing cached data." if row else "No cached data is available."
    return problems.of_reading(error, what=shown)


def confirmed_at(row: Flow | None, account_sid: str, *, is_in_doubt: bool) -> datetime | None:
    """The time when the copy of the flow was last known to be right. A sync leaves out a flow with an open
    change."""
    mirrored_at = row.mirrored_at if row else None
    if is_in_doubt or row is None:
        return mirrored_at
    synced_at = mirror.copy_state(account_sid).synced_at
    return max((at for at in (mirrored_at, synced_at) if at), default=None)
