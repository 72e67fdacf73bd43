"""`Resource`: a kind of object in Twilio's APIs as data, and what follows from its fields.

A resource says where its endpoints are and which fields it has. The client, the sandbox, the write
protocol, forms, imports and diffs take a `Resource` and read all of that from it. A new resource is
one file under `flex/`, registered once (`register`).

Outside this package an object of a resource is a `Snapshot`: a flat dict by response name. Fields
of a nested object are flat as well, such as `integration_flow_sid` for an integration's `flow_sid`.
Only this package knows Twilio's CamelCase names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Literal

from flows.twilio import values as wire_values
from flows.twilio.sids import is_sid

FieldKind = Literal["text", "sid", "enum", "boolean", "integer", "url", "datetime"]
Snapshot = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a resource.

    `wire` is the name of its request parameter, or None if only Twilio sets the field.
    """

    name: str
    label: str
    help: str
    kind: FieldKind
    wire: str | None = None
    sid_prefix: str = ""
    choices: tuple[str, ...] = ()
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    default: str | int | bool | None = None  # Twilio's value if the parameter is missing
    required_on_create: bool = False
    takes: tuple[str, ...] = ()  # variants with this field; empty for a field of every variant
    requires: tuple[str, ...] = ()  # variants that require it
    pii: bool = False

    @property
    def pattern(self) -> str:
        """The regular expression for `re.fullmatch` of a SID field, "" for other fields."""
        return rf"{self.sid_prefix}[0-9a-fA-F]{{32}}" if self.sid_prefix else ""

    @property
    def is_nested(self) -> bool:
        """True for a field of the nested object, False for one of the resource itself."""
        return bool(self.takes)

    def is_applicable(self, variant: str | None) -> bool:
        """Return True if objects of this variant use the field."""
        return not self.takes or variant in self.takes

    def is_required(self, variant: str | None) -> bool:
        """Return True if Twilio's reference requires the field for this variant."""
        return variant in self.requires

    def parse(self, value: Any) -> Any:
        """Return a value in the form in which values are compared, or `UNREADABLE`."""
        if self.kind == "enum":
            return wire_values.parse_choice(value, self.choices)
        return wire_values.PARSERS[self.kind](value)


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
        has_default_fields = any(
            self.normalize_value(field.name, snapshot.get(field.name)) is not None
            for field in self.nested_fields
            if field.is_required(self.default_variant) and field.takes == (self.default_variant,)
        )
        return self.default_variant if has_default_fields else ""

    def decode(self, body: Mapping[str, Any]) -> Snapshot:
        """Return Twilio's JSON as a snapshot. Unknown fields keep their names."""
        nested = self._parse_nested(body) if self.nested else None
        if nested is None:
            snapshot = dict(body)
        else:
            names, prefix = self._nested_names, self._nested_prefix
            # `or`, because `get` with a default would build it for each field of 10,000 flows.
            snapshot = {names.get(key) or prefix + key: value for key, value in nested.items()}
            # The object's own fields come last, so that an unknown `integration.type` can't replace
            # `integration_type`.
            snapshot.update(body)
        if self.nested and (nested is not None or not body.get(self.nested)):
            snapshot.pop(self.nested, None)
        return snapshot

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
        return {self._wire_names[name]: _to_text(value) for name, value in values.items()}

    def normalize_value(self, name: str, value: Any) -> Any:
        """Return a field's value in the form in which values are compared.

        An unset field is None. A boolean or number that came as text becomes one. An unreadable
        value stays as it is.
        """
        if _is_unset(value):
            return None
        field = self.by_name.get(name)
        parsed = value if field is None else field.parse(value)
        return value if parsed is wire_values.UNREADABLE else parsed

    def is_readable(self, name: str, value: Any) -> bool:
        """Return True if a value fits its field's kind. Unset values and unknown fields do."""
        field = self.by_name.get(name)
        if field is None or _is_unset(value):
            return True
        return field.parse(value) is not wire_values.UNREADABLE

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

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return names in the order of the fields, unknown ones last."""
        positions, last = self._positions, len(self.fields)
        return sorted(names, key=lambda name: (positions.get(name, last), name))

    def label_of(self, name: str) -> str:
        """Return a field's label, or the name of a field that the resource doesn't have."""
        field = self.by_name.get(name)
        return field.label if field else name

    def name_of(self, snapshot: Mapping[str, Any]) -> str:
        """Return the name by which people know an object, or ""."""
        return str(snapshot.get(self.name_field) or "")

    def identity_of(self, snapshot: Mapping[str, Any]) -> str:
        """Return the contact identity of an object, or ""."""
        return str(snapshot.get(self.identity_field) or "")

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
    def _nested_names(self) -> Mapping[str, str]:
        """Names of the nested object's fields by their names within it."""
        prefix = self._nested_prefix
        return {field.name.removeprefix(prefix): field.name for field in self.nested_fields}

    def _parse_nested(self, body: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """Return the nested object, also from JSON text, or None if it can't be read."""
        nested = body.get(self.nested)
        if isinstance(nested, str):
            try:
                nested = json.loads(nested)
            except (ValueError, RecursionError):
                return None
        return nested if isinstance(nested, Mapping) else None


def _is_unset(value: Any) -> bool:
    return value is None or value == ""


def _to_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# The fields of all resources by name, of one of them where several have a field of that name.
KNOWN_FIELDS: Final[dict[str, Field]] = {}
_registered: Final[dict[str, Resource]] = {}


def register(resource: Resource) -> Resource:
    """Make a resource known to the log, to masking and to the resolution of its changes."""
    _registered[resource.name] = resource
    for field in resource.fields:
        KNOWN_FIELDS.setdefault(field.name, field)
    return resource


def unregister(resource: Resource) -> None:
    """Forget a resource again, such as one that a test made up."""
    del _registered[resource.name]
    KNOWN_FIELDS.clear()
    for other in _registered.values():
        register(other)


def registered_resources() -> list[Resource]:
    return list(_registered.values())


def resource_of_action(action: str) -> Resource | None:
    """Return the resource that an action of the log is about, or None."""
    return _registered.get(action.partition(".")[0])
