"""`Resource`: a kind of object in Twilio's APIs as data, and what follows from its fields.

A resource says where its endpoints are and which fields it has (`flows.twilio.description`). The
client, the sandbox, the write protocol, forms, imports and diffs take a `Resource` and read all of
that from it. A new resource is one file under `flex/`, registered once (`flows.twilio.registry`).

Outside this package an object of a resource is a `Snapshot`: a flat dict by response name. Fields
of a nested object are flat as well, such as `integration_flow_sid` for an integration's `flow_sid`.
Only this package knows Twilio's CamelCase names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from typing import Any, NewType

from flows.twilio import values as wire_values
from flows.twilio.cleaning import InvalidValue, to_text
from flows.twilio.description import ResourceDescription
from flows.twilio.fields import Field
from flows.twilio.json_values import InvalidJson, is_same_json, parse_strictly
from flows.twilio.request_bodies import JsonBody, Parameters

Snapshot = NewType("Snapshot", dict[str, Any])


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The result of `Resource.clean`: values for Twilio, and messages for the user by field.

    `unchanged` are the names of fields that have the value that the object already had.
    """

    values: dict[str, Any] = dataclass_field(default_factory=dict)
    errors: dict[str, str] = dataclass_field(default_factory=dict)
    unchanged: set[str] = dataclass_field(default_factory=set)

    def keep(self, name: str, value: Any) -> None:
        """Add a field with the value that the object already had."""
        self.unchanged.add(name)
        self.values[name] = value

    def validate(self, field: Field, value: Any, *, required: bool) -> None:
        """Add a field's new value, or the message that refuses it."""
        try:
            self.values[field.name] = field.clean(value, required=required)
        except InvalidValue as error:
            self.errors[field.name] = str(error)


class Resource(ResourceDescription):
    """A kind of object at Twilio, such as a Flex Flow.

    Its methods read and write Twilio's JSON, validate the values of a user, and compare objects.
    """

    parent: Resource | None
    used_in: Resource | None

    def decode(self, body: Mapping[str, Any]) -> Snapshot:
        """Return Twilio's JSON as a snapshot.

        Unknown fields keep their names, if the resource keeps unknown fields.
        """
        if not self.keeps_unknown_fields:
            return Snapshot({name: body[name] for name in self.by_name if name in body})
        if self.is_renamed:
            body = self._rename(body)
        nested = self._parse_nested(body) if self.nested else None
        if nested is None:
            return Snapshot(dict(body))
        names, prefix = self._nested_names, self._nested_prefix
        # `or`, because `get` with a default would build it for each field of 10,000 flows.
        snapshot = {names.get(key) or prefix + key: value for key, value in nested.items()}
        # The object's own fields come last, so that an unknown `integration.type` can't replace
        # `integration_type`.
        snapshot.update(body)
        snapshot.pop(self.nested, None)
        return Snapshot(snapshot)

    def encode(self, snapshot: Mapping[str, Any]) -> dict[str, Any]:
        """Return a snapshot as Twilio's JSON, the inverse of `decode`.

        The items of a list stay SIDs.
        """
        if self.sid_field != "sid":
            snapshot = {
                self.sid_field if name == "sid" else name: snapshot[name] for name in snapshot
            }
        if not self.nested:
            return dict(snapshot)
        nested: dict[str, Any] = {}
        body: dict[str, Any] = {self.nested: nested}
        for name, value in snapshot.items():
            is_nested = name.startswith(self._nested_prefix) and name not in self._own_names
            if is_nested:
                nested[name.removeprefix(self._nested_prefix)] = value
            else:
                body[name] = value
        return body

    def to_parameters(self, values: Mapping[str, Any]) -> dict[str, str | list[str]]:
        """Return fields as form parameters with Twilio's names. A list is a repeated parameter.

        `None`, an empty string and an empty list unset a field. A field that can't be written
        raises KeyError.
        """
        return {
            self.wire_names[name]: _to_parameter(self.field(name), value)
            for name, value in values.items()
        }

    def to_update_body(self, sid: str, values: Mapping[str, Any]) -> Parameters | JsonBody:
        """Return the fields to change of an object as the body of a request.

        A JSON object repeats the object's SID, and an unset field is null in it.
        """
        if not self.has_json_body:
            return self.to_parameters(values)
        body: dict[str, Any] = {self.sid_field: sid}
        for name, value in values.items():
            body[self.wire_names[name]] = self.normalize_value(name, value)
        return JsonBody(body)

    def variant_of(self, snapshot: Mapping[str, Any]) -> str:
        """Return the variant of an object, or "" if it has none.

        An object without a variant has Twilio's default if a field that the default requires is
        set.
        """
        variant = self.normalize_value(self.variant_field, snapshot.get(self.variant_field))
        if isinstance(variant, str):
            return variant
        if variant is None and self._has_field_of_default_variant(snapshot):
            return self.default_variant
        return ""

    def clean(
        self, values: Mapping[str, Any], *, current: Mapping[str, Any] | None = None
    ) -> Cleaned:
        """Validate the values of a new object, or those of an edit of `current`.

        A form, an import and a script validate alike. Values are text, or what JSON has in its
        place. Fields that are not given keep their current value. A value that the object already
        has is accepted, even if it would be refused as a new one.
        """
        current_values = current or {}
        all_values = {**current_values, **values}
        variant = self.chosen_variant(all_values, current)
        result = Cleaned()
        for field in self.fields_set_by("create" if current is None else "update"):
            if not field.is_applicable(variant):
                continue
            value, current_value = all_values.get(field.name), current_values.get(field.name)
            if self.is_unchanged(field.name, value, current_value):
                result.keep(field.name, current_value)
            else:
                required = self.is_required(field, variant, current)
                result.validate(field, value, required=required)
        return result

    def chosen_variant(self, values: Mapping[str, Any], current: Mapping[str, Any] | None) -> str:
        """Return the variant that values choose.

        For an object without a variant, it is the one that Twilio treats it as, so that its fields
        can be seen and changed.
        """
        chosen = to_text(values.get(self.variant_field))
        if chosen or current is None or _has_value(current, self.variant_field):
            return chosen
        return self.variant_of(current)

    def is_required(self, field: Field, variant: str, current: Mapping[str, Any] | None) -> bool:
        """Return True if a field must have a value.

        An object that lacks a required value already, which a warning says, can still be renamed or
        turned off.
        """
        if current is None:
            return field.is_required_to_create(variant)
        if _has_value(current, field.name):
            return field.is_required_to_create(variant) or not field.is_clearable
        has_new_variant = variant != self.variant_of(current)
        return has_new_variant and field.is_required(variant)

    def is_unchanged(self, name: str, value: Any, current_value: Any) -> bool:
        """Return True if a typed value is the one that the object has.

        Browsers remove line breaks from inputs, and forms remove white space at the ends. Neither
        is an edit.
        """
        if _is_unset(current_value):
            return False
        if self.field(name).kind in ("json", "json_list"):
            return _is_same_json_text(value, current_value)
        if self.field(name).kind == "choices":
            return self.is_same_value(name, value, current_value)
        return _one_line(value) == _one_line(self.to_input(name, current_value))

    def to_input(self, name: str, value: Any) -> Any:
        """Return a value as an input has it.

        A boolean becomes the value of its select. Text that stands for a number becomes the number.
        """
        if self.field(name).has_parsed_kind and value != "":
            value = self.normalize_value(name, value)
        if isinstance(value, bool | list | dict):
            return to_text(value)
        return value

    def normalize_value(self, name: str, value: Any) -> Any:
        """Return a field's value in the form in which values are compared.

        An unset field is None. A boolean or number that came as text becomes one. An unreadable
        value stays as it is.
        """
        if _is_unset(value):
            return None
        parsed = self.field(name).parse(value)
        if parsed is wire_values.UNREADABLE:
            return value
        is_empty_list = self.field(name).kind in ("sids", "choices") and not parsed
        return None if is_empty_list else parsed

    def is_readable(self, name: str, value: Any) -> bool:
        """Return True if a value fits its field's kind. Unset values and unknown fields do."""
        if _is_unset(value):
            return True
        return self.field(name).parse(value) is not wire_values.UNREADABLE

    def is_same_value(self, name: str, first: Any, second: Any) -> bool:
        """Return True if two values of a field mean the same to Twilio."""
        has_parts = isinstance(first, dict | list)
        if not has_parts and type(first) is type(second) and first == second:
            return True  # the usual case, and the fastest
        first, second = self.normalize_value(name, first), self.normalize_value(name, second)
        return is_same_json(first, second)

    def differing_fields(
        self,
        first: Mapping[str, Any],
        second: Mapping[str, Any],
        names: Iterable[str] | None = None,
    ) -> list[str]:
        """Return the names of fields with different values, unknown fields last.

        `names` limits the comparison to these fields.
        """
        candidates = {*first, *second} if names is None else set(names)
        differing = [
            name
            for name in candidates
            if not self.is_same_value(name, first.get(name), second.get(name))
        ]
        return self.in_order(differing)

    def changed_writable_fields(
        self, before: Mapping[str, Any], after: Mapping[str, Any]
    ) -> list[str]:
        """Return the names of writable fields with different values."""
        return [name for name in self.differing_fields(before, after) if self.is_writable(name)]

    @cached_property
    def is_renamed(self) -> bool:
        """True if a snapshot differs from Twilio's JSON by the name of its SID or by its lists."""
        return self.sid_field != "sid" or bool(self._listed_fields)

    @cached_property
    def _listed_fields(self) -> tuple[Field, ...]:
        return tuple(field for field in self.fields if field.item_key)

    def _rename(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return Twilio's JSON with the SID as `sid`, and lists of objects as lists of SIDs."""
        renamed = dict(body)
        if self.sid_field in renamed:
            renamed["sid"] = renamed.pop(self.sid_field)
        for field in self._listed_fields:
            items = wire_values.parse_objects(renamed.get(field.name))
            if items is not wire_values.UNREADABLE:
                renamed[field.name] = [str(item.get(field.item_key)) for item in items]
        return renamed

    def _has_field_of_default_variant(self, snapshot: Mapping[str, Any]) -> bool:
        return any(_has_value(snapshot, name) for name in self._default_variant_names)

    def _parse_nested(self, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the nested object, also from JSON text, or None if it can't be read.

        An object without a nested one has an empty one.
        """
        nested = body.get(self.nested) or {}
        if isinstance(nested, str):
            try:
                nested = json.loads(nested)
            except (ValueError, RecursionError):
                return None
        return nested if isinstance(nested, Mapping) else None


def _to_parameter(field: Field, value: Any) -> str | list[str]:
    """Return a value as the parameter of a request has it, a list as the values of a repeated one."""
    if field.kind == "json_list":
        value = field.parse(value) if value else []
    if isinstance(value, list):
        return list(map(to_text, value)) or ""
    return to_text(value)


def _is_unset(value: Any) -> bool:
    return value is None or value == ""


def _is_same_json_text(text: Any, value: Any) -> bool:
    """Return True if a text is the JSON of a value, however it is laid out."""
    try:
        parsed = parse_strictly(text) if isinstance(text, str) else text
    except InvalidJson:
        return False
    return is_same_json(parsed, value)


def _has_value(snapshot: Mapping[str, Any], name: str) -> bool:
    return not _is_unset(snapshot.get(name))


def _one_line(value: Any) -> str:
    return re.sub(r"[\r\n]", "", to_text(value)).strip()
