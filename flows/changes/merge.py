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
    """`requested`: the fields to change. `conflicts`: fields edited twice; if any, nothing may be sent.
    `theirs`: names of fields that changed at Twilio since the operator saw the flow."""

    requested: dict[str, Any] = field(default_factory=dict)
    conflicts: list[FieldConflict] = field(default_factory=list)
    theirs: list[str] = field(default_factory=list)


def merge(*, base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> Merge:
    """Compares an edit field by field. `mine` holds the fields that the operator's form had; `base` the
    fields that the operator saw, which may be a few or all."""
    changed_there = [
        name
        for name in flex_flow.differing_fields(base, theirs, {*base, *mine})
        if name not in flex_flow.TWILIO_MANAGED_FIELDS
    ]
    result = Merge(theirs=changed_there)
    for name in flex_flow.differing_fields(base, mine, mine):
        if flex_flow.is_same_value(name, theirs.get(name), mine[name]):
            continue
        if name in changed_there:
            result.conflicts.append(
                FieldConflict(name, base.get(name), theirs.get(name), mine[name])
            )
        else:
            result.requested[name] = mine[name]
    _add_integration_conflicts(result, base, theirs, mine)
    return result


def _add_integration_conflicts(
    result: Merge, base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]
) -> None:
    """The integration's fields hang on its type: an edit of one and a change of the other collide."""
    kind = "integration_type"
    known = {conflict.name for conflict in result.conflicts}
    touched = [
        name
        for name in (*result.requested, *known)
        if flex_flow.FIELDS_BY_NAME[name].of_integration
    ]
    if kind in result.theirs and touched and kind not in known:
        mine_type = mine.get(kind, base.get(kind))
        if not flex_flow.is_same_value(kind, theirs.get(kind), mine_type):
            result.conflicts.append(
                FieldConflict(kind, base.get(kind), theirs.get(kind), mine_type)
            )
    if kind in result.requested:
        for name in result.theirs:
            entry = flex_flow.FIELDS_BY_NAME.get(name)
            lost = entry and entry.of_integration and not flex_flow.is_applicable(entry, mine[kind])
            if lost and name not in known:
                result.conflicts.append(FieldConflict(name, base.get(name), theirs.get(name), None))
