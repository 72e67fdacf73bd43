"""Changes of our own that may explain a state read at Twilio, so that it is no external change."""

from __future__ import annotations

from collections.abc import Sequence

from flows.audit.audit_types import Observation
from flows.audit.models import AuditEvent, OpenChange, Stage
from flows.twilio.flex.flex_flow import FLEX_FLOW


def filter_external(observations: Sequence[Observation], read_seq: int) -> list[Observation]:
    """Return the observations that no change of our own may explain.

    A change may explain what is observed of its flow if it is open, or was logged after `read_seq`.
    An open creation may explain a flow that is new.
    """
    changes = list(OpenChange.objects.select_related("attempt"))
    creations = [change for change in changes if change.action == FLEX_FLOW.action("create")]
    # Only of these flows: a first sync has logged all the others before its last batch.
    observed_sids = {observation.target_sid for observation in observations}
    later = AuditEvent.objects.filter(seq__gt=read_seq, target_sid__in=observed_sids)
    busy_sids = set(later.exclude(stage=Stage.ACCESS).values_list("target_sid", flat=True))
    busy_sids.update(change.target_sid for change in changes)
    external = []
    for observation in observations:
        is_busy = observation.target_sid in busy_sids
        if not is_busy and not _may_be_created(observation, creations):
            external.append(observation)
    return external


def _may_be_created(observation: Observation, creations: Sequence[OpenChange]) -> bool:
    """Return True if one of these open creations may have made the observed flow."""
    if not observation.is_new:
        return False
    return any(
        change.attempt.account_sid == observation.account_sid
        and change.may_have_created(observation.created_at)
        for change in creations
    )
