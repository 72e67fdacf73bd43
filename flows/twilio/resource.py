"""The description of a field of a Twilio resource."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FieldKind = Literal["text", "sid", "enum", "boolean", "integer", "url", "datetime"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the resource.

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
    takes: tuple[str, ...] = ()  # integration types with this field; empty outside the integration
    requires: tuple[str, ...] = ()  # integration types that require it
    pii: bool = False

    @property
    def pattern(self) -> str:
        """The regular expression for `re.fullmatch` of a SID field, "" for other fields."""
        return rf"{self.sid_prefix}[0-9a-fA-F]{{32}}" if self.sid_prefix else ""

    @property
    def of_integration(self) -> bool:
        """True for a field of the integration, False for one of the flow itself."""
        return bool(self.takes)
