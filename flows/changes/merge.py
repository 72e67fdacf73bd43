"""Three-way merge of a user's edit (mine) with changes at Twilio (theirs) since the base.

Pure functions: nothing here reads from Twilio or the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.twilio.flex.flex_flow import FLEX_FLOW

TYPE_FIELD = "integration_type"


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """One field with its three values."""

    name: str
    base: Any
    theirs: Any
    mine: Any


@dataclass(frozen=True, slots=True)
class Merge:
    """The result of a merge.

    `requested` are the fields to change. `conflicts` are fields that both sides changed; with any,
    nothing may be sent. `their_fields` are the names of all fields that changed at Twilio.
    """

    requested: dict[str, Any] = field(default_factory=dict)
    conflicts: list[FieldConflict] = field(default_factory=list)
    their_fields: list[str] = field(default_factory=list)


def merge(*, base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]) -> Merge:
    """Compare an edit with the flow at Twilio, field by field.

    `mine` has the fields of the user's form. `base` has the fields that the user saw, a few or all.
    """
    their_fields = [
        name
        for name in FLEX_FLOW.differing_fields(base, theirs, {*base, *mine})
        if name not in FLEX_FLOW.names_set_by_twilio
    ]
    result = Merge(their_fields=their_fields)
    for name in FLEX_FLOW.differing_fields(base, mine, mine):
        if FLEX_FLOW.is_same_value(name, theirs.get(name), mine[name]):
            continue
        if name in their_fields:
            conflict = FieldConflict(name, base.get(name), theirs.get(name), mine[name])
            result.conflicts.append(conflict)
        else:
            result.requested[name] = mine[name]

    # An integration's fields depend on its type: changing one side of that affects the other.
    conflicting_names = {conflict.name for conflict in result.conflicts}
    if TYPE_FIELD not in conflicting_names:
        _add_type_conflict(result, base, theirs, mine)
    if TYPE_FIELD in result.requested:
        _add_inapplicable_fields(result, base, theirs, mine, conflicting_names)
    return result


def _add_type_conflict(
    result: Merge, base: Mapping[str, Any], theirs: Mapping[str, Any], mine: Mapping[str, Any]
) -> None:
    """Add a conflict about the type if they changed it and I edited the integration."""
    if TYPE_FIELD not in result.their_fields:
        return
    my_names = [*result.requested, *(conflict.name for conflict in result.conflicts)]
    if not any(FLEX_FLOW.by_name[name].is_nested for name in my_names):
        return
    my_type = mine.get(TYPE_FIELD, base.get(TYPE_FIELD))
    their_type = theirs.get(TYPE_FIELD)
    if not FLEX_FLOW.is_same_value(TYPE_FIELD, their_type, my_type):
        conflict = FieldConflict(TYPE_FIELD, base.get(TYPE_FIELD), their_type, my_type)
        result.conflicts.append(conflict)


def _add_inapplicable_fields(
    result: Merge,
    base: Mapping[str, Any],
    theirs: Mapping[str, Any],
    mine: Mapping[str, Any],
    conflicting_names: set[str],
) -> None:
    """Add a conflict for each field that they changed and that my new type doesn't have."""
    for name in result.their_fields:
        entry = FLEX_FLOW.by_name.get(name)
        if entry is None or not entry.is_nested or name in conflicting_names:
            continue
        if not entry.is_applicable(mine[TYPE_FIELD]):
            conflict = FieldConflict(name, base.get(name), theirs.get(name), None)
            result.conflicts.append(conflict)
