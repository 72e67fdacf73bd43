"""A check of owners, tags and notes against the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from django.db.models import Max, QuerySet

from flows.audit.actions import AuditAction
from flows.audit.models import AuditEvent, AuditPayload, Result
from flows.core.database import split_batches
from flows.local_details.actions import LocalDetailsAction
from flows.local_details.fields import Details
from flows.local_details.models import LocalDetails
from flows.local_details.reading import details_by_sid, load_details


def flow_details() -> Iterator[str]:
    """Yield a sentence on the first flow whose owner, tags or note aren't those in the log, if any.

    An erasure also empties some of them. So flows that were not changed since the last one are
    omitted.
    """
    erasures = AuditEvent.objects.filter(action=AuditAction.ERASE)
    erased_seq = erasures.aggregate(last=Max("seq"))["last"] or 0
    last_seqs = _load_last_seqs(erased_seq)
    sids = set(last_seqs)
    if not erased_seq:
        sids |= set(LocalDetails.objects.values_list("sid", flat=True))
    for batch in split_batches(sorted(sids)):
        if sid := _find_differing(batch, last_seqs):
            yield f"The owner, tags or note of flow {sid} differ from the log."
            return


def _load_last_seqs(after_seq: int) -> dict[str, int]:
    """Return the number of the last change of each flow, if it came after an event."""
    changes = _changes().order_by().values_list("target_sid").annotate(last=Max("seq"))
    return {sid: seq for sid, seq in changes.iterator() if seq > after_seq}


def _find_differing(sids: Sequence[str], last_seqs: Mapping[str, int]) -> str:
    """Return the first of these flows whose details aren't those of its last change, or ""."""
    seqs = [last_seqs[sid] for sid in sids if sid in last_seqs]
    payloads = AuditPayload.objects.filter(pk__in=seqs).select_related("event")
    expected = {
        payload.event.target_sid: Details.from_values(payload.values_after) for payload in payloads
    }
    stored = details_by_sid(sids)
    nothing = Details()
    for sid in sids:
        if stored.get(sid, nothing) != expected.get(sid, nothing) and _differs(sid):
            return sid
    return ""


def _differs(sid: str) -> bool:
    """Return True if the details of a flow aren't those of its last change.

    A change between the two reads looks like a difference, so the last change is read twice.
    """
    last_change = _last_change(sid)
    stored = load_details(sid)
    if _last_change(sid) != last_change:
        return False
    expected = Details.from_values(last_change.payload.values_after) if last_change else Details()
    return stored != expected


def _last_change(sid: str) -> AuditEvent | None:
    changes = _changes().filter(target_sid=sid).select_related("payload")
    return changes.order_by("-seq").first()


def _changes() -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(action=LocalDetailsAction.CHANGE, result=Result.SUCCEEDED)
