"""Three-way merge of a user's edit (mine) with changes at Twilio (theirs) since the base.

Pure functions: nothing here reads from Twilio or the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flows.twilio.json_values import merge_objects
from flows.twilio.resource import Resource


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

    @property
    def conflicting_names(self) -> list[str]:
        return [conflict.name for conflict in self.conflicts]


@dataclass(frozen=True, slots=True)
class _Versions:
    """The object as the user saw it, as it is at Twilio now, and as the user wants it."""

    base: Mapping[str, Any]
    theirs: Mapping[str, Any]
    mine: Mapping[str, Any]

    def conflict(self, name: str, my_value: Any) -> FieldConflict:
        return FieldConflict(name, self.base.get(name), self.theirs.get(name), my_value)


def merge(
    resource: Resource,
    *,
    base: Mapping[str, Any],
    theirs: Mapping[str, Any],
    mine: Mapping[str, Any],
) -> Merge:
    """Compare an edit with the object at Twilio, field by field.

    `mine` has the fields of the user's form. `base` has the fields that the user saw, a few or all.
    """
    versions = _Versions(base, theirs, mine)
    differing_names = resource.differing_fields(base, theirs, {*base, *mine})
    their_fields = [name for name in differing_names if name not in resource.names_set_by_twilio]
    result = Merge(their_fields=their_fields)
    for name in resource.differing_fields(base, mine, mine):
        if resource.is_same_value(name, theirs.get(name), mine[name]):
            continue
        merged_object = _merge_objects(resource, versions, name)
        if merged_object is not None:
            result.requested[name] = merged_object
        elif name in their_fields:
            result.conflicts.append(versions.conflict(name, mine[name]))
        else:
            result.requested[name] = mine[name]

    # A variant's fields depend on the variant: changing one side of that affects the other.
    conflicting_names = set(result.conflicting_names)
    if resource.variant_field not in conflicting_names:
        _add_variant_conflict(resource, result, versions)
    if resource.variant_field in result.requested:
        _add_inapplicable_fields(resource, result, versions, conflicting_names)
    return result


def _merge_objects(resource: Resource, versions: _Versions, name: str) -> dict[str, Any] | None:
    """Return the live object of a field with my changes within it, or None if they conflict."""
    if resource.field(name).kind != "json":
        return None
    three = (versions.base.get(name), versions.theirs.get(name), versions.mine[name])
    base, theirs, mine = (resource.normalize_value(name, value) for value in three)
    if not all(isinstance(value, dict) for value in (base, theirs, mine)):
        return None
    merged = merge_objects(base, theirs, mine)
    return None if merged.conflicts else merged.value


def _add_variant_conflict(resource: Resource, result: Merge, versions: _Versions) -> None:
    """Add a conflict about the variant if they changed it and I edited the nested object."""
    name = resource.variant_field
    if name not in result.their_fields:
        return
    my_names = {*result.requested, *result.conflicting_names}
    if not any(entry.name in my_names for entry in resource.nested_fields):
        return
    my_variant = versions.mine.get(name, versions.base.get(name))
    if not resource.is_same_value(name, versions.theirs.get(name), my_variant):
        result.conflicts.append(versions.conflict(name, my_variant))


def _add_inapplicable_fields(
    resource: Resource, result: Merge, versions: _Versions, conflicting_names: set[str]
) -> None:
    """Add a conflict for each field that they changed and that my new variant doesn't have."""
    my_variant = versions.mine[resource.variant_field]
    their_names = set(result.their_fields) - conflicting_names
    for entry in resource.nested_fields:
        if entry.name in their_names and not entry.is_applicable(my_variant):
            result.conflicts.append(versions.conflict(entry.name, None))
