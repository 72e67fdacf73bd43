"""`ResourceDescription`: where a kind of object is in Twilio's APIs, and which fields it has.

`flows.twilio.resource` adds what follows from the fields of an object.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import cached_property
from typing import Any, Final, NamedTuple

from flows.twilio.api_styles import CURRENT_API, ApiStyle
from flows.twilio.fields import Field, FieldKind, Operation
from flows.twilio.sids import is_sid

FLEX_PRODUCT: Final = "flex-api"
PLUGIN_HEADER: Final = "Flex-Metadata"  # of requests to the plugin service
INSIGHTS_HEADER: Final = "Authorization"  # of requests to Flex Insights, in place of HTTP Basic
PRODUCT_PLACEHOLDER: Final = "{product}"  # in the address of Twilio's APIs
READ_OPERATIONS: Final = frozenset({"list", "fetch"})
ALL_OPERATIONS: Final = READ_OPERATIONS | {"create", "update", "delete"}
# The operations that change something. "archive" marks an object as archived, for ever.
WRITE_OPERATIONS: Final = ("create", "update", "archive", "delete")


class OperationLabel(NamedTuple):
    """The names of an operation on an object: on a button, and in events of the log."""

    button: str
    infinitive: str
    past: str


@dataclass(frozen=True, kw_only=True, eq=False)
class ResourceDescription:
    """The names, the endpoints and the fields of a resource.

    `name` is the prefix of its actions in the audit log ("flow" for `flow.create`). `title` and
    `plural` name it in messages.

    `product` is the name of its Twilio product, as the product's host has it. `path` and `list_key`
    are its collection's path and key in a page. In a path, `{account_sid}` stands for the account.
    A resource below a `parent` has one collection in each of the parent's objects, and its objects
    have the parent's SID in their `parent_field`.
    `list_parameters` are part of every request for a list, and so are `list_options`, which Twilio
    doesn't require. `list_filters` are the parameters that limit a list to objects with one value of
    a field, with the names of the fields. If `keeps_unknown_fields` is False,
    fields that are not described here are dropped as soon as they are read.

    A resource can have variants: `variant_field` names the field that chooses one, and `nested` the
    object that holds the fields of the variants (`takes`). `default_variant` is Twilio's choice.

    `name_field` and `identity_field` say what the log finds an object by. Of the enabled objects,
    only one can have the same values of `unique_while_enabled`. No two objects have the same value of
    the `key_field`, and Twilio takes it in place of the SID. `enabled_field` says whether an object
    is on, in place of a status. `sid_field` is the name of an
    object's SID in Twilio's JSON; a snapshot has it as `sid`.

    `summary`, `list_columns`, `operation_labels` and `deletion_effect` are for the resource's pages:
    what the objects are, the fields in their list, how an operation is called where it isn't the
    usual word, and what deleting or archiving one does. `used_in` is the resource whose objects
    list this one's. `sections` group the fields under headings. If it `is_for_administrators`, only
    they may change it. `permission_owner` names the resource whose permissions hold for it, if that
    is neither itself nor its parent. `optional_header` is a header of its requests that an account
    may set.

    There is only one object of a singleton in an account, with the SID of the account, also if
    Twilio's answer has none (`has_sid` is False). With
    `has_json_body`, changes are sent as a JSON object, which repeats the object's SID.

    `pending_state` is a field and its value while Twilio still works on an object, `final_states` a
    field and its values after which an object can't be changed. `created_status` is the HTTP status
    that answers a creation.

    A lost creation is looked for by the key, if the resource has one, and in the list. If `match_proves_creation` is False, an object that
    matches doesn't prove it, because others create such objects too or Twilio doesn't date them.
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
    parent_field: str = ""
    max_page_size: int = 1000
    list_parameters: Mapping[str, str] = dataclass_field(default_factory=dict)
    list_options: Mapping[str, str] = dataclass_field(default_factory=dict)
    list_filters: Mapping[str, str] = dataclass_field(default_factory=dict)
    operations: frozenset[str] = ALL_OPERATIONS
    keeps_unknown_fields: bool = True
    nested: str = ""
    variant_field: str = ""
    default_variant: str = ""
    name_field: str = "friendly_name"
    identity_field: str = ""
    key_field: str = ""
    enabled_field: str = ""
    sid_field: str = "sid"
    match_proves_creation: bool = True
    summary: str = ""
    list_columns: tuple[str, ...] = ()
    operation_labels: Mapping[str, OperationLabel] = dataclass_field(default_factory=dict)
    deletion_effect: str = ""
    used_in: ResourceDescription | None = None
    optional_header: str = ""
    is_for_administrators: bool = False
    permission_owner: str = ""
    is_singleton: bool = False
    has_sid: bool = True
    sections: tuple[tuple[str, tuple[str, ...]], ...] = ()
    has_json_body: bool = False
    created_status: int = 201
    pending_state: tuple[str, str] | None = None
    final_states: tuple[str, tuple[str, ...]] | None = None
    unique_while_enabled: tuple[str, ...] = ()
    is_mirrored: bool = False  # this site keeps a copy, compares it and records drift

    @property
    def noun(self) -> str:
        """The word for an object within a sentence, such as "web channel"."""
        return self.name.replace("_", " ")

    @property
    def noun_with_article(self) -> str:
        """The word for an object with its article, such as "a web channel"."""
        return f"{'an' if self.noun[0] in 'aeiou' else 'a'} {self.noun}"

    @property
    def noun_plural(self) -> str:
        """The word for objects within a sentence, such as "web channels"."""
        return f"{self.noun[:-1]}ies" if self.noun.endswith("y") else f"{self.noun}s"

    @property
    def filter_field(self) -> Field | None:
        """The field whose values can limit a list on a page, or None."""
        return next((self.field(name) for name in self.list_filters.values()), None)

    @property
    def index_name(self) -> str:
        """The name of the address of its list, or of its only object."""
        return self.name if self.is_singleton else f"{self.name}-list"

    @property
    def list_query(self) -> dict[str, str]:
        """The parameters of every request for a list."""
        return {**self.list_parameters, **self.list_options}

    @property
    def slug(self) -> str:
        """The name of the resource in addresses of this site, such as "web-channels"."""
        return self.plural.lower().replace(" ", "-")

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

    def fields_set_by(self, operation: Operation) -> tuple[Field, ...]:
        """Return the fields that requests of this operation take."""
        return tuple(field for field in self.fields if field.is_set_by(operation))

    @cached_property
    def unreturned_names(self) -> frozenset[str]:
        """Names of the fields of which Twilio's answers don't have what was sent."""
        return frozenset(
            field.name for field in self.fields if field.is_rewritten or not field.is_returned
        )

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

    def requested_sid(self, values: Mapping[str, Any]) -> str:
        """Return the SID that a creation with these values asks for, or "" if Twilio chooses it."""
        return _text_of(values, "sid") if self.is_writable("sid") else ""

    def is_pending(self, snapshot: Mapping[str, Any]) -> bool:
        """Return True if Twilio still works on an object, so that it will change by itself."""
        if self.pending_state is None:
            return False
        name, value = self.pending_state
        return bool(snapshot.get(name) == value)

    def is_final(self, snapshot: Mapping[str, Any]) -> bool:
        """Return True if an object can't be changed any longer."""
        if self.final_states is None:
            return False
        name, values = self.final_states
        return snapshot.get(name) in values

    def key_of(self, snapshot: Mapping[str, Any]) -> str:
        """Return the text that Twilio takes in place of an object's SID, or ""."""
        return _text_of(snapshot, self.key_field)

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

    def parent_sid_of(self, snapshot: Mapping[str, Any]) -> str:
        """Return the SID of the object that this one belongs to, or "" if it has no parent."""
        sid = _text_of(snapshot, self.parent_field) if self.parent else ""
        return sid if self.parent and self.parent.is_sid(sid) else ""

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
