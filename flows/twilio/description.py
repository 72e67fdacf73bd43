"""`ResourceDescription`: where a kind of object is in Twilio's APIs, and which fields it has.

`flows.twilio.resource` adds what follows from the fields of an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from typing import Any, Final

from flows.twilio.api_styles import CURRENT_API, ApiStyle
from flows.twilio.fields import Field, FieldKind
from flows.twilio.sids import is_sid

FLEX_PRODUCT: Final = "flex-api"
PRODUCT_PLACEHOLDER: Final = "{product}"  # in the address of Twilio's APIs
READ_OPERATIONS: Final = frozenset({"list", "fetch"})
ALL_OPERATIONS: Final = READ_OPERATIONS | {"create", "update", "delete"}


@dataclass(frozen=True, kw_only=True, eq=False)
class ResourceDescription:
    """The names, the endpoints and the fields of a resource.

    `name` is the prefix of its actions in the audit log ("flow" for `flow.create`). `title` and
    `plural` name it in messages.

    `product` is the name of its Twilio product, as the product's host has it. `path` and `list_key`
    are its collection's path and key in a page. In a path, `{account_sid}` stands for the account.
    A resource below a `parent` has one collection in each of the parent's objects.
    `list_parameters` are part of every request for a list. If `keeps_unknown_fields` is False,
    fields that are not described here are dropped as soon as they are read.

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
    product: str = FLEX_PRODUCT
    version: str = "v1"
    api_style: ApiStyle = CURRENT_API
    parent: ResourceDescription | None = None
    max_page_size: int = 1000
    list_parameters: Mapping[str, str] = dataclass_field(default_factory=dict)
    operations: frozenset[str] = ALL_OPERATIONS
    keeps_unknown_fields: bool = True
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
    def wire_names(self) -> Mapping[str, str]:
        """The names of request parameters by the names of their fields."""
        return {field.name: wire for wire, field in self.by_wire_name.items()}

    @cached_property
    def writable_fields(self) -> tuple[Field, ...]:
        return tuple(self.by_wire_name.values())

    @cached_property
    def writable_names(self) -> tuple[str, ...]:
        return tuple(self.wire_names)

    @cached_property
    def nested_fields(self) -> tuple[Field, ...]:
        """The fields of the nested object."""
        return tuple(field for field in self.fields if field.is_nested)

    @cached_property
    def names_set_by_twilio(self) -> frozenset[str]:
        """Names of fields that no request can set.

        Twilio's dates are in whole seconds, so equal dates prove nothing.
        """
        return frozenset(self.by_name.keys() - self.wire_names.keys())

    @cached_property
    def searchable_names(self) -> tuple[str, ...]:
        """Names of the fields that the log finds an object by: name, identity, SIDs and URLs."""
        named = (self.name_field, self.identity_field)
        names = [name for name in named if name in self.by_name]
        return (*names, *self._names_of_kind("sid"), *self._names_of_kind("url"))

    def nested_fields_of(self, variant: str | None) -> list[Field]:
        """Return the fields of the nested object in objects of this variant."""
        return [field for field in self.nested_fields if field.is_applicable(variant)]

    def field(self, name: str) -> Field:
        """Return the field of this name, or one of an unknown kind if the resource has none."""
        return self.by_name.get(name) or Field(name=name, label=name, help="", kind="unknown")

    def label_of(self, name: str) -> str:
        """Return a field's label, or the name of a field that the resource doesn't have."""
        return self.field(name).label

    def is_writable(self, name: str) -> bool:
        """Return True for a field that a request can set."""
        return name in self.wire_names

    def in_order(self, names: Iterable[str]) -> list[str]:
        """Return names in the order of the fields, unknown ones last."""
        positions, last = self._positions, len(self.fields)
        return sorted(names, key=lambda name: (positions.get(name, last), name))

    def dependent_names(self, changed: Iterable[str]) -> set[str]:
        """Return the fields that a change of these fields may change at Twilio.

        A change of the variant may change every field of the nested object.
        """
        names = set(changed)
        if self.variant_field in names:
            names.update(self._nested_names.values())
        return names

    def action(self, operation: str) -> str:
        """Return the log's action for create, update or delete."""
        return f"{self.name}.{operation}"

    def is_sid(self, value: object) -> bool:
        """Return True for a SID of this resource."""
        return is_sid(self.sid_prefix, value)

    def base_url(self, api_url: str) -> str:
        """Return the base URL of the resource's API.

        In `api_url`, such as `https://{product}.twilio.com`, `{product}` stands for the product.
        """
        return f"{api_url.replace(PRODUCT_PLACEHOLDER, self.product)}/{self.version}"

    def collection_path(self, *, account_sid: str, parent_sid: str = "") -> str:
        """Return the path of a collection below the base URL, without the suffix of addresses.

        Raises ValueError unless `parent_sid` is the SID of an object of the parent, or "" for a
        resource without one.
        """
        path = self.path.replace("{account_sid}", account_sid)
        if self.parent is None and not parent_sid:
            return path
        if self.parent is None or not self.parent.is_sid(parent_sid):
            raise ValueError(f"not the SID of an object that has {self.plural}")
        return f"{self.parent.collection_path(account_sid=account_sid)}/{parent_sid}/{path}"

    @cached_property
    def path_length(self) -> int:
        """The number of segments in the path of a collection."""
        length = self.path.count("/") + 1
        return length if self.parent is None else self.parent.path_length + 1 + length

    def is_url(self, text: str) -> bool:
        """Return True for the URL of an object in Twilio's API."""
        return self._url_pattern.fullmatch(text) is not None

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
    def _positions(self) -> Mapping[str, int]:
        return {field.name: position for position, field in enumerate(self.fields)}

    @cached_property
    def _nested_prefix(self) -> str:
        return f"{self.nested}_"

    @cached_property
    def _nested_names(self) -> Mapping[str, str]:
        """Names of the nested object's fields by their names within it."""
        prefix = self._nested_prefix
        return {field.name.removeprefix(prefix): field.name for field in self.nested_fields}

    @cached_property
    def _own_names(self) -> frozenset[str]:
        """Names of the fields outside the nested object."""
        return frozenset(self.by_name.keys() - self._nested_names.values())

    @cached_property
    def _default_variant_names(self) -> tuple[str, ...]:
        """Names of the required fields that only the default variant has."""
        variant = self.default_variant
        own_fields = [field for field in self.nested_fields if field.takes == (variant,)]
        return tuple(field.name for field in own_fields if field.is_required(variant))

    def _names_of_kind(self, kind: FieldKind) -> list[str]:
        return [field.name for field in self.fields if field.kind == kind]


def _text_of(snapshot: Mapping[str, Any], name: str) -> str:
    return str(snapshot.get(name) or "")
