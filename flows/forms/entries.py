"""Flows to import, each checked by the same form as if somebody had typed it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flows import words
from flows.cells import cell, unescaped
from flows.flexapi import schema
from flows.flexapi.schema import Snapshot
from flows.forms.flow import FlowForm
from flows.forms.import_table import typed
from flows.forms.import_text import Item, item_of
from flows.masking import masked_field, storable

_WRITABLE: Final = frozenset(entry.name for entry in schema.WRITABLE)


@dataclass(frozen=True, slots=True)
class Given:
    """One flow of the import: the fields that it gives, as they would be sent, or why it can't be had so."""

    sid: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    account_sid: str = ""
    origin: str = ""


def read_entries(entries: Sequence[Any], known: Mapping[str, Snapshot]) -> list[Given]:
    """Each entry of a JSON list, checked. `known` are the flows (secrets masked) by SID that they may change."""
    return read_items([item_of(entry, f"Entry {place:,}") for place, entry in enumerate(entries, 1)], known)


def read_items(items: Sequence[Item], known: Mapping[str, Snapshot]) -> list[Given]:
    """Each flow of an import, checked."""
    return [_read(item, known.get(sid_of(item))) for item in items]


def sid_of(item: Item) -> str:
    """The SID of the flow that an item changes, or nothing."""
    sid = item.fields.get("sid")
    sid = sid.strip() if isinstance(sid, str) else ""
    return sid if schema.is_sid("FO", sid) else ""


def _read(item: Item, flow: Snapshot | None) -> Given:
    sid, error = sid_of(item), item.error or _bad_identity(item) or _unknown(item, flow)
    name = item.fields.get("friendly_name")
    known = {"friendly_name": storable(name)[:256]} if isinstance(name, str) else {}
    if error:
        return Given(sid, known, error, origin=item.origin)
    account_sid = str(item.fields.get("account_sid") or "").strip()
    if sid and flow is None:  # it has not been synced, which the plan says
        return Given(sid, known, account_sid=account_sid, origin=item.origin)
    values = _values_of(item, flow)
    given, error = _checked(values, flow) if values or flow is None else ({}, "")
    return Given(sid, known if error else given, error, account_sid, item.origin)


def _bad_identity(item: Item) -> str:
    """What is wrong with the SIDs that say which flow it is, and where."""
    sid, account_sid = item.fields.get("sid"), item.fields.get("account_sid")
    if sid not in (None, "") and not sid_of(item):
        return f"“{str(sid)[:40]}” is not a Flex Flow SID (FO…)."
    if account_sid not in (None, "") and not schema.is_sid("AC", str(account_sid).strip()):
        return f"“{str(account_sid)[:40]}” is not an account SID (AC…)."
    return ""


def _unknown(item: Item, flow: Snapshot | None) -> str:
    """A field that nobody knows. What Twilio itself has sent of the flow may come back."""
    sent = set(flow or {})
    for name in item.fields:
        if name not in schema.BY_NAME and name.replace("integration.", "integration_") not in sent:
            return f"Unknown field “{name[:40]}”."
    return ""


def _values_of(item: Item, flow: Snapshot | None) -> dict[str, Any]:
    """The fields that can be written, without those that are as the flow has them: of a whole file, these are most.
    An empty cell says nothing, nor does one as an export has it."""
    had = flow or {}
    values = {name: value for name, value in item.fields.items() if name in _WRITABLE}
    if item.is_table:
        told = {name: text for name, text in values.items() if text.strip() and text != cell(had.get(name))}
        return {name: typed(name, unescaped(text)) for name, text in told.items()}
    read = {name: _in_json(name, value) for name, value in values.items()}
    return {
        name: value
        for name, value in read.items()
        if flow is None or not schema.same(name, had.get(name), value)
    }


def _in_json(name: str, value: Any) -> Any:
    """A yes or no that came as text is one; so is a choice in another case."""
    return (
        typed(name, value)
        if isinstance(value, str) and schema.BY_NAME[name].kind in ("boolean", "enum")
        else value
    )


def _checked(values: Mapping[str, Any], flow: Snapshot | None) -> tuple[dict[str, Any], str]:
    """The values as they would be sent, or what is wrong with them."""
    form = FlowForm(_typed(values, flow), base=flow)
    if not form.is_valid():
        return {}, " ".join(message for _, message in form.error_list)
    given = {name: form.values[name] for name in values if name in form.values}
    for name, value in given.items():
        if masked_field(name, storable(value)) != storable(value):
            return (
                {},
                f"{words.label(name)} contains a secret. To change a secret, edit the flow.",
            )
    for name, value in values.items():
        if name not in given and value not in (None, ""):
            return {}, f"{words.label(name)} doesn't apply to this integration type."
    return given, ""


def _typed(values: Mapping[str, Any], flow: Snapshot | None) -> dict[str, str]:
    """The values as a form sends them. What an entry leaves out stays as the flow has it."""
    had = {name: (flow or {}).get(name) for name in _WRITABLE}
    return {"change_id": str(uuid.uuid4())} | {
        name: _text(value) for name, value in {**had, **values}.items()
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
