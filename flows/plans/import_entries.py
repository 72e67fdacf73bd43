"""Flows to import, each checked by the same form as if somebody had typed it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from flows.core.csv_cells import from_csv_cell, to_csv_cell
from flows.flex_flows.forms import FlowForm
from flows.plans.import_table import parse_cell
from flows.plans.import_text import ImportItem, parse_item
from flows.redaction.masking import redact_field, replace_unstorable
from flows.twilio import labels
from flows.twilio.flex import flex_flow
from flows.twilio.flex.flex_flow import Snapshot

_WRITABLE_NAMES: Final = frozenset(entry.name for entry in flex_flow.WRITABLE_FIELDS)


@dataclass(frozen=True, slots=True)
class CheckedEntry:
    """One flow of the import: the fields that it gives, as they would be sent, or why it can't be had so."""

    sid: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    account_sid: str = ""
    origin: str = ""


def check_entries(entries: Sequence[Any], known: Mapping[str, Snapshot]) -> list[CheckedEntry]:
    """Each entry of a JSON list, checked. `known` are the flows (secrets masked) by SID that they may change."""
    return check_items(
        [parse_item(entry, f"Entry {place:,}") for place, entry in enumerate(entries, 1)], known
    )


def check_items(items: Sequence[ImportItem], known: Mapping[str, Snapshot]) -> list[CheckedEntry]:
    """Each flow of an import, checked."""
    return [_check_item(item, known.get(item_sid(item))) for item in items]


def item_sid(item: ImportItem) -> str:
    """The SID of the flow that an item changes, or nothing."""
    sid = item.fields.get("sid")
    sid = sid.strip() if isinstance(sid, str) else ""
    return sid if flex_flow.is_sid("FO", sid) else ""


def _check_item(item: ImportItem, flow: Snapshot | None) -> CheckedEntry:
    sid, error = (
        item_sid(item),
        item.error or _identity_error(item) or _unknown_field_error(item, flow),
    )
    name = item.fields.get("friendly_name")
    known = {"friendly_name": replace_unstorable(name)[:256]} if isinstance(name, str) else {}
    if error:
        return CheckedEntry(sid, known, error, origin=item.origin)
    account_sid = str(item.fields.get("account_sid") or "").strip()
    if sid and flow is None:  # it has not been synced, which the plan says
        return CheckedEntry(sid, known, account_sid=account_sid, origin=item.origin)
    values = _changed_values(item, flow)
    given, error = _validate_values(values, flow) if values or flow is None else ({}, "")
    return CheckedEntry(sid, known if error else given, error, account_sid, item.origin)


def _identity_error(item: ImportItem) -> str:
    """What is wrong with the SIDs that say which flow it is, and where."""
    sid, account_sid = item.fields.get("sid"), item.fields.get("account_sid")
    if sid not in (None, "") and not item_sid(item):
        return f"“{str(sid)[:40]}” is not a Flex Flow SID (FO…)."
    if account_sid not in (None, "") and not flex_flow.is_sid("AC", str(account_sid).strip()):
        return f"“{str(account_sid)[:40]}” is not an account SID (AC…)."
    return ""


def _unknown_field_error(item: ImportItem, flow: Snapshot | None) -> str:
    """A field that nobody knows. What Twilio itself has sent of the flow may come back."""
    sent = set(flow or {})
    for name in item.fields:
        if (
            name not in flex_flow.FIELDS_BY_NAME
            and name.replace("integration.", "integration_") not in sent
        ):
            return f"Unknown field “{name[:40]}”."
    return ""


def _changed_values(item: ImportItem, flow: Snapshot | None) -> dict[str, Any]:
    """The fields that can be written, without those that are as the flow has them: of a whole file, these are most.
    An empty cell says nothing, nor does one as an export has it."""
    had = flow or {}
    values = {name: value for name, value in item.fields.items() if name in _WRITABLE_NAMES}
    if item.is_table:
        told = {
            name: text
            for name, text in values.items()
            if text.strip() and text != to_csv_cell(had.get(name))
        }
        return {name: parse_cell(name, from_csv_cell(text)) for name, text in told.items()}
    read = {name: _parse_json_value(name, value) for name, value in values.items()}
    return {
        name: value
        for name, value in read.items()
        if flow is None or not flex_flow.is_same_value(name, had.get(name), value)
    }


def _parse_json_value(name: str, value: Any) -> Any:
    """A yes or no that came as text is one; so is a choice in another case."""
    return (
        parse_cell(name, value)
        if isinstance(value, str) and flex_flow.FIELDS_BY_NAME[name].kind in ("boolean", "enum")
        else value
    )


def _validate_values(
    values: Mapping[str, Any], flow: Snapshot | None
) -> tuple[dict[str, Any], str]:
    """The values as they would be sent, or what is wrong with them."""
    form = FlowForm(_form_data(values, flow), base=flow)
    if not form.is_valid():
        return {}, " ".join(message for _, message in form.error_list)
    given = {name: form.values[name] for name in values if name in form.values}
    for name, value in given.items():
        if redact_field(name, replace_unstorable(value)) != replace_unstorable(value):
            return (
                {},
                f"{labels.field_label(name)} contains a secret. To change a secret, edit the flow.",
            )
    for name, value in values.items():
        if name not in given and value not in (None, ""):
            return {}, f"{labels.field_label(name)} doesn't apply to this integration type."
    return given, ""


def _form_data(values: Mapping[str, Any], flow: Snapshot | None) -> dict[str, str]:
    """The values as a form sends them. What an entry leaves out stays as the flow has it."""
    had = {name: (flow or {}).get(name) for name in _WRITABLE_NAMES}
    return {"change_id": str(uuid.uuid4())} | {
        name: _form_text(value) for name, value in {**had, **values}.items()
    }


def _form_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
