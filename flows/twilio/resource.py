"""`Resource`: a kind of object in Twilio's APIs as data, and what follows from its fields.

A resource says where its endpoints are and which fields it has. The client, the sandbox, the write
protocol, forms, imports and diffs take a `Resource` and read all of that from it. A new resource is
one file under `flex/`, registered once (`flows.twilio.registry`).

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
from flows.twilio.fields import Field
from flows.twilio.sids import is_sid

Snapshot = NewType("Snapshot", dict[str, Any])


@dataclass(frozen=True, slots=True)
class Cleaned:
    """The result of `Resource.clean`: values for Twilio, and messages for the user by field.

    `unchanged` are the names of fields that have the value that the object already had.
    """

    values: dict[str, Any] = dataclass_field(default_factory=dict)
    errors: dict[str, str] = dataclass_field(default_factory=dict)
    unchanged: set[str] = dataclass_field(default_factory=set)


@dataclass(frozen=True, kw_only=True, eq=False)
class Resource:
    """A kind of object at Twilio, such as a Flex Flow.

    `name` is the prefix of its actions in the audit log ("flow" for `flow.create`). `title` and
    `plural` name it in messages. `path` and `list_key` are its collection's path and key in a page.

    A resource can have variants: `variant_field` names the field that chooses one, and `nested` the
    object that holds the fields of the variants (`takes`). `default_variant` is Twilio's choice.

    `name_field` and `identity_field` say what the log finds an object by. Of the enabled objects,
    only one can have the same values of `unique_while_enabled`.
    """

    name: str
    title: str
    plural: str
    path: str
    list_key: str
    sid_prefix: str
    fields: tuple[Field, ...]
    nested: str = ""
    variant_field: str = ""
    default_variant: str = ""
    name_field: str = "friendly_name"
    identity_field: str = ""
    unique_while_enabled: tuple[str, ...] = ()
    is_mirrored: bool = False  # this site keeps a copy, compares it and records drift

    @cached_property
    def by_name(self) -> Mapping[str, Field]:
        """All fields by name."""
        return {field.name: field for field in self.fields}

    @cached_property
    def by_wire_name(self) -> Mapping[str, Field]:
        """The writable fields by the name of their request parameter."""
        return {field.wire: field for field in self.fields if field.wire}

    @cached_property
    def writable_fields(self) -> tuple[Field, ...]:
        return tuple(self.by_wire_name.values())

    @cached_property
    def writable_names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.writable_fields)

    @cached_property
    def nested_fields(self) -> tuple[Field, ...]:
        """The fields of the nested object."""
        return tuple(field for field in self.fields if field.is_nested)

    @cached_property
    def names_set_by_twilio(self) -> frozenset[str]:
        """Names of fields that no request can set.

        Twilio's dates are in whole seconds, so equal dates prove nothing.
        """
        return frozenset(field.name for field in self.fields if field.wire is None)

    @cached_property
    def searchable_names(self) -> tuple[str, ...]:
        """Names of the fields that the log finds an object by: name, identity, SIDs and URLs."""
        named = (self.name_field, self.identity_field)
        names = [name for name in named if name in self.by_name]
        for kind in ("sid", "url"):
            names += [field.name for field in self.fields if field.kind == kind]
        return tuple(names)

    def field(self, name: str) -> Field:
        """Return the field of this name, or one of an unknown kind if the resource has none."""
        return self.by_name.get(name) or Field(name=name, label=name, help="", kind="unknown")

    def action(self, operation: str) -> str:
        """Return the log's action for create, update or delete."""
        return f"{self.name}.{operation}"

    def is_sid(self, value: object) -> bool:
        """Return True for a SID of this resource."""
        return is_sid(self.sid_prefix, value)

    def is_writable(self, name: str) -> bool:
        """Return True for a field that a request can set."""
        return name in self._wire_names

    def is_url(self, text: str) -> bool:
        """Return True for the URL of an object in Twilio's API."""
        return self._url_pattern.fullmatch(text) is not None

    def variant_of(self, snapshot: Mapping[str, Any]) -> str:
        """Return the variant of an object, or "" if it has none.

        An object without a variant has Twilio's default if a field that the default requires is
        set.
        """
        variant = self.normalize_value(self.variant_field, snapshot.get(self.variant_field))
        if variant is not None:
            return variant if isinstance(variant, str) else ""
        has_default_fields = any(_has_value(snapshot, name) for name in self._default_variant_names)
        return self.default_variant if has_default_fields else ""

    def clean(
        self, values: Mapping[str, Any], *, current: Mapping[str, Any] | None = None
    ) -> Cleaned:
        """Validate the values of a new object, or those of an edit of `current`.

        A form, an import and a script validate alike. Values are text, or what JSON has in its
        place. Fields that are not given keep their current value. A value that the object already
        has is accepted, even if it would be refused as a new one.
        """
        known = current or {}
        given = {name: values.get(name, known.get(name)) for name in self.writable_names}
        variant = self.chosen_variant(given, current)
        result = Cleaned()
        for field in self.writable_fields:
            if not field.is_applicable(variant):
                continue
            name, value = field.name, given[field.name]
            if self.is_unchanged(name, value, known.get(name)):
                result.unchanged.add(name)
                result.values[name] = known[name]
                continue
            try:
                required = self.is_required(field, variant, current)
                result.values[name] = field.clean(value, required=required)
            except InvalidValue as error:
                result.errors[name] = str(error)
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
            return field.is_required(variant) or field.required_on_create
        if _has_value(current, field.name):
            is_required = field.is_required(variant) or field.required_on_create
            return is_required or not field.is_clearable
        has_new_variant = variant != self.variant_of(current)
        return has_new_variant and field.is_required(variant)

    def is_unchanged(self, name: str, value: Any, current_value: Any) -> bool:
        """Return True if a typed value is the one that the object has.

        Browsers remove line breaks from inputs, and forms remove white space at the ends. Neither
        is an edit.
        """
        if _is_unset(current_value):
            return False
        return _one_line(value) == _one_line(self.to_input(name, current_value))

    def to_input(self, name: str, value: Any) -> Any:
        """Return a value as an input has it.

        A boolean becomes the value of its select. Text that stands for a number becomes the number.
        """
        if self.field(name).has_parsed_kind and value != "":
            value = self.normalize_value(name, value)
        return to_text(value) if isinstance(value, bool) else value

    def decode(self, body: Mapping[str, Any]) -> Snapshot:
        """Return Twilio's JSON as a snapshot. Unknown fields keep their names."""
        if not self.nested:
            return Snapshot(dict(body))
        nested = self._parse_nested(body)
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
        """Return a snapshot as Twilio's JSON, the inverse of `decode`."""
        if not self.nested:
            return dict(snapshot)
        nested: dict[str, Any] = {}
        body: dict[str, Any] = {self.nested: nested}
        for name, value in snapshot.items():
            if name.startswith(self._nested_prefix) and name not in self._own_names:
                nested[name.removeprefix(self._nested_prefix)] = value
            else:
                body[name] = value
        return body

    def to_parameters(self, values: Mapping[str, Any]) -> dict[str, str]:
        """Return fields as form parameters with Twilio's names.

        `None` and the empty string unset a field. A field that can't be written raises KeyError.
        """
        return {self._wire_names[name]: to_text(value) for name, value in values.items()}

    def normalize_value(self, name: str, value: Any) -> Any:
        """Return a field's value in the form in which values are compared.

        An unset field is None. A boolean or number that came as text becomes one. An unreadable
        value stays as it is.
        """
        if _is_unset(value):
            return None
        parsed = self.field(name).parse(value)
        return value if parsed is wire_values.UNREADABLE else parsed

    def is_readable(self, name: str, value: Any) -> bool:
        """Return True if a value fits its field's kind. Unset values and unknown fields do."""
        if _is_unset(value):
            return True
        return self.field(name).parse(value) is not wire_values.UNREADABLE

    def is_same_value(self, name: str, first: Any, second: Any) -> bool:
        """Return True if two values of a field mean the same to Twilio."""
        if type(first) is type(second) and first == second:
            return True  # the usual case, and the fastest
        first, second = self.normalize_value(name, first), self.normalize_value(name, second)
        # In Python, True equals 1.
        is_same_kind = isinstance(first, bool) == isinstance(second, bool)
        return bool(first == second and is_same_kind)

    def differing_fields(
        self,
        first: Mapping[str, Any],
        second: Mapping[str, Any],
        names: Iterable[str] | None = None,
    ) -> list[str]:
        """Return the names of fields with different values, unknown fields last.

        `names` limits the comparison to these fields.
        """
        candidates = set(names) if names is not None else {*first, *second}
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

    def dependent_names(self, changed: Iterable[str]) -> set[str]:
        """Return the fields that a change of these fields may change at Twilio.

        A change of the variant may change every field of the nested object.
        """
        names = set(changed)
        if self.variant_field in names:
            names.update(field.name for field in self.nested_fields)
        return names

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return names in the order of the fields, unknown ones last."""
        positions, last = self._positions, len(self.fields)
        return sorted(names, key=lambda name: (positions.get(name, last), name))

    def label_of(self, name: str) -> str:
        """Return a field's label, or the name of a field that the resource doesn't have."""
        return self.field(name).label

    def name_of(self, snapshot: Mapping[str, Any]) -> str:
        """Return the name by which people know an object, or ""."""
        return _text_of(snapshot, self.name_field)

    def identity_of(self, snapshot: Mapping[str, Any]) -> str:
        """Return the contact identity of an object, or ""."""
        return _text_of(snapshot, self.identity_field)

    @cached_property
    def _url_pattern(self) -> re.Pattern[str]:
        host = r"https?://[a-z0-9.-]+(?::[0-9]+)?"
        return re.compile(rf"{host}/v[0-9]+/{self.path}/{self.sid_prefix}[0-9a-f]{{32}}")

    @cached_property
    def _wire_names(self) -> Mapping[str, str]:
        return {field.name: wire for wire, field in self.by_wire_name.items()}

    @cached_property
    def _positions(self) -> Mapping[str, int]:
        return {field.name: position for position, field in enumerate(self.fields)}

    @cached_property
    def _nested_prefix(self) -> str:
        return f"{self.nested}_"

    @cached_property
    def _own_names(self) -> frozenset[str]:
        """Names of the fields outside the nested object."""
        return frozenset(field.name for field in self.fields if not field.is_nested)

    @cached_property
    def _default_variant_names(self) -> tuple[str, ...]:
        """Names of the required fields that only the default variant has."""
        return tuple(
            field.name
            for field in self.nested_fields
            if field.is_required(self.default_variant) and field.takes == (self.default_variant,)
        )

    @cached_property
    def _nested_names(self) -> Mapping[str, str]:
        """Names of the nested object's fields by their names within it."""
        prefix = self._nested_prefix
        return {field.name.removeprefix(prefix): field.name for field in self.nested_fields}

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


def _is_unset(value: Any) -> bool:
    return value is None or value == ""


def _has_value(snapshot: Mapping[str, Any], name: str) -> bool:
    return not _is_unset(snapshot.get(name))


def _text_of(snapshot: Mapping[str, Any], name: str) -> str:
    return str(snapshot.get(name) or "")


def _one_line(value: Any) -> str:
    return re.sub(r"[\r\n]", "", to_text(value)).strip()
