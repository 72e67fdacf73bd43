"""Verification of the audit log: the hash chain, and the tables derived from it.

A verification names the first faulty event. It is logged as an event itself.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flows.audit import audit_log, consistency
from flows.audit.actions import AuditAction
from flows.audit.audit_log import Actor, NotRecorded, Payload
from flows.audit.chain import event_row, find_event_key, payload_hash
from flows.audit.chain_verifier import ChainVerifier
from flows.audit.consistency import Violation
from flows.audit.derived_tables import DayIndexCheck, OpenChangeCheck, OpenDriftCheck
from flows.audit.entry_check import LogEntryCheck
from flows.audit.models import AuditEvent, AuditPayload, Result, Stage
from flows.core.stored_values import MalformedValue, find_malformed_values
from flows.redaction.redacted import redact_fields

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VerificationResult:
    """Result of verifying the chain up to the event `through`.

    `events` counts the verified events from the first on. `bad_seq` is the seq of the first faulty
    event, and `fault` its description. `table_faults` are sentences about derived tables and
    database triggers.
    """

    events: int
    through: int
    bad_seq: int | None = None
    fault: str = ""
    seconds: float = 0.0
    table_faults: tuple[str, ...] = ()

    @property
    def is_intact(self) -> bool:
        return self.bad_seq is None and not self.table_faults

    def __str__(self) -> str:
        return " ".join([self._chain_summary(), *self.table_faults])

    def _chain_summary(self) -> str:
        count = "1 event" if self.events == 1 else f"{self.events} events"
        if self.bad_seq is None:
            return f"{count} verified, chain intact."
        summary = f"Event {self.bad_seq} {self.fault}."
        if self.events == 0:
            return summary
        if self.events < self.bad_seq:
            return f"{summary} {count} before it verified."
        return f"{summary} {count} in the chain verified."


@dataclass(frozen=True, slots=True)
class VerificationRecord:
    """A logged verification.

    `summary` is the logged result, empty if its event was tampered with (`is_intact` is False then).
    `since` counts the events appended after the verification.
    """

    event: AuditEvent
    summary: dict[str, Any]
    since: int
    is_intact: bool

    @property
    def has_no_violations(self) -> bool:
        return self.summary.get("bad_seq") is None and not self.summary.get("table_faults")


def verify(*, head: dict[str, Any] | None = None) -> VerificationResult:
    """Verify the whole chain and the derived tables, in one pass with flat memory.

    `head` is a signed checkpoint. With it, a truncated or rewritten chain is found, too.
    """
    started = time.monotonic()
    # Read before the pass: events appended meanwhile are left to the next verification.
    end, end_hash = audit_log.chain_end()
    malformed_values = find_malformed_values()
    verifier = ChainVerifier(_derived_table_checks())
    violation = None
    if not _has_invalid_seq(malformed_values):
        violation = _first_violation(verifier, end, end_hash, head, malformed_values)
    violation = violation or _first_invalid_value(malformed_values)
    bad_seq, fault = violation or (None, "")
    table_faults = dict.fromkeys([*map(str, malformed_values), *consistency.violations()])
    return VerificationResult(
        events=verifier.count,
        through=end,
        bad_seq=bad_seq,
        fault=fault,
        seconds=time.monotonic() - started,
        table_faults=tuple(table_faults),
    )


def verify_and_record(
    *, actor: Actor, head: dict[str, Any] | None = None
) -> tuple[VerificationResult, AuditEvent | None]:
    """Verify the log and log the result. The event is None if it could not be recorded."""
    result = verify(head=head)
    summary: dict[str, Any] = {
        "through": result.through,
        "events": result.events,
        "bad_seq": result.bad_seq,
        "fault": result.fault,
        "head": head is not None,
    }
    if result.table_faults:
        summary["table_faults"] = list(result.table_faults)
    try:
        event = audit_log.append(
            action=AuditAction.VERIFY,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED if result.is_intact else Result.FAILED,
            actor=actor,
            reason=str(result),
            payload=Payload(after=redact_fields(summary)),
        )
    except NotRecorded:  # the result holds all the same
        return result, None
    return result, event


def last_verification() -> VerificationRecord | None:
    """Return the last logged verification, by command or page, or None."""
    events = AuditEvent.objects.filter(
        action=AuditAction.VERIFY, result__in=(Result.SUCCEEDED, Result.FAILED)
    )
    event = events.select_related("payload").order_by("-seq").first()
    return read_verification(event, audit_log.last_seq()) if event else None


def read_verification(event: AuditEvent, last_seq: int) -> VerificationRecord:
    """Return the verification that an event records. `last_seq` is the end of the log."""
    body = event.stored_payload or AuditPayload()
    is_intact = _has_valid_hashes(event, body)
    summary = body.values_after if is_intact else {}
    since = last_seq - summary.get("through", 0) - 1  # without the event itself
    return VerificationRecord(event, summary, max(0, since), is_intact)


def _has_valid_hashes(event: AuditEvent, body: AuditPayload) -> bool:
    """Return True if one of the keys made the hashes of this event and of its payload."""
    key = find_event_key(event_row(event), event.hash)
    if key is None:
        return False
    return payload_hash(body, key) == event.payload_hash


def _derived_table_checks() -> list[consistency.DerivedTable]:
    """Return new checks of the audit package's tables, and of those that are registered."""
    return [
        OpenChangeCheck(),
        DayIndexCheck(),
        OpenDriftCheck(),
        LogEntryCheck(),
        *consistency.derived_tables(),
    ]


def _first_violation(
    verifier: ChainVerifier,
    end: int,
    end_hash: str,
    head: dict[str, Any] | None,
    malformed_values: list[MalformedValue],
) -> Violation | None:
    """Return the first violation of the chain, or else of a derived table.

    The result is also None if a malformed value can't be read, which has a sentence of its own.
    """
    try:
        return next(filter(None, _run_checks(verifier, end, end_hash, head)), None)
    except (ValueError, TypeError) as error:
        if malformed_values:
            return None
        log.warning("couldn't finish a verification: %s", type(error).__name__)
        return max(verifier.count, 1), "or a table that follows from the log can't be read"


def _run_checks(
    verifier: ChainVerifier, end: int, end_hash: str, head: dict[str, Any] | None
) -> Iterator[Violation | None]:
    """Check the chain, and then the derived tables. Yield a violation of each, or None."""
    yield verifier.verify(end, end_hash, head)
    yield _event_beyond_head()
    for check in verifier.checks:
        yield check.fault(end)


def _has_invalid_seq(malformed_values: list[MalformedValue]) -> bool:
    """Return True if a seq is not a number, so that the log has no order."""
    seq_columns = {("flows_auditevent", "seq"), ("flows_chainhead", "seq")}
    return any((value.table, value.column) in seq_columns for value in malformed_values)


def _first_invalid_value(malformed_values: list[MalformedValue]) -> Violation | None:
    """Return the first event with a malformed value.

    Such a value is read like a proper one, but no query finds it.
    """
    event_values = [
        value
        for value in malformed_values
        if value.table == "flows_auditevent" and isinstance(value.key, int)
    ]
    if not event_values:
        return None
    first = min(event_values, key=lambda value: int(value.key))
    return int(first.key), f"has an invalid value in {first.column}"


def _event_beyond_head() -> Violation | None:
    """Return the first event after the recorded end of the chain, or None."""
    # An event and its head are committed together. Reading the newest event first means that the
    # head is never behind it.
    newest = AuditEvent.objects.order_by("-seq").values_list("seq", flat=True).first() or 0
    last = audit_log.last_seq()
    if newest <= last:
        return None
    beyond = AuditEvent.objects.filter(seq__gt=last).order_by("seq").values_list("seq", flat=True)
    return beyond[0], "comes after the end of the chain"
