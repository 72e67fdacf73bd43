"""What Twilio's Monitor says about external changes, as pages show it.

It is Twilio's word, which this site can't check: an event is about the flow and the period, and may
be about another change than the one that was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django.conf import settings

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit.models import AuditEvent, AuditPayload
from flows.monitor_events.lookups import MAX_ATTEMPTS
from flows.monitor_events.models import MonitorLookup, MonitorState
from flows.twilio.values import parse_datetime

SOURCES: Final[Mapping[str, str]] = {
    "web": "from the Console",
    "api": "through the API",
    "twilio": "by Twilio",
}
ACTOR_TYPES: Final[Mapping[str, str]] = {"twilio-admin": "Twilio staff"}


@dataclass(frozen=True, slots=True)
class StatedEvent:
    """One of Twilio's events: who, how, from where and when, as far as Twilio says it.

    `actor_sid` and the texts can be empty. `at` is None if the date can't be read.
    """

    sid: str
    actor_type: str
    actor_sid: str
    source: str
    address: str
    event_type: str
    at: datetime | None

    @classmethod
    def from_recorded(cls, recorded: Mapping[str, Any]) -> StatedEvent:
        """Return an event of a recorded answer. Whatever is not text becomes text."""
        values = {name: "" if value is None else str(value) for name, value in recorded.items()}
        actor_type, source = values.get("actor_type", ""), values.get("source", "")
        return cls(
            sid=values.get("sid", ""),
            actor_type=ACTOR_TYPES.get(actor_type, actor_type),
            actor_sid=values.get("actor_sid", ""),
            source=SOURCES.get(source, f"by way of “{source}”" if source else ""),
            address=values.get("source_ip_address", ""),
            event_type=values.get("event_type", ""),
            at=parse_datetime(values.get("event_date")),
        )


@dataclass(frozen=True, slots=True)
class Statement:
    """Twilio's last answer about one external change.

    `events` are the newest first. `has_more` is True if Twilio has further ones. Without events,
    `is_asked_again` says whether a later sync asks once more. The events of an erased answer are
    gone.
    """

    lookup: MonitorLookup
    events: Sequence[StatedEvent] = ()
    has_more: bool = False
    is_erased: bool = False

    @property
    def is_asked_again(self) -> bool:
        return self.lookup.answer_id is None and self.lookup.attempts < MAX_ATTEMPTS


def load_statements(events: Iterable[AuditEvent]) -> dict[int, Statement]:
    """Return Twilio's answers about these external changes, by the seq of their event.

    A change that Twilio was not asked about, or never answered about, has none.
    """
    seqs = [event.seq for event in events]
    lookups = MonitorLookup.objects.filter(pk__in=seqs, answered_at__isnull=False)
    return {
        lookup.pk: _build_statement(lookup) for lookup in lookups.select_related("answer__payload")
    }


def attach_statements(events: Iterable[AuditEvent]) -> None:
    """Set `statement` on each of these events: Twilio's answer, or None."""
    listed = list(events)
    statements = load_statements(listed)
    for event in listed:
        event.statement = statements.get(event.seq)  # type: ignore[attr-defined]


def find_statement(event: AuditEvent) -> Statement | None:
    """Return Twilio's answer about an external change, or the one that this event records."""
    lookup = MonitorLookup.objects.filter(answer=event).select_related("answer__payload").first()
    if lookup is not None:
        return _build_statement(lookup)
    return load_statements([event]).get(event.seq)


def find_change(event: AuditEvent) -> AuditEvent | None:
    """Return the external change that an answer is about, or None."""
    lookup = MonitorLookup.objects.filter(answer=event).select_related("event__payload").first()
    return lookup.event if lookup else None


def describe_failures(accounts: Iterable[Account]) -> list[tuple[str, datetime]]:
    """Return a sentence and its time for each of these accounts whose last request failed.

    There is none while the site is not set to ask.
    """
    if not settings.TWILIO_MONITOR_EVENTS:
        return []
    has_one_account = twilio_accounts.only_account() is not None
    names = {account.sid: "" if has_one_account else str(account) for account in accounts}
    failures = MonitorState.objects.filter(account_sid__in=list(names), failed_at__isnull=False)
    return [
        (_describe_failure(failure, names[failure.account_sid]), failure.failed_at)
        for failure in failures.order_by("account_sid")
        if failure.failed_at is not None
    ]


def _build_statement(lookup: MonitorLookup) -> Statement:
    payload = lookup.answer.stored_payload if lookup.answer else None
    if lookup.answer is None:
        return Statement(lookup)
    if payload is None or payload.erased_at is not None:
        return Statement(lookup, is_erased=True)
    return Statement(
        lookup,
        events=[StatedEvent.from_recorded(event) for event in _recorded_events(payload)],
        has_more=payload.values_after.get("has_more") is True,
    )


def _recorded_events(payload: AuditPayload) -> list[dict[str, Any]]:
    events = payload.values_after.get("events")
    if not isinstance(events, list):
        return []
    return [event for event in events if isinstance(event, dict)]


def _describe_failure(failure: MonitorState, account_name: str) -> str:
    """Return a failed request as a sentence, with Twilio's status and code.

    The account has no name if the site has only one.
    """
    owner = f" of {account_name}" if account_name else ""
    about_account = f" about {account_name}" if account_name else ""
    if failure.status is None:
        return f"Couldn't ask Twilio Monitor{about_account}: {failure.error.rstrip('.')}."
    response = f"status {failure.status}"
    if failure.code:
        response += f", code {failure.code}"
    if failure.status == HTTPStatus.FORBIDDEN:
        return f"The API key{owner} may not read Monitor events ({response})."
    return f"Couldn't ask Twilio Monitor{about_account}: Twilio answered with {response}."
