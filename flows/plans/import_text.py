"""The text of an import: decoded, told apart as JSON or a table, and JSON taken apart into flows. Accepted are this site's
own export, the Flex API's answers (a list, or one flow) and twilio-cli's JSON.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn

from django.core.exceptions import ValidationError

from flows.twilio import labels
from flows.twilio.flex import flex_flow

MAX_FLOWS: Final = 10_000  # flows of one import
_LIST_KEYS: Final = ("flows", "flex_flows", "flexFlows")  # under which a list of flows stands
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
    """A flow as an import has it: where it stands, its fields by the schema's names, and why it can't be read."""

    origin: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    is_table: bool = (
        False  # its values are a table's cells: text, escaped, and empty where nothing is said
    )


class _JsonObject(dict[str, Any]):
    """A JSON object that knows whether a key stood in it twice."""

    repeated: str = ""


def decode_file(data: bytes) -> str:
    """A file's text: UTF-8, or UTF-16 with its byte-order mark, as spreadsheets save it."""
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
        raise ValidationError(
            f"Line {line}: byte 0x{data[error.start]:02X} is not UTF-8. In a spreadsheet, save as “CSV UTF-8”."
        ) from error


def clean_text(text: str) -> str:
    """The text without a byte-order mark. What no database holds, or nothing at all, is refused."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise ValidationError("Paste flows as JSON or CSV, or choose a file.")
    if bad := _UNSTORABLE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        raise ValidationError(
            f"Line {line}: this line contains a character that can't be stored (U+{ord(bad[0]):04X})."
        )
    return text


def is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def parse_items(text: str) -> list[ImportItem]:
    """The flows of a JSON text."""
    entries = _find_entries(_load_json(text))
    if not entries:
        raise ValidationError("The list of flows is empty.")
    if len(entries) > MAX_FLOWS:
        raise ValidationError(
            f"The list has {len(entries):,} flows. At most {MAX_FLOWS:,} can be imported at once."
        )
    return [parse_item(entry, f"Entry {place:,}") for place, entry in enumerate(entries, 1)]


def parse_item(entry: Any, origin: str) -> ImportItem:
    """One flow of a JSON text, under whatever spelling of the fields."""
    if not isinstance(entry, dict):
        kind = _TYPE_NAMES.get(type(entry), "nothing")
        return ImportItem(origin, error=f"This is {kind}, not a flow.")
    fields: dict[str, Any] = {}
    repeated = getattr(entry, "repeated", "")
    for name, value in _flatten(entry):
        repeated = repeated or (name if name in fields else "")
        fields[name] = value
    if isinstance(nested := entry.get("integration"), _JsonObject):
        repeated = repeated or nested.repeated
    if repeated:
        return ImportItem(
            origin, _identifying_fields(fields), f"“{_truncate(repeated)}” appears twice."
        )
    return ImportItem(origin, fields, _value_error(fields))


def _load_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_build_object, parse_constant=_reject_constant)
    except json.JSONDecodeError as error:
        raise ValidationError(
            f"Line {error.lineno}, column {error.colno}: invalid JSON. Paste a JSON export or a list in the "
            "same format."
        ) from error
    except RecursionError as error:
        raise ValidationError("This JSON is nested too deeply.") from error
    except ValueError as error:  # Python reads numbers up to some length only
        raise ValidationError("A number in this JSON is too long.") from error


def _build_object(pairs: list[tuple[str, Any]]) -> _JsonObject:
    made = _JsonObject(pairs)
    if len(made) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        made.repeated = next(name for name, count in counts.items() if count > 1)
    return made


def _reject_constant(name: str) -> NoReturn:
    raise ValidationError(
        f"{name} is not valid JSON. Use a number, a text, true, false or null instead."
    )


def _find_entries(data: Any) -> list[Any]:
    if isinstance(data, list):
        return data
    if isinstance(data, _JsonObject):
        if data.repeated in _LIST_KEYS:
            raise ValidationError(f"“{data.repeated}” appears twice. Use one list of flows.")
        for name in _LIST_KEYS:
            if isinstance(data.get(name), list):
                return list(data[name])
        if any(_field_name(name) in flex_flow.FIELDS_BY_NAME for name in data):
            return [data]
    raise ValidationError(
        "This JSON contains no list of flows. Paste an export, a Flex API response or twilio-cli's JSON."
    )


def _flatten(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The fields under the schema's names, those of `integration` among them."""
    flat: list[tuple[str, Any]] = []
    for name, value in entry.items():
        if name == "integration" and isinstance(value, Mapping):
            flat += [(_integration_field_name(part), one) for part, one in value.items()]
        elif name != "integration" or value is not None:
            flat.append((_field_name(name), value))
    return flat


def _field_name(name: str) -> str:
    """A field's name from any of its spellings: friendly_name, friendlyName, FriendlyName, Integration.FlowSid."""
    if name in flex_flow.FIELDS_BY_WIRE_NAME:
        return flex_flow.FIELDS_BY_WIRE_NAME[name].name
    snake = _snake_case(name)
    return snake if snake in flex_flow.FIELDS_BY_NAME else name


def _integration_field_name(name: str) -> str:
    full = f"integration_{_snake_case(name)}"
    is_known = full in flex_flow.FIELDS_BY_NAME and flex_flow.FIELDS_BY_NAME[full].of_integration
    return full if is_known else f"integration.{name}"


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _value_error(fields: Mapping[str, Any]) -> str:
    for name, value in fields.items():
        if name in flex_flow.FIELDS_BY_NAME and isinstance(value, dict | list):
            return f"{labels.field_label(name)} must be a single value."
        if bad := _UNSTORABLE.search(f"{name}{value}" if isinstance(value, str) else name):
            return f"{labels.field_label(name)} contains a character that can't be stored (U+{ord(bad[0]):04X})."
    return ""


def _identifying_fields(fields: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: fields.get(name) for name in ("sid", "friendly_name")}
    return {name: value for name, value in kept.items() if isinstance(value, str)}


def _truncate(text: str) -> str:
    return f"{text[:40]}…" if len(text) > 40 else text
