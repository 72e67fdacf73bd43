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

from flows import words
from flows.flexapi import schema

MOST: Final = 10_000  # flows of one import
_LISTS: Final = ("flows", "flex_flows", "flexFlows")  # under which a list of flows stands
_SURROGATE: Final = re.compile("[\x00\ud800-\udfff]")
_KINDS: Final = {str: "a text", bool: "yes or no", int: "a number", float: "a number", list: "a list"}


@dataclass(frozen=True, slots=True)
class Item:
    """A flow as an import has it: where it stands, its fields by the schema's names, and why it can't be read."""

    origin: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    is_table: bool = False  # its values are a table's cells: text, escaped, and empty where nothing is said


class _Object(dict[str, Any]):
    """A JSON object that knows whether a key stood in it twice."""

    repeated: str = ""


def decoded(data: bytes) -> str:
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


def plain(text: str) -> str:
    """The text without a byte-order mark. What no database holds, or nothing at all, is refused."""
    text = text.removeprefix("\ufeff")
    if not text.strip():
        raise ValidationError("Paste flows as JSON or CSV, or choose a file.")
    if bad := _SURROGATE.search(text):
        line = text.count("\n", 0, bad.start()) + 1
        raise ValidationError(
            f"Line {line}: this line contains a character that can't be stored (U+{ord(bad[0]):04X})."
        )
    return text


def is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


def items_of_json(text: str) -> list[Item]:
    """The flows of a JSON text."""
    entries = _entries_of(_loaded(text))
    if not entries:
        raise ValidationError("The list of flows is empty.")
    if len(entries) > MOST:
        raise ValidationError(
            f"The list has {len(entries):,} flows. At most {MOST:,} can be imported at once."
        )
    return [item_of(entry, f"Entry {place:,}") for place, entry in enumerate(entries, 1)]


def item_of(entry: Any, origin: str) -> Item:
    """One flow of a JSON text, under whatever spelling of the fields."""
    if not isinstance(entry, dict):
        kind = _KINDS.get(type(entry), "nothing")
        return Item(origin, error=f"This is {kind}, not a flow.")
    fields: dict[str, Any] = {}
    repeated = getattr(entry, "repeated", "")
    for name, value in _flattened(entry):
        repeated = repeated or (name if name in fields else "")
        fields[name] = value
    if isinstance(nested := entry.get("integration"), _Object):
        repeated = repeated or nested.repeated
    if repeated:
        return Item(origin, _identifying(fields), f"“{_cut(repeated)}” appears twice.")
    return Item(origin, fields, _bad_value(fields))


def _loaded(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ValidationError(
            f"Line {error.lineno}, column {error.colno}: invalid JSON. Paste a JSON export or a list in the "
            "same format."
        ) from error
    except RecursionError as error:
        raise ValidationError("This JSON is nested too deeply.") from error
    except ValueError as error:  # Python reads numbers up to some length only
        raise ValidationError("A number in this JSON is too long.") from error


def _object(pairs: list[tuple[str, Any]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        made.repeated = next(name for name, count in counts.items() if count > 1)
    return made


def _refuse_constant(name: str) -> NoReturn:
    raise ValidationError(f"{name} is not valid JSON. Use a number, a text, true, false or null instead.")


def _entries_of(data: Any) -> list[Any]:
    if isinstance(data, list):
        return data
    if isinstance(data, _Object):
        if data.repeated in _LISTS:
            raise ValidationError(f"“{data.repeated}” appears twice. Use one list of flows.")
        for name in _LISTS:
            if isinstance(data.get(name), list):
                return list(data[name])
        if any(_name_of(name) in schema.BY_NAME for name in data):
            return [data]
    raise ValidationError(
        "This JSON contains no list of flows. Paste an export, a Flex API response or twilio-cli's JSON."
    )


def _flattened(entry: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """The fields under the schema's names, those of `integration` among them."""
    flat: list[tuple[str, Any]] = []
    for name, value in entry.items():
        if name == "integration" and isinstance(value, Mapping):
            flat += [(_nested_name(part), one) for part, one in value.items()]
        elif name != "integration" or value is not None:
            flat.append((_name_of(name), value))
    return flat


def _name_of(name: str) -> str:
    """A field's name from any of its spellings: friendly_name, friendlyName, FriendlyName, Integration.FlowSid."""
    if name in schema.BY_WIRE:
        return schema.BY_WIRE[name].name
    snake = _snake(name)
    return snake if snake in schema.BY_NAME else name


def _nested_name(name: str) -> str:
    full = f"integration_{_snake(name)}"
    is_known = full in schema.BY_NAME and schema.BY_NAME[full].of_integration
    return full if is_known else f"integration.{name}"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _bad_value(fields: Mapping[str, Any]) -> str:
    for name, value in fields.items():
        if name in schema.BY_NAME and isinstance(value, dict | list):
            return f"{words.label(name)} must be a single value."
        if bad := _SURROGATE.search(f"{name}{value}" if isinstance(value, str) else name):
            return f"{words.label(name)} contains a character that can't be stored (U+{ord(bad[0]):04X})."
    return ""


def _identifying(fields: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: fields.get(name) for name in ("sid", "friendly_name")}
    return {name: value for name, value in kept.items() if isinstance(value, str)}


def _cut(text: str) -> str:
    return f"{text[:40]}…" if len(text) > 40 else text
