"""What the pages of the history have in common: accounts, the moment, and events to link to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Page
from django.urls import reverse
from django.utils import timezone

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request
from flows.audit.models import AuditEvent
from flows.core.database import split_batches
from flows.history.known_states import KnownState
from flows.history.listing import status_of
from flows.history.moments import LogPosition, format_moment, log_start, second_after


@dataclass(frozen=True, slots=True)
class FlowRow:
    """A flow of a page: its state, the event behind it, and its account if pages mark accounts."""

    flow: KnownState
    event: AuditEvent | None
    account: Account | None
    position: LogPosition

    @property
    def status(self) -> tuple[str, str]:
        return status_of(self.flow)

    @property
    def url(self) -> str:
        """The page of the flow at the moment."""
        return flow_url(self.flow.sid, self.position.at)


def readable_accounts(request: Request) -> dict[str, Account]:
    """Return the site's accounts that the user may view, by SID."""
    return {account.sid: account for account in twilio_accounts.visible_accounts(request.scope)}


def scope_with(request: Request, account_sid: str) -> twilio_accounts.Scope:
    """Return the chosen account as a scope, or all that the user may view."""
    return frozenset({account_sid}) if account_sid else request.scope


def build_rows(
    flows: Sequence[KnownState], position: LogPosition, scope: twilio_accounts.Scope
) -> list[FlowRow]:
    """Return rows for these flows, with their events."""
    events = load_events(flow.event_id for flow in flows)
    accounts = twilio_accounts.marked_accounts(scope)
    return [
        FlowRow(flow, events.get(flow.event_id), accounts.get(flow.account_sid), position)
        for flow in flows
    ]


def load_events(event_ids: Iterable[UUID]) -> dict[UUID, AuditEvent]:
    """Return these events with their payloads, by id."""
    events: dict[UUID, AuditEvent] = {}
    for batch in split_batches(list(event_ids)):
        rows = AuditEvent.objects.filter(event_id__in=batch).select_related("payload")
        events |= {row.event_id: row for row in rows}
    return events


def flow_url(sid: str, at: datetime) -> str:
    """Return the address of a flow's page at a moment."""
    return f"{reverse('flows:history-flow', args=[sid])}?{urlencode({'at': format_moment(at)})}"


def moment_context(position: LogPosition) -> dict[str, Any]:
    """Return the moment for a page, and where the log begins if that is later."""
    start = log_start() if not position.seq else None
    return {
        "position": position,
        "at": position.at,
        "zone": timezone.get_current_timezone(),
        "start": start,
        "start_at": format_moment(second_after(start)) if start else "",
    }


def page_urls(request: Request, page: Page[Any]) -> dict[str, str | None]:
    """Return the addresses of the previous and the next page, or None."""
    numbers = {
        "previous_url": page.previous_page_number() if page.has_previous() else None,
        "next_url": page.next_page_number() if page.has_next() else None,
    }
    urls: dict[str, str | None] = {}
    for name, number in numbers.items():
        parameters = request.GET.copy()
        parameters["page"] = str(number)
        urls[name] = f"?{parameters.urlencode()}" if number else None
    return urls
