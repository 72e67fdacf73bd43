"""The text of an import: decoding, detection of JSON, and the flows of a JSON text.

Accepted are this site's own export, responses of the Flex API (a list or one flow), and the JSON of
twilio-cli. Tables are read by import_table.py.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from django.core.exceptions import ValidationError

from flows.core.invisible import format_code_points
from flows.twilio.flex.flex_flow import FLEX_FLOW

MAX_FLOWS: Final = 10_000  # flows of one import
_LIST_KEYS: Final = ("flows", "flex_flows", "flexFlows")  # keys that can hold the list of flows
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_TYPE_NAMES: Final = {
    str: "a text",
    bool: "yes or no",
    int: "a number",
    float: "a number",
    list: "a list",
}


@dataclass(frozen=True, slots=True)
class ImportItem:
    """One flow of an import before validation.

    `origin` is its place in the file, such as "Line 7" or "Entry 3". `fields` has the names of the
    schema. If `is_table`, the values are cells: text, with CSV escapes, empty if not given.
    """

    origin: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    is_table: bool = False


class _JsonObject(dict[str, Any]):
    """A JSON object that remembers a key which appeared twice."""

    repeated: str = ""


def decode_file(data: bytes) -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte-order mark.

    Spreadsheets save both. Raises `ValidationError` for anything else.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError as error:
            raise ValidationError(
                "The file looks like UTF-16, but is cut off or damaged. Save it as CSV UTF-8."
            ) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise ValidationError(
            f"Line {line}: byte 0x{byte:02X} is not UTF-8. In a spreadsheet, save as “CSV UTF-8”."
        ) from error


def clean_text(text: str) -> str:
    """Return the text without a byte-order mark.

    Raises `ValidationError` if it is empty or has a character that the database can't store.
    """
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise ValidationError("Paste flows as JSON or CSV, or choose a file.")
    unstorable = _UNSTORABLE.search(text)
    if unstorable:
        line = text.count("\n", 0, unstorable.start()) + 1
        code_point = format_code_points(unstorable[0])
        raise ValidationError(
            f"Line {line}: this line contains a character that can't be stored ({code_point})."
        )
    return text


def is_json(text: str) -> bool:
    """Return True if a text starts like a list or an object of JSON, and so is no table."""
    return text.lstrip()[:1] in ("{", "[")


def parse_items(text: str) -> list[ImportItem]:
    """Return the flows of a text that `is_json`. Raises `ValidationError`, also for no flows."""
    entries = _find_entries(_load_json(text))
    if not entries:
        raise ValidationError("The list of flows is empty.")
    if len(entries) > MAX_FLOWS:
        raise ValidationError(
            f"The list has {len(entries):,} flows. At most {MAX_FLOWS:,} can be imported at once."
        )
    return [_parse_item(entry, f"Entry {number:,}") for number, entry in enumerate(entries, 1)]


def _parse_item(entry: Any, origin: str) -> ImportItem:
    """Return one flow of a JSON text. Field names can have any of their spellings."""
    if not isinstance(entry, _JsonObject):
        kind = _TYPE_NAMES.get(type(entry), "nothing")
        return ImportItem(origin, error=f"This is {kind}, not a flow.")
    pairs = _flatten(entry)
    fields = dict(pairs)
    repeated = _find_repeated_name(entry, pairs)
    if repeated:
        return ImportItem(origin, fields, f"“{truncate(repeated)}” appears twice.")
    return ImportItem(origin, fields, _value_error(fields))


def _find_repeated_name(entry: _JsonObject, pairs: list[tuple[str, Any]]) -> str:
    """Return the name of a field that an entry has twice, in any spelling, or ""."""
    repeated = entry.repeated or _first_repeated_name(pairs)
    nested = entry.get(FLEX_FLOW.nested)
    if not repeated and isinstance(nested, _JsonObject):
        return nested.repeated
    return repeated


def _first_repeated_name(pairs: list[tuple[str, Any]]) -> str:
    counts = Counter(name for name, _ in pairs)
    return next((name for name, count in counts.items() if count > 1), "")


def _load_json(text: str) -> list[Any] | _JsonObject:
    """Parse a text that `is_json`. Raises `ValidationError` if it isn't valid after all."""
    try:
        data: list[Any] | _JsonObject = json.loads(
            text, object_pairs_hook=_build_object, parse_constant=_reject_constant
        )
    except json.JSONDecodeError as error:
        raise ValidationError(
            f"Line {error.lineno}, column {error.colno}: invalid JSON. Paste a JSON export or a "
            "list in the same format."
        ) from error
    except RecursionError as error:
        raise ValidationError("This JSON is nested too deeply.") from error
    except ValueError as error:  # Python limits the digits of a number
        raise ValidationError("A number in this JSON is too long.") from error
    return data


def _build_object(pairs: list[tuple[str, Any]]) -> _JsonObject:
    json_object = _JsonObject(pairs)
    json_object.repeated = _first_repeated_name(pairs)
    return json_object


def _reject_constant(name: str) -> NoReturn:
    raise ValidationError(
        f"{name} is not valid JSON. Use a number, a text, true, false or null instead."
    )


def _find_entries(data: list[Any] | _JsonObject) -> list[Any]:
    """Return the list of flows in JSON data, or the one flow that the data is."""
    if isinstance(data, list):
        return data
    if data.repeated in _LIST_KEYS:
        raise ValidationError(f"“{data.repeated}” appears twice. Use one list of flows.")
    for name in _LIST_KEYS:
        if isinstance(data.get(name), list):
            return list(data[name])
    has_no_field = FLEX_FLOW.by_name.keys().isdisjoint(map(_field_name, data))
    if has_no_field:
        raise ValidationError(
            "This JSON contains no list of flows. Paste an export, a Flex API response or "
            "twilio-cli's JSON."
        )
    return [data]


def _flatten(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return the fields by the schema's names, including those of the object `integration`."""
    flat: list[tuple[str, Any]] = []
    for name, value in entry.items():
        if name == FLEX_FLOW.nested:
            flat += _flatten_integration(value)
        else:
            flat.append((_field_name(name), value))
    return flat


def _flatten_integration(value: Any) -> list[tuple[str, Any]]:
    """Return the fields of the object `integration`, or another value under its own name."""
    if value is None:
        return []
    if not isinstance(value, Mapping):
        return [(FLEX_FLOW.nested, value)]
    return [(_integration_field_name(name), nested) for name, nested in value.items()]


def _field_name(name: str) -> str:
    """Return the schema's name for a spelling such as friendlyName or Integration.FlowSid."""
    if name in FLEX_FLOW.by_wire_name:
        return FLEX_FLOW.by_wire_name[name].name
    snake = _snake_case(name)
    return snake if snake in FLEX_FLOW.by_name else name


def _integration_field_name(name: str) -> str:
    full = f"integration_{_snake_case(name)}"
    is_known = full in FLEX_FLOW.by_name and FLEX_FLOW.by_name[full].is_nested
    return full if is_known else f"integration.{name}"


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _value_error(fields: Mapping[str, Any]) -> str:
    """Return the first error in the values of a flow, or ""."""
    errors = (_error_in_value(name, value) for name, value in fields.items())
    return next(filter(None, errors), "")


def _error_in_value(name: str, value: Any) -> str:
    if name in FLEX_FLOW.by_name and isinstance(value, dict | list):
        return f"{FLEX_FLOW.label_of(name)} must be a single value."
    unstorable = _UNSTORABLE.search(f"{name}{value}")
    if unstorable is None:
        return ""
    code_point = format_code_points(unstorable[0])
    return f"{FLEX_FLOW.label_of(name)} contains a character that can't be stored ({code_point})."


def truncate(text: str) -> str:
    return f"{text[:40]}…" if len(text) > 40 else text
