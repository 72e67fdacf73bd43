"""Erasure of the personal data of a flow or of a contact identity, in one transaction.

The payloads of the affected events are emptied and the flows are removed from the mirror. Columns
that the hash chain covers stay as they are. An event records what was erased. compaction.py removes
the data from the database's files afterwards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.audit import audit_log, log_entries
from flows.audit.actions import AuditAction
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import AuditEvent, AuditPayload, OpenChange, OpenDrift, Result, Stage
from flows.core.database import split_batches
from flows.erasure.erasure_search import ALL_PAYLOAD_FIELDS, ErasureSearch
from flows.erasure.remnants import erase_from_sessions
from flows.migration import erasing
from flows.mirror.models import Flow
from flows.redaction.redacted import redact_fields
from flows.twilio.pickling import PicklableError

MIN_IDENTITY_LENGTH: Final = 3  # characters; a shorter text would match nearly everywhere


@dataclass(frozen=True, slots=True)
class ErasureResult:
    """The result of an erasure. `event` is None if there was nothing to erase.

    - `erased_seqs`: events whose payload was emptied
    - `removed_sids`: flows removed from the mirror
    - `sids_at_twilio`: those of them that Twilio still has, so that a sync restores them
    - `unerasable_seqs`: events that contain the data in hashed columns
    - `possible_seqs`: events that were not erased, though their payload may contain the data
    - `undecided_seqs`: changes with an unknown outcome, now to be decided without their contents
    """

    event: AuditEvent | None
    erased_seqs: list[int] = field(default_factory=list)
    removed_sids: list[str] = field(default_factory=list)
    sids_at_twilio: list[str] = field(default_factory=list)
    unerasable_seqs: list[int] = field(default_factory=list)
    possible_seqs: list[int] = field(default_factory=list)
    undecided_seqs: list[int] = field(default_factory=list)


class ReasonMentionsData(Exception):
    """The reason contains the data to erase, and would keep it in the log for good."""


class StillAtTwilio(Exception):
    """Twilio still has the data, so that the next sync would restore it."""


class BlockedByOpenChange(PicklableError):
    """An open change of the flows prevents the erasure. `event` is the change's latest event.

    Its outcome would restore the data, or could not be resolved without the data.
    """

    def __init__(self, event: AuditEvent, *, is_in_progress: bool) -> None:
        super().__init__("a change is open")
        self.event = event
        self.is_in_progress = is_in_progress


class _NothingToErase(Exception):
    """No event, no flow and no other row contains the data."""


def erase(
    *,
    sid: str = "",
    identity: str = "",
    reason: str = "",
    actor: Actor,
    despite_open_change: bool = False,
    despite_twilio: bool = True,
) -> ErasureResult:
    """Erase the data of the flow `sid`, or of `identity` and of each flow that ever had it.

    With `despite_open_change`, changes with an unknown outcome are erased too. A user then decides
    their outcome without the data. With `despite_twilio`, flows that Twilio still has are erased
    too. Raises `ReasonMentionsData`, `StillAtTwilio`, `BlockedByOpenChange` or `NotRecorded`;
    nothing was erased then.
    """
    search = ErasureSearch(sid, identity)
    if search.mentions.has_substring(reason):
        raise ReasonMentionsData
    # Most of the log is read before its lock is taken.
    search.scan_events(audit_log.last_seq())
    event: AuditEvent | None = None
    with suppress(_NothingToErase), audit_log.transaction() as log:
        search.scan_events(log.last_seq)
        search.select()
        if search.sids_at_twilio and not despite_twilio:
            raise StillAtTwilio
        payload = _erase_search_results(search, despite_open_change=despite_open_change)
        event = log.append(
            action=AuditAction.ERASE,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor,
            target_sid=sid,
            reason=reason,
            payload=payload,
        )
    erase_from_sessions(search.remnants.identities)
    return _to_result(search, event)


def seq_ranges(seqs: Iterable[int]) -> list[list[int]]:
    """Return ascending numbers as ranges [first, last], both included."""
    ranges: list[list[int]] = []
    for seq in seqs:
        if ranges and seq == ranges[-1][1] + 1:
            ranges[-1][1] = seq
        else:
            ranges.append([seq, seq])
    return ranges


def _to_result(search: ErasureSearch, event: AuditEvent | None) -> ErasureResult:
    return ErasureResult(
        event=event,
        erased_seqs=search.erasable_seqs,
        removed_sids=search.mirrored_sids,
        sids_at_twilio=search.sids_at_twilio,
        unerasable_seqs=search.unerasable_seqs,
        possible_seqs=sorted({*search.possible_seqs} - {*search.erasable_seqs}),
        undecided_seqs=search.open_change_seqs,
    )


def _erase_search_results(search: ErasureSearch, *, despite_open_change: bool) -> Payload:
    """Erase the search's results, and return the payload of the event that records it."""
    if search.is_empty:
        raise _NothingToErase
    search.open_change_seqs = _check_open_changes(
        search.erasable_seqs, despite_open_change=despite_open_change
    )
    _check_migrations(search.remnants.migration_pks)
    _empty_payloads(search.erasable_seqs)
    for sids in split_batches(search.mirrored_sids):
        Flow.objects.filter(sid__in=sids).delete()
    search.remnants.erase()
    return _describe_erasure(search)


def _empty_payloads(seqs: list[int]) -> None:
    empty_payload = AuditPayload()
    empty_values = {name: getattr(empty_payload, name) for name in ALL_PAYLOAD_FIELDS}
    erased_at = timezone.now()
    for batch in split_batches(seqs):
        AuditPayload.objects.filter(pk__in=batch).update(
            **empty_values, salt="", erased_at=erased_at
        )
        # Without its payload, an external change can't be shown in the inbox.
        OpenDrift.objects.filter(pk__in=batch).delete()
    log_entries.refresh_text(seqs)


def _describe_erasure(search: ErasureSearch) -> Payload:
    details: dict[str, Any] = {
        "events": seq_ranges(search.erasable_seqs),
        "copies": len(search.mirrored_sids),
    }
    message = f"Erased personal data from {len(search.erasable_seqs)} events."
    if search.open_change_seqs:
        details["open_changes"] = search.open_change_seqs
        message += (
            " Some are changes with an unknown outcome, to be decided without their contents."
        )
    return Payload(requested=redact_fields(details), message=message)


def _check_open_changes(erasable_seqs: list[int], *, despite_open_change: bool) -> list[int]:
    """Return the latest event of each open change whose payload is erased.

    Raises `BlockedByOpenChange`, in any case for a change in progress: its outcome would restore
    the data.
    """
    latest_seqs = []
    for change in find_affected_changes(erasable_seqs):
        is_pending = is_in_progress(change.latest)
        if is_pending or not despite_open_change:
            raise BlockedByOpenChange(change.latest, is_in_progress=is_pending)
        latest_seqs.append(change.latest_id)
        OpenChange.objects.filter(pk=change.pk).update(last_reading={})
    return latest_seqs


def _check_migrations(migration_pks: Collection[UUID]) -> None:
    """Raise `BlockedByOpenChange` for a migration in the middle of its steps.

    Without its earlier values it couldn't be rolled back, which would leave customers unserved.
    """
    for migration_id in erasing.find_begun(migration_pks):
        events = AuditEvent.objects.filter(request_id=str(migration_id)).order_by("-seq")
        latest = events.first()
        if latest is not None:
            raise BlockedByOpenChange(latest, is_in_progress=True)


def find_affected_changes(erasable_seqs: Iterable[int]) -> list[OpenChange]:
    """Return the open changes whose attempt is among these events, with their latest event."""
    seqs = set(erasable_seqs)
    changes = OpenChange.objects.select_related("latest").order_by("latest")
    return [change for change in changes if change.attempt_id in seqs]


def is_in_progress(latest_event: AuditEvent) -> bool:
    """Return True if the process that makes an open change can still be waiting for Twilio."""
    is_recent = latest_event.at > timezone.now() - ATTEMPT_TIMEOUT
    return latest_event.result == Result.PENDING and is_recent
