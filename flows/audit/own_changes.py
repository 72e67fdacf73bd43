"""Changes of our own that may explain a state read at Twilio, so that it is no external change."""

from __future__ import annotations

from collections.abc import Sequence

from flows.audit.audit_types import Observation
from flows.audit.models import AuditEvent, OpenChange, Stage


def filter_external(observations: Sequence[Observation], read_seq: int) -> list[Observation]:
    """Return the observations that no change of our own may explain.

    A change may explain what is observed of its flow if it is open, or was logged after `read_seq`.
    An open creation may explain a flow that is new.
    """
    changes = list(OpenChange.objects.select_related("attempt"))
    creations = [change for change in changes if not change.target_sid]
    busy_sids = {change.target_sid for change in changes}
    later = AuditEvent.objects.filter(seq__gt=read_seq).exclude(stage=Stage.ACCESS)
    busy_sids.update(later.values_list("target_sid", flat=True))
    unchanged = [item for item in observations if item.target_sid not in busy_sids]
    return [item for item in unchanged if not _may_be_created_by(item, creations)]


def _may_be_created_by(item: Observation, creations: Sequence[OpenChange]) -> bool:
    is_new = item.payload.before is None and item.payload.after is not None
    return is_new and any(change.may_have_created(item.created_at) for change in creations)
