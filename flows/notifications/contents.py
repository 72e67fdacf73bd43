"""The contents of a message: what was done to which object, by whom, why, and a link to the event.

No values of fields are in it. The names and reasons come from the log, which has no secrets. They
are read when a message is sent. Those of an event whose personal data was erased are omitted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.conf import settings
from django.urls import reverse

from flows.accounts import twilio_accounts
from flows.audit import event_text
from flows.audit.models import AuditEvent
from flows.core.database import split_batches
from flows.notifications.models import Message
from flows.notifications.request_rules import RULES

DIGEST: Final = "digest"
TEST: Final = "test"
MAX_LISTED: Final = 20  # events of a digest that it has as well as their number
MAX_TEXT: Final = 200  # characters of a name or a reason


@dataclass(frozen=True, slots=True)
class Content:
    """A message for people (`subject`, `lines`, `url`) and for programs (`kind`, `at`, `data`)."""

    kind: str
    at: datetime
    subject: str
    lines: tuple[str, ...]
    url: str
    data: dict[str, Any]

    def as_json(self) -> dict[str, Any]:
        """Return the payload of a webhook, in the form of Standard Webhooks."""
        return {"type": self.kind, "timestamp": self.at.isoformat(), "data": self.data}


def build_content(message: Message, events: list[AuditEvent]) -> Content:
    """Return the content of a message about these events."""
    if not events:
        return _test_content(message)
    if message.subscription.is_automatic:
        return _ruled_content(events[0])
    if len(events) == 1:
        return _event_content(events[0])
    return _digest_content(message, events)


def load_events(message: Message) -> list[AuditEvent]:
    """Return the events that a message is about, with their payloads."""
    events: list[AuditEvent] = []
    for batch in split_batches(message.event_seqs):
        events += AuditEvent.objects.filter(seq__in=batch).select_related("payload").order_by("seq")
    return events


def _test_content(message: Message) -> Content:
    text = "This is a test of a notification. Everything works if you can read it."
    url = _absolute(reverse("notifications:detail", args=[message.subscription_id]))
    data = {"name": message.subscription.name, "url": url}
    return Content(TEST, message.queued_at, "Test notification", (text,), url, data)


def _event_content(event: AuditEvent) -> Content:
    data = _event_data(event)
    name = f": {data['name']}" if data["name"] else ""
    lines = [
        f"{data['action_label']}{name}",
        f"Result: {data['result_label']}",
        f"By: {data['actor']}",
    ]
    if data["account"]:
        lines.append(f"Account: {data['account']}")
    if data["reason"]:
        lines.append(f"Reason: {data['reason']}")
    subject = f"{data['action_label']}{name} ({data['result_label']})"
    return Content(event.action, event.at, subject, tuple(lines), data["url"], data)


def _ruled_content(event: AuditEvent) -> Content:
    """Return the content about a step of a change request, or about an event of an account.

    It links to the request's page, or else to the event.
    """
    data = _event_data(event)
    subject = data["name"] or data["account"]
    name = f": {subject}" if subject else ""
    lines = [f"{data['action_label']}{name}", f"By: {data['actor']}"]
    if data["account"]:
        lines.append(f"Account: {data['account']}")
    if data["reason"]:
        lines.append(data["reason"])
    url = data["url"]
    if event.action in RULES:
        url = _absolute(reverse("requests:detail", args=[event.request_id]))
    return Content(event.action, event.at, lines[0], tuple(lines), url, data)


def _event_data(event: AuditEvent) -> dict[str, Any]:
    payload = event.stored_payload
    is_erased = payload is None or payload.erased_at is not None
    return {
        "event_id": str(event.event_id),
        "seq": event.seq,
        "action": event.action,
        "action_label": _one_line(event_text.headline(event)),
        "result": event.result,
        "result_label": event_text.ending(event),
        "actor": _one_line(event_text.actor_name(event)),
        "account_sid": event.account_sid,
        "account": _account_name(event.account_sid),
        "sid": event.target_sid,
        "name": "" if is_erased or payload is None else _one_line(payload.friendly_name),
        "reason": "" if is_erased else _one_line(event.reason),
        "url": _absolute(reverse("audit:detail", args=[event.event_id])),
    }


def _digest_content(message: Message, events: list[AuditEvent]) -> Content:
    counts = Counter((event.action, event.result) for event in events)
    labels = _count_labels(events)
    if message.plan_id is None:
        subject = f"{len(events)} events"
        url = _absolute(reverse("audit:list"))
    else:
        subject = f"Bulk change: {len(events)} events"
        url = _absolute(reverse("flows:plan", args=[message.plan_id]))
    data = {
        "count": len(events),
        "counts": [
            {"action": action, "result": result, "count": count}
            for (action, result), count in counts.items()
        ],
        "plan_id": str(message.plan_id) if message.plan_id else None,
        "first_seq": events[0].seq,
        "last_seq": events[-1].seq,
        "events": [_event_data(event) for event in events[:MAX_LISTED]],
        "url": url,
    }
    return Content(DIGEST, events[-1].at, subject, tuple(labels), url, data)


def _count_labels(events: Iterable[AuditEvent]) -> list[str]:
    counts = Counter(
        f"{_one_line(event_text.headline(event))} ({event_text.ending(event)})" for event in events
    )
    labels = [f"{count} x {label}" for label, count in counts.most_common(MAX_LISTED)]
    remaining = counts.total() - sum(count for _, count in counts.most_common(MAX_LISTED))
    return [*labels, f"{remaining} others"] if remaining else labels


def _account_name(account_sid: str) -> str:
    return twilio_accounts.account_label(account_sid) if account_sid else ""


def _absolute(path: str) -> str:
    """Return the address of a page, or "" if the site doesn't know its own."""
    return f"{settings.SITE_URL}{path}" if settings.SITE_URL else ""


def _one_line(text: str) -> str:
    """Return a text without line breaks, which would begin another header of a mail."""
    return " ".join(text.split())[:MAX_TEXT]
