"""`Field`: a field of a Twilio resource, with its names, limits and choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flows.twilio import values as wire_values
from flows.twilio.cleaning import clean_value

FieldKind = Literal[
    "text",
    "sid",
    "sids",
    "enum",
    "choices",
    "boolean",
    "integer",
    "url",
    "json",
    "json_list",
    "datetime",
    "unknown",
]
Operation = Literal["create", "update"]


@dataclass(frozen=True, slots=True)
class JsonPart:
    """A value within a JSON object that a form has an input of its own for.

    `path` has the keys of objects and the positions in lists that lead to it.
    """

    path: tuple[str | int, ...]
    field: Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of a resource.

    `wire` is the name of its request parameter, or None if only Twilio sets the field. `set_by` are
    the operations that take it. Twilio's answers lack a field that is not `is_returned`, so that
    reading can't tell its value. For one that `is_rewritten`, they have another value than the one
    that was sent.

    The value of a field of the kind "sids" is a list of SIDs, sent as a repeated parameter. In
    Twilio's JSON it can be a list of objects, which have their SID as `item_key`. The value of a
    "json" field is a JSON object as text, that of a "json_list" field a JSON list of objects, which
    is sent as a repeated parameter. The value of a "choices" field is a list of its choices, sent as
    a repeated parameter. Their order has no meaning.

    `takes` are the variants that have a field of the nested object. With `is_of_every_variant`, it is
    a field of that object that all of them have.
    """

    name: str
    label: str
    help: str
    kind: FieldKind
    wire: str | None = None
    set_by: tuple[Operation, ...] = ("create", "update")
    is_returned: bool = True
    is_rewritten: bool = False
    is_sent_with_each_update: bool = False  # Twilio requires it, changed or not
    item_key: str = ""
    sid_prefix: str = ""
    # The values that it may have, with their labels. A boolean without them has Yes and No.
    choices: Mapping[str, str] = field(default_factory=dict, hash=False)
    settable_choices: tuple[str, ...] = ()  # those that a request can set, if not all
    parts: tuple[JsonPart, ...] = field(default=(), hash=False)
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    default: str | int | bool | None = None  # Twilio's value if the parameter is missing
    required_on_create: bool = False
    takes: tuple[str, ...] = ()  # variants with this field; empty for a field of every variant
    is_of_every_variant: bool = False  # of the nested object
    requires: tuple[str, ...] = ()  # variants that require it
    pii: bool = False
    is_free_text: bool = False  # invisible characters can have a meaning, as in a name

    @property
    def pattern(self) -> str:
        """The regular expression for `re.fullmatch` of a SID field, "" for other fields."""
        return rf"{self.sid_prefix}[0-9a-fA-F]{{32}}" if self.sid_prefix else ""

    @property
    def is_nested(self) -> bool:
        """True for a field of the nested object, False for one of the resource itself."""
        return self.is_of_every_variant or bool(self.takes)

    def is_set_by(self, operation: Operation) -> bool:
        """Return True if requests of this operation take the field."""
        return self.wire is not None and operation in self.set_by

    @property
    def is_clearable(self) -> bool:
        """False for a field of every variant that can be changed, but not cleared."""
        return bool(self.takes) or self.kind not in ("enum", "boolean")

    @property
    def has_parsed_kind(self) -> bool:
        """True for a field whose value can come as text that stands for it."""
        return self.kind in ("enum", "boolean", "integer")

    def is_too_long(self, text: str) -> bool:
        return self.max_length is not None and len(text) > self.max_length

    def is_too_small(self, number: int) -> bool:
        return self.minimum is not None and number < self.minimum

    def is_too_large(self, number: int) -> bool:
        return self.maximum is not None and number > self.maximum

    def is_applicable(self, variant: str | None) -> bool:
        """Return True if objects of this variant use the field."""
        return not self.takes or variant in self.takes

    def is_required(self, variant: str | None) -> bool:
        """Return True if Twilio's reference requires the field for this variant."""
        return variant in self.requires

    def is_required_to_create(self, variant: str | None) -> bool:
        """Return True if a new object of this variant needs a value of the field."""
        return self.required_on_create or self.is_required(variant)

    def parse(self, value: Any) -> Any:
        """Return a value in the form in which values are compared, or `UNREADABLE`."""
        if self.kind == "enum":
            return wire_values.parse_choice(value, self.choices)
        if self.kind == "choices":
            return wire_values.parse_choices(value, self.choices)
        return wire_values.PARSERS[self.kind](value)

    def clean(self, value: Any, *, required: bool = False) -> Any:
        """Return a typed value for Twilio, or raise `InvalidValue`."""
        return clean_value(self, value, required=required)
