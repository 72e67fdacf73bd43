"""Validation of the flows in an import, by the same rules as the flow's own page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from flows.changes.cleaning import clean
from flows.checks.contact_identity import to_identity
from flows.core.csv_cells import from_csv_cell, to_csv_cell
from flows.plans.import_draft import ImportEntry
from flows.plans.import_table import parse_cell
from flows.plans.import_text import ImportItem, parse_item
from flows.redaction.masking import redact_field, replace_unstorable
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot
from flows.twilio.sids import is_sid

_WRITABLE_NAMES: Final = frozenset(entry.name for entry in FLEX_FLOW.writable_fields)


def check_entries(entries: Sequence[Any], flows: Mapping[str, Snapshot]) -> list[ImportEntry]:
    """Validate the entries of a JSON list. See `check_items` for `flows`."""
    items = [parse_item(entry, f"Entry {number:,}") for number, entry in enumerate(entries, 1)]
    return check_items(items, flows)


def check_items(items: Sequence[ImportItem], flows: Mapping[str, Snapshot]) -> list[ImportEntry]:
    """Validate the items of an import, one entry each.

    `flows` are the flows that the import may change, by SID, with their secrets masked.
    """
    return [_check_item(item, flows.get(item_sid(item))) for item in items]


def item_sid(item: ImportItem) -> str:
    """Return the SID of the flow that an item changes, or "" if it has no valid one."""
    sid = item.fields.get("sid")
    sid = sid.strip() if isinstance(sid, str) else ""
    return sid if FLEX_FLOW.is_sid(sid) else ""


def _check_item(item: ImportItem, flow: Snapshot | None) -> ImportEntry:
    sid = item_sid(item)
    # An entry that can't be applied keeps its name, so that the draft can show it.
    name = item.fields.get("friendly_name")
    name_only = {"friendly_name": replace_unstorable(name)[:256]} if isinstance(name, str) else {}
    error = item.error or _identity_error(item) or _unknown_field_error(item, flow)
    if error:
        return ImportEntry(sid, name_only, error, origin=item.origin)
    account_sid = str(item.fields.get("account_sid") or "").strip()
    if sid and flow is None:  # not synced: the draft skips it with that reason
        return ImportEntry(sid, name_only, account_sid=account_sid, origin=item.origin)
    changed = _changed_values(item, flow)
    if flow is not None and not changed:
        return ImportEntry(sid, account_sid=account_sid, origin=item.origin)
    values, error = _validate_values(changed, flow)
    if error:
        return ImportEntry(sid, name_only, error, account_sid, item.origin)
    return ImportEntry(sid, values, account_sid=account_sid, origin=item.origin)


def _identity_error(item: ImportItem) -> str:
    """Return the error if the SID of the flow or of the account is malformed, or ""."""
    sid, account_sid = item.fields.get("sid"), item.fields.get("account_sid")
    if sid not in (None, "") and not item_sid(item):
        return f"“{str(sid)[:40]}” is not a Flex Flow SID (FO…)."
    if account_sid not in (None, "") and not is_sid("AC", str(account_sid).strip()):
        return f"“{str(account_sid)[:40]}” is not an account SID (AC…)."
    return ""


def _unknown_field_error(item: ImportItem, flow: Snapshot | None) -> str:
    """Return the error if a field is unknown, or "".

    Fields that Twilio sent for this flow are accepted, so that every export can be imported.
    """
    names_from_twilio = set(flow or {})
    for name in item.fields:
        if name in FLEX_FLOW.by_name:
            continue
        if name.replace("integration.", "integration_") not in names_from_twilio:
            return f"Unknown field “{name[:40]}”."
    return ""


def _changed_values(item: ImportItem, flow: Snapshot | None) -> dict[str, Any]:
    """Return the writable fields whose values differ from the flow's."""
    values = {name: value for name, value in item.fields.items() if name in _WRITABLE_NAMES}
    if item.is_table:
        return _changed_cells(values, flow)
    changed = {}
    for name, json_value in values.items():
        value = _parse_json_value(name, json_value)
        if flow is None or not FLEX_FLOW.is_same_value(name, flow.get(name), value):
            changed[name] = value
    return changed


def _changed_cells(cells: Mapping[str, str], flow: Snapshot | None) -> dict[str, str]:
    """Return the values of cells. Empty cells, and cells as an export has them, are omitted."""
    current = flow or {}
    changed = {
        name: parse_cell(name, from_csv_cell(cell))
        for name, cell in cells.items()
        if cell.strip() and cell != to_csv_cell(current.get(name))
    }
    if "contact_identity" in changed:
        channel = str(changed.get("channel_type") or current.get("channel_type") or "")
        current_identity = str(current.get("contact_identity") or "")
        changed["contact_identity"] = _parse_identity(
            changed["contact_identity"], channel, current_identity
        )
    return changed


def _parse_identity(text: str, channel: str, current: str) -> str:
    """Return the identity in a cell. Spreadsheets space numbers, or drop the + before them.

    Without the +, only the number that the flow has already can be meant for sure.
    """
    if current in (text, f"+{text.strip()}"):
        return current
    return to_identity(channel, text) or text


def _parse_json_value(name: str, value: Any) -> Any:
    """Return a JSON value. Booleans and choices that are given as text are parsed like cells."""
    if isinstance(value, str) and FLEX_FLOW.by_name[name].kind in ("boolean", "enum"):
        return parse_cell(name, value)
    return value


def _validate_values(
    values: Mapping[str, Any], flow: Snapshot | None
) -> tuple[dict[str, Any], str]:
    """Return the cleaned values, and the error ("" if the values are valid)."""
    result = clean(FLEX_FLOW, values, current=flow)
    if result.errors:
        return {}, " ".join(result.errors.values())
    cleaned = {name: result.values[name] for name in values if name in result.values}
    for name, value in cleaned.items():
        storable = replace_unstorable(value)
        if redact_field(name, storable) != storable:
            label = FLEX_FLOW.label_of(name)
            return {}, f"{label} contains a secret. To change a secret, edit the flow."
    for name, value in values.items():
        if name not in cleaned and value not in (None, ""):
            return {}, f"{FLEX_FLOW.label_of(name)} doesn't apply to this integration type."
    return cleaned, ""
