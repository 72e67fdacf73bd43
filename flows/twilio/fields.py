"""`Field`: a field of a Twilio resource, with its names, limits and choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from flows.twilio import values as wire_values
from flows.twilio.cleaning import clean_value

FieldKind = Literal["text", "sid", "enum", "boolean", "integer", "url", "datetime", "unknown"]


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
    # The values that it may have, with their labels. A boolean without them has Yes and No.
    choices: Mapping[str, str] = field(default_factory=dict, hash=False)
    max_length: int | None = None
    minimum: int | None = None
    maximum: int | None = None
    default: str | int | bool | None = None  # Twilio's value if the parameter is missing
    required_on_create: bool = False
    takes: tuple[str, ...] = ()  # variants with this field; empty for a field of every variant
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
        return bool(self.takes)

    @property
    def is_clearable(self) -> bool:
        """False for a field of the resource itself that can be changed, but not cleared."""
        return self.is_nested or self.kind not in ("enum", "boolean")

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
        return wire_values.PARSERS[self.kind](value)

    def clean(self, value: Any, *, required: bool = False) -> Any:
        """Return a typed value for Twilio, or raise `InvalidValue`."""
        return clean_value(self, value, required=required)
