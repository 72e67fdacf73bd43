"""Reads of Twilio's Monitor: the events about one object in a period.

Nothing in this module writes to the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flows.accounts.clients import resource_client
from flows.redaction.redacted import Redacted, redact_snapshot
from flows.twilio import labels
from flows.twilio.errors import OutcomeUnknown
from flows.twilio.monitor.monitor_event import MONITOR_EVENT
from flows.twilio.resource import Snapshot
from flows.twilio.values import parse_datetime

DEADLINE: Final = 5.0  # seconds for one request, with the wait for its turn
PAGE_SIZE: Final = 50
MAX_EVENTS: Final = 10  # that are kept of an answer, the newest
MAX_TEXT: Final = 100  # characters of a value
KEPT_FIELDS: Final = (
    "sid",
    "event_date",
    "event_type",
    "actor_type",
    "actor_sid",
    "source",
    "source_ip_address",
)


@dataclass(frozen=True, slots=True)
class MonitorAnswer:
    """Twilio's events about an object in a period, the newest first.

    `has_more` is True if Twilio has further ones.
    """

    events: list[Redacted]
    has_more: bool


def read_events(
    account_sid: str, resource_sid: str, since: datetime, until: datetime
) -> MonitorAnswer:
    """Ask Twilio for the events about an object, with one request. Raise a `FlexError`."""
    client = resource_client(MONITOR_EVENT, account_sid, deadline=DEADLINE)
    filters = {
        "ResourceSid": resource_sid,
        "StartDate": _format_date(since),
        "EndDate": _format_date(until),
    }
    page = client.list_page(page_size=PAGE_SIZE, filters=filters)
    if page.unreadable:
        raise OutcomeUnknown("Twilio's answer has entries that are not Monitor events")
    dated = [
        (moment, snapshot)
        for snapshot in page.objects
        if (moment := _date_of(snapshot, resource_sid)) and since <= moment <= until
    ]
    dated.sort(key=lambda pair: pair[0], reverse=True)
    events = [_kept_fields(snapshot) for _, snapshot in dated[:MAX_EVENTS]]
    return MonitorAnswer(events, has_more=len(dated) > MAX_EVENTS or page.next_page is not None)


def _date_of(snapshot: Snapshot, resource_sid: str) -> datetime | None:
    """Return when an event happened, or None if it has no date or is about another object."""
    if snapshot.get("resource_sid") != resource_sid:
        return None
    return parse_datetime(snapshot.get("event_date"))


def _kept_fields(snapshot: Snapshot) -> Redacted:
    """Return what the site keeps of an event. Values of an unexpected type become text."""
    texts: dict[str, Any] = {}
    for name in KEPT_FIELDS:
        value = snapshot.get(name)
        texts[name] = "" if value is None else labels.value_to_text(value)[:MAX_TEXT]
    return redact_snapshot(texts)


def _format_date(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
