"""The only code that reads and changes the map of SIDs between two accounts.

The map says which object of the target account stands for an object of the source account, so that
each SID is asked for once. Each change is recorded, with the counterpart before and after it.
Nothing is sent to Twilio. Read-only mode of the target account prevents changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flows.audit import audit_log
from flows.audit.audit_log import Actor, LogTransaction, Payload
from flows.audit.models import Result, Stage
from flows.availability import restrictions
from flows.availability.restrictions import OperationUnavailable
from flows.redaction.redacted import redact_fields
from flows.sid_map.actions import SidMapAction
from flows.sid_map.models import SidMapping

OPERATION: Final = "details"  # for restrictions: a change that Twilio doesn't know
SidPairs = frozenset[tuple[str, str]]  # a SID on the left and its counterpart on the right
NO_PAIRS: Final[SidPairs] = frozenset()


@dataclass(frozen=True, slots=True)
class Direction:
    """A pair of accounts in the direction of a copy, by their SIDs."""

    source: str
    target: str

    @property
    def reverse(self) -> Direction:
        return Direction(self.target, self.source)


def load_map(direction: Direction) -> dict[str, str]:
    """Return the counterparts in the target account, by the SID in the source account."""
    rows = SidMapping.objects.filter(
        source_account_sid=direction.source, target_account_sid=direction.target
    )
    return dict(rows.order_by("source_sid").values_list("source_sid", "target_sid"))


def load_pairs(left_account_sid: str, right_account_sid: str) -> SidPairs:
    """Return the SIDs of two accounts that stand for each other.

    The map from left to right decides. For a SID that it lacks, the other direction counts.
    """
    direction = Direction(left_account_sid, right_account_sid)
    inverse = unique_sources(load_map(direction.reverse))
    return frozenset((inverse | load_map(direction)).items())


def unique_sources(stored: Mapping[str, str]) -> dict[str, str]:
    """Return the inverse of a map, without SIDs that stand for several."""
    sources: defaultdict[str, list[str]] = defaultdict(list)
    for source, target in stored.items():
        sources[target].append(source)
    return {target: sids[0] for target, sids in sources.items() if len(sids) == 1}


def change_map(direction: Direction, counterparts: Mapping[str, str], actor: Actor) -> int:
    """Store the counterparts of these SIDs, and return how many differ from those before.

    An empty counterpart removes a SID from the map. Each change is recorded. Raises
    `OperationUnavailable` or `NotRecorded`. In both cases nothing is changed.
    """
    with audit_log.transaction() as log:
        current = load_map(direction)
        changes = {
            sid: counterpart
            for sid, counterpart in counterparts.items()
            if current.get(sid, "") != counterpart
        }
        restriction = restrictions.find_restriction(direction.target, OPERATION)
        for sid, counterpart in changes.items():
            earlier = current.get(sid, "")
            if restriction is not None:
                _record(log, direction, sid, earlier, counterpart, actor, restriction.sentence)
                continue
            _record(log, direction, sid, earlier, counterpart, actor)
            _store(direction, sid, counterpart)
    if changes and restriction is not None:  # after the transaction, which commits the refusals
        raise OperationUnavailable(restriction)
    return len(changes)


def _store(direction: Direction, sid: str, counterpart: str) -> None:
    key: dict[str, Any] = {
        "source_account_sid": direction.source,
        "target_account_sid": direction.target,
        "source_sid": sid,
    }
    if counterpart:
        defaults = {"target_sid": counterpart}
        SidMapping.objects.update_or_create(defaults=defaults, **key)
    else:
        SidMapping.objects.filter(**key).delete()


def _record(
    log: LogTransaction,
    direction: Direction,
    sid: str,
    earlier: str,
    counterpart: str,
    actor: Actor,
    refusal: str = "",
) -> None:
    """Write the event of a change, or of its refusal.

    The event belongs to the target account. Users who may see only that one see the event too, so
    it has the SID of the source account's object, but not the source account.
    """
    before = redact_fields({sid: earlier or None})
    new_value = redact_fields({sid: counterpart or None})
    log.append(
        action=SidMapAction.CHANGE,
        stage=Stage.ACCESS,
        result=Result.DENIED if refusal else Result.SUCCEEDED,
        actor=actor,
        account_sid=direction.target,
        target_sid=counterpart or earlier,
        payload=Payload(before=before, requested=new_value, message=refusal)
        if refusal
        else Payload(before=before, after=new_value),
    )
