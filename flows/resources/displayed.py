"""Objects of the Flex API as pages show them: without secrets, and flows with their names."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from flows.audit.object_links import object_url
from flows.core.normalization import normalize_text
from flows.names.named_sids import NamedSid
from flows.redaction.masking import replace_unstorable
from flows.redaction.redacted import Redacted, redact_snapshot
from flows.resources import links
from flows.resources.names import find_resource, load_names
from flows.twilio import labels
from flows.twilio.fields import Field
from flows.twilio.resource import Resource, Snapshot
from flows.twilio.values import parse_datetime

# Fields that each page has elsewhere, or that say nothing to a user.
_OWN_FIELDS: Final = frozenset({"account_sid", "url"})
_UNKNOWN_FIELDS_WITHOUT_INTEREST: Final = frozenset({"links"})


@dataclass(frozen=True, slots=True)
class Cell:
    """A field of an object with its value, and the page and name of the object it points to."""

    field: Field
    value: Any
    url: str = ""
    name: str = ""

    @property
    def items(self) -> list[NamedSid]:
        """The SIDs in a field that has a list of them."""
        items = self.value if isinstance(self.value, list) else []
        return [item for item in items if isinstance(item, NamedSid)]

    @property
    def json_text(self) -> str:
        """The JSON of a field with an object or a list that isn't empty, laid out on lines."""
        if self.items or not self.value or not isinstance(self.value, dict | list):
            return ""
        return json.dumps(self.value, ensure_ascii=False, indent=2)

    @property
    def moment(self) -> datetime | None:
        """The time in the field, or None if it has none."""
        return parse_datetime(self.value) if self.field.kind == "datetime" else None

    @property
    def text(self) -> str:
        """The text that a search within the page looks at."""
        item_names = [item.name for item in self.items]
        return normalize_text(f"{self.name} {labels.value_to_text(self.value)} {item_names}")


@dataclass(frozen=True, slots=True)
class Row:
    """An object in a list. `title` is its name, or "" if its answers have none."""

    sid: str
    title: str
    url: str
    cells: list[Cell]

    def matches(self, words: Sequence[str]) -> bool:
        """Return True if the row has all these words, which are normalized."""
        own_text = normalize_text(f"{self.sid} {self.title}")
        texts = [own_text, *(cell.text for cell in self.cells)]
        return all(any(word in text for text in texts) for word in words)


def build_rows(resource: Resource, account_sid: str, snapshots: Iterable[Snapshot]) -> list[Row]:
    """Return the rows of a list, each with the columns of the resource."""
    objects = [redact_snapshot(snapshot) for snapshot in snapshots]
    names_by_sid = load_names(resource, account_sid, objects)
    names = [name for name in resource.list_columns if name != resource.name_field]
    return [
        Row(
            sid=one["sid"],
            title=resource.name_of(one),
            url=_row_url(resource, one, account_sid),
            cells=[
                build_cell(resource, account_sid, name, one.get(name), names_by_sid)
                for name in names
            ],
        )
        for one in objects
    ]


def _row_url(resource: Resource, snapshot: Mapping[str, Any], account_sid: str) -> str:
    """Return the address of an object's page, or of the list of the objects that use it, or ""."""
    sid = snapshot["sid"]
    if resource.used_in is not None:
        return links.list_url(resource.used_in, account_sid, q=sid)
    parent_sid = resource.parent_sid_of(snapshot)
    return object_url(resource, sid, account_sid, parent_sid=parent_sid)


def build_cells(resource: Resource, account_sid: str, snapshot: Redacted) -> list[Cell]:
    """Return the fields of an object that Twilio's answers have, in their order.

    Empty fields that its variant doesn't have are omitted.
    """
    names = load_names(resource, account_sid, [snapshot])
    variant = resource.variant_of(snapshot)
    return [
        build_cell(resource, account_sid, field.name, snapshot.get(field.name), names)
        for field in resource.fields
        if field.is_returned and field.name not in _OWN_FIELDS
        if field.is_applicable(variant) or snapshot.get(field.name)
    ]


def unknown_fields(resource: Resource, snapshot: Redacted) -> list[tuple[str, Any]]:
    """Return the fields that the resource doesn't describe, with their values."""
    return [
        (name, value)
        for name, value in snapshot.items()
        if name not in resource.by_name and name not in _UNKNOWN_FIELDS_WITHOUT_INTEREST
    ]


def build_cell(
    resource: Resource, account_sid: str, name: str, value: Any, names: Mapping[str, str]
) -> Cell:
    """Return a field with its value as pages show it. `names` are those of objects by SID."""
    display_value = labels.display_value(resource, name, replace_unstorable(value))
    if resource.field(name).kind == "sids" and isinstance(display_value, list):
        display_value = [NamedSid(sid, names.get(sid, "")) for sid in map(str, display_value)]
    if not isinstance(display_value, str) or name == "sid":
        return Cell(resource.field(name), display_value)
    other = find_resource(display_value)
    url = object_url(other, display_value, account_sid) if other else ""
    if not url and display_value in names:
        display_value = NamedSid(display_value, names[display_value])
    return Cell(resource.field(name), display_value, url, names.get(display_value, ""))
