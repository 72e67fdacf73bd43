"""State of the audit log: its end, the last verification, and the last exported checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q, QuerySet, Subquery

from flows.audit import audit_log, verification
from flows.audit.actions import AuditAction
from flows.audit.models import AuditEvent, ChainHead, Result
from flows.audit.verification import VerificationRecord


@dataclass(frozen=True, slots=True)
class LogStatus:
    """The end of the log, and the last verification and checkpoint, or None if there is none.

    Events of the log itself belong to no account, so only users of all accounts may see the
    verification and the checkpoint.
    """

    last_seq: int
    verification: VerificationRecord | None
    checkpoint: AuditEvent | None

    @property
    def is_broken(self) -> bool:
        """Return True if the last verification found a violation, or was itself altered."""
        last = self.verification
        return last is not None and not (last.is_intact and last.has_no_violations)


def load_log_status() -> LogStatus:
    """Return the state of the log, with one query."""
    end = Subquery(ChainHead.objects.filter(name=audit_log.CHAIN_NAME).values("seq")[:1])
    results = (Result.SUCCEEDED, Result.FAILED)
    events = AuditEvent.objects.select_related("payload").filter(
        Q(seq=end)
        | Q(seq=_last_seq_of(AuditAction.VERIFY, results))
        | Q(seq=_last_seq_of(AuditAction.CHECKPOINT, (Result.SUCCEEDED,)))
    )
    newest_first = sorted(events, key=lambda event: -event.seq)
    last_seq = newest_first[0].seq if newest_first else 0
    verified = _first_with(newest_first, AuditAction.VERIFY, results)
    return LogStatus(
        last_seq,
        verification.read_verification(verified, last_seq) if verified else None,
        _first_with(newest_first, AuditAction.CHECKPOINT, (Result.SUCCEEDED,)),
    )


def _last_seq_of(action: str, results: tuple[str, ...]) -> Subquery:
    events: QuerySet[AuditEvent] = AuditEvent.objects.filter(action=action, result__in=results)
    return Subquery(events.order_by("-seq").values("seq")[:1])


def _first_with(
    events: list[AuditEvent], action: str, results: tuple[str, ...]
) -> AuditEvent | None:
    """Return the first of these events with the action and one of the results, or None."""
    matching_events = (
        event for event in events if event.action == action and event.result in results
    )
    return next(matching_events, None)
