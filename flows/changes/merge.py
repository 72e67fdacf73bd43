"""Base, theirs, mine: what of an operator's edit goes on, and what conflicts. A pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.twilio.flex import flex_flow


@dataclass(frozen=True, slots=True)
class FieldConflict:
    name: str
    base: Any
    theirs: Any
    mine: Any


@dataclass(frozen=True, slots=True)
class Merge:
    """`to_send`: the fields to change. `conflicts`: fields edited twice; if any, nothing may be sent.
    `theirs`: names of fields that changed at Twilio since the operator saw the flow."""

    to_send: dict[str, Any] = field(default_factory=dict)
    conflicts: list[FieldConflict] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)


def merge(*, base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> Merge:
    """Compares an edit field by field. `mine` holds the fields that the operator's form had; `base` the
    fields that the operator saw, which may be a few or all."""
    changed_there = [
        name
        for name in flex_flow.differing(base, theirs, {*base, *mine})
        if name not in flex_flow.KEPT_BY_TWILIO
    ]
    result = Merge(theirs=changed_there)
    for name in flex_flow.differing(base, mine, mine):
        if flex_flow.same(name, theirs.get(name), mine[name]):
            continue
        if name in changed_there:
            result.conflicts.append(FieldConflict(name, base.get(name), theirs.get(name), mine[name]))
        else:
            result.to_send[name] = mine[name]
    _integration_conflicts(result, base, theirs, mine)
    return result


def _integration_conflicts(
    result: Merge, base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]
) -> None:
    """The integration's fields hang on its type: an edit of one and a change of the other collide."""
    kind = "integration_type"
    known = {conflict.name for conflict in result.conflicts}
    touched = [name for name in (*result.to_send, *known) if flex_flow.BY_NAME[name].of_integration]
    if kind in result.theirs and touched and kind not in known:
        mine_type = mine.get(kind, base.get(kind))
        if not flex_flow.same(kind, theirs.get(kind), mine_type):
            result.conflicts.append(FieldConflict(kind, base.get(kind), theirs.get(kind), mine_type))
    if kind in result.to_send:
        for name in result.theirs:
            entry = flex_flow.BY_NAME.get(name)
            lost = entry and entry.of_integration and not flex_flow.is_active(entry, mine[kind])
            if lost and name not in known:
                result.conflicts.append(FieldConflict(name, base.get(name), theirs.get(name), None))
