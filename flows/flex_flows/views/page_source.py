"""The source of a page about one flow: a read from Twilio, or the mirror.

A page has one source, and names it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.http import Http404
from django.utils import timezone

from flows.audit.access import Request
from flows.availability.restrictions import Availability
from flows.changes import failure_messages
from flows.changes.problem import Problem
from flows.mirror import flow_reads, mirror, shared_reads
from flows.mirror.models import Flow
from flows.mirror.stale_reads import StaleRead
from flows.mirror.sync import sync_state
from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.errors import FlexError
from flows.twilio.resource import Snapshot


@dataclass(frozen=True, slots=True)
class PageSource:
    """A flow for its page: as Twilio returned it, or from the mirror because of an `error`.

    `row` is the flow in the mirror, or None.
    """

    sid: str
    account_sid: str
    row: Flow | None
    snapshot: Redacted
    error: FlexError | None = None

    @property
    def state(self) -> str:
        """The page's state: live, gone, settling (not visible at Twilio yet) or copy (cached)."""
        if self.error is None:
            return "live"
        if flow_reads.is_not_found(self.error):
            return "gone"
        if self.stale_read is not None:
            return "settling"
        return "copy"

    @property
    def stale_read(self) -> StaleRead | None:
        """The error, if Twilio's response was older than the state that the log has."""
        return self.error if isinstance(self.error, StaleRead) else None

    def build_flow(self) -> Flow:
        """Return the flow for the page's heading and route, from the same source as its fields."""
        if self.state in ("live", "settling"):
            return mirror.flow_from_snapshot(self.snapshot, self.account_sid)
        flow = self.row or Flow(sid=self.sid, resource=self.snapshot)
        if self.state == "gone":
            # The mirror doesn't mark a flow as deleted while a change of it is open.
            flow.gone_at = flow.gone_at or timezone.now()
        return flow

    def explain_error(self, availability: Availability | None) -> Problem | None:
        """Return the reason why the page shows cached data, or None.

        The notice about the account has it already if Twilio refuses all reads.
        """
        if self.error is None or self.state != "copy":
            return None
        if availability and availability.restriction_of("fetch"):
            return None
        fallback = "No cached data is available."
        if self.row:
            fallback = "Showing cached data."
        return failure_messages.read_failed(self.error, fallback=fallback)

    def confirmed_at(self, *, is_unresolved: bool) -> datetime | None:
        """Return the time when the mirror's copy of the flow was last confirmed, or None.

        A sync confirms all flows but those with an open change.
        """
        if self.row is None:
            return None
        if is_unresolved:
            return self.row.mirrored_at
        synced_at = sync_state(self.account_sid).synced_at
        if synced_at is None:
            return self.row.mirrored_at
        return max(self.row.mirrored_at, synced_at)


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


def read_for_page(request: Request, sid: str) -> PageSource:
    """Read the flow from Twilio, or else from the mirror. Raise 404 if neither side has it."""
    account_sid = request.account_sid
    no_fields = redact_fields({"sid": sid})
    row = Flow.objects.filter(sid=sid).first()
    try:
        snapshot = redact_fields(fetch_for_page(request, sid))
    except StaleRead as stale_read:
        newer_snapshot = stale_read.confirmed or stale_read.seen or no_fields
        return PageSource(sid, account_sid, row, newer_snapshot, stale_read)
    except FlexError as error:
        row = Flow.objects.filter(sid=sid).first()  # the read may have changed it
        if row is not None:
            return PageSource(sid, account_sid, row, row.resource, error)
        if flow_reads.is_not_found(error):
            raise Http404("Twilio has no such Flex Flow") from error
        return PageSource(sid, account_sid, None, no_fields, error)
    return PageSource(sid, account_sid, row, snapshot)
