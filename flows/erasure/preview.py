"""Preview of an erasure: what it would erase, what it can't, and what stands in its way."""

from __future__ import annotations

from dataclasses import dataclass

from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.erasure.erasure import find_affected_changes, is_in_progress
from flows.erasure.erasure_search import ErasureSearch


@dataclass(frozen=True, slots=True)
class ErasurePreview:
    """The numbers of what an erasure would find now. Nothing is erased yet.

    - `events`: whose contents would be emptied
    - `flows`: that would be removed from the mirror
    - `copies`: bulk changes, saved views, texts and failed tasks with the data
    - `sids_at_twilio`: flows with the data that Twilio still has
    - `unerasable_seqs`: events that contain the data in hashed columns
    - `possible_seqs`: other events that may contain it
    - `open_changes`: the latest events of changes with an unknown outcome
    - `change_in_progress`: the event of a change that must end first, or None
    """

    events: int
    flows: int
    copies: int
    sids_at_twilio: list[str]
    unerasable_seqs: list[int]
    possible_seqs: list[int]
    open_changes: list[AuditEvent]
    change_in_progress: AuditEvent | None

    @property
    def is_empty(self) -> bool:
        return not (self.events or self.flows or self.copies)


def preview_erasure(*, sid: str = "", identity: str = "") -> ErasurePreview:
    """Search for the data of the flow `sid`, or of `identity`, without erasing any of it."""
    search = ErasureSearch(sid, identity)
    search.scan_events(audit_log.last_seq())
    search.select()
    latest_events = [change.latest for change in find_affected_changes(search.erasable_seqs)]
    in_progress = [event for event in latest_events if is_in_progress(event)]
    return ErasurePreview(
        events=len(search.erasable_seqs),
        flows=len(search.mirrored_sids),
        copies=search.remnants.count,
        sids_at_twilio=search.sids_at_twilio,
        unerasable_seqs=search.unerasable_seqs,
        possible_seqs=sorted({*search.possible_seqs} - {*search.erasable_seqs}),
        open_changes=[event for event in latest_events if event not in in_progress],
        change_in_progress=in_progress[0] if in_progress else None,
    )
