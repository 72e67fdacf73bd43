"""Validation of the flows in an import, by the same rules as the flow's own page."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError

from flows.changes.cleaning import clean
from flows.checks.contact_identity import to_identity
from flows.core.csv_cells import from_csv_cell, to_csv_cell
from flows.core.matching import extract_digits
from flows.local_details.fields import LABELS
from flows.plans.drafts import without_empty_values
from flows.plans.import_draft import ImportEntry
from flows.plans.import_table import parse_cell
from flows.plans.import_text import ImportItem
from flows.redaction.masking import redact_field, replace_unstorable
from flows.redaction.redacted import Redacted
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sids import is_sid


def check_items(items: Sequence[ImportItem], flows: Mapping[str, Redacted]) -> list[ImportEntry]:
    """Validate the items of an import, one entry each.

    `flows` are the flows that the import may change, by SID, with their secrets masked.
    """
    return [_check_item(item, flows.get(item_sid(item))) for item in items]


def item_sid(item: ImportItem) -> str:
    """Return the SID of the flow that an item changes, or "" if it has no valid one."""
    sid = _stripped(item, "sid")
    return sid if FLEX_FLOW.is_sid(sid) else ""


def has_local_details(items: Sequence[ImportItem]) -> bool:
    """Return True if an item has an owner, tags or a note, which are not imported."""
    return any(item.fields.get(name) for item in items for name in LABELS)


def _check_item(item: ImportItem, flow: Redacted | None) -> ImportEntry:
    """Return the entry with the values to set, or with an error."""
    account_sid = _stripped(item, "account_sid")
    entry = ImportEntry(item_sid(item), account_sid=account_sid, origin=item.origin)
    try:
        _check_fields(item, flow or {})
        values = _requested_values(item, flow)
    except ValidationError as invalid:
        return replace(entry, values=_name_only(item), error=str(invalid.message))
    return replace(entry, values=values)


def _check_fields(item: ImportItem, current: Mapping[str, Any]) -> None:
    """Raise `ValidationError` for an error that can be seen before the values are validated."""
    if item.error:
        raise ValidationError(item.error)
    _check_sid(item, "sid", "FO", "a Flex Flow SID (FO…)")
    _check_sid(item, "account_sid", "AC", "an account SID (AC…)")
    _check_names(item, current)


def _requested_values(item: ImportItem, flow: Redacted | None) -> dict[str, Any]:
    """Return the values that differ from the flow's. Raises `ValidationError`.

    For a flow that isn't synced, that is only its name: the draft skips it with that reason.
    """
    if flow is None and item_sid(item):
        return _name_only(item)
    changed = _changed_values(item, flow or {})
    if flow is not None and not changed:
        return {}
    return _validate_values(changed, flow)


def _name_only(item: ImportItem) -> dict[str, str]:
    """Return the name of an entry that can't be applied, so that the draft can show it."""
    name = item.fields.get("friendly_name")
    if not isinstance(name, str):
        return {}
    return {"friendly_name": replace_unstorable(name)[:256]}


def _stripped(item: ImportItem, name: str) -> str:
    """Return a field as text without white space at its ends, "" if it is missing."""
    return str(item.fields.get(name) or "").strip()


def _check_sid(item: ImportItem, name: str, prefix: str, description: str) -> None:
    """Raise `ValidationError` if a field is no SID. It can be missing or empty."""
    value = item.fields.get(name)
    if value in (None, ""):
        return
    text = str(value)
    if not is_sid(prefix, text.strip()):
        raise ValidationError(f"“{text[:40]}” is not {description}.")


def _check_names(item: ImportItem, current: Mapping[str, Any]) -> None:
    """Raise `ValidationError` if a field is unknown.

    Fields that Twilio sent for this flow are accepted, and so are the owner, tags and note, which
    are not imported. So every export can be imported.
    """
    for name in item.fields:
        name_at_twilio = name.replace("integration.", "integration_")
        is_known = name in FLEX_FLOW.by_name or name in LABELS or name_at_twilio in current
        if not is_known:
            raise ValidationError(f"Unknown field “{name[:40]}”.")


def _changed_values(item: ImportItem, current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the writable fields whose values differ from the current ones."""
    values = {name: value for name, value in item.fields.items() if FLEX_FLOW.is_writable(name)}
    if item.is_table:
        return _changed_cells(values, current)
    return _changed_json_values(values, current)


def _changed_json_values(values: Mapping[str, Any], current: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a JSON object that differ from the current ones."""
    parsed = {name: _parse_json_value(name, value) for name, value in values.items()}
    return {
        name: value
        for name, value in parsed.items()
        if not FLEX_FLOW.is_same_value(name, current.get(name), value)
    }


def _changed_cells(cells: Mapping[str, str], current: Mapping[str, Any]) -> dict[str, str]:
    """Return the values of cells. Empty cells, and cells as an export has them, are omitted."""
    changed = {
        name: parse_cell(name, from_csv_cell(cell))
        for name, cell in cells.items()
        if _is_edited(cell, current.get(name))
    }
    if "contact_identity" in changed:
        channel = changed.get("channel_type", current.get("channel_type"))
        changed["contact_identity"] = _parse_identity(
            changed["contact_identity"],
            channel=str(channel or ""),
            current=FLEX_FLOW.identity_of(current),
        )
    return changed


def _is_edited(cell: str, current_value: Any) -> bool:
    """Return True if a cell has a value, and not as an export of the flow has it."""
    return bool(cell.strip()) and cell != to_csv_cell(current_value)


def _parse_identity(text: str, *, channel: str, current: str) -> str:
    """Return the identity in a cell. Spreadsheets space numbers, or drop the + before them.

    Without the +, only the number that the flow has already can be meant for sure.
    """
    if current in (text, f"+{text.strip()}"):
        return current
    identity = to_identity(channel, text)
    if identity and _is_same_number(text, identity):
        return identity
    return text


def _is_same_number(text: str, identity: str) -> bool:
    """Return True if an identity has the digits of a text, perhaps without its trunk zero.

    The library also drops carrier codes and inserts area codes, which makes another number.
    """
    digits = extract_digits(text).removeprefix("00")
    number = extract_digits(identity)
    without_one_zero = {
        digits[: zero.start()] + digits[zero.end() :] for zero in re.finditer("0", digits)
    }
    return number in {digits, *without_one_zero}


def _parse_json_value(name: str, value: Any) -> Any:
    """Return a JSON value. Booleans and choices that are given as text are parsed like cells."""
    return parse_cell(name, value) if isinstance(value, str) else value


def _validate_values(values: Mapping[str, Any], flow: Redacted | None) -> dict[str, Any]:
    """Return the cleaned values. Raises `ValidationError` with one message."""
    result = clean(FLEX_FLOW, values, current=flow)
    if result.errors:
        raise ValidationError(" ".join(result.errors.values()))
    cleaned = {name: result.values[name] for name in values if name in result.values}
    _check_without_secrets(cleaned)
    _check_applicable(values, cleaned)
    return cleaned


def _check_without_secrets(values: Mapping[str, Any]) -> None:
    """Raise `ValidationError` if a value has a secret: the draft could store only its mask."""
    for name, value in values.items():
        storable = replace_unstorable(value)
        if redact_field(name, storable) != storable:
            label = FLEX_FLOW.label_of(name)
            raise ValidationError(f"{label} contains a secret. To change a secret, edit the flow.")


def _check_applicable(values: Mapping[str, Any], cleaned: Mapping[str, Any]) -> None:
    """Raise `ValidationError` if a field has a value that the integration type doesn't take."""
    for name in without_empty_values(values):
        if name not in cleaned:
            label = FLEX_FLOW.label_of(name)
            raise ValidationError(f"{label} doesn't apply to this integration type.")
