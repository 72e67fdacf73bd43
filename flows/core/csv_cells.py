"""Values as cells of a CSV file that is safe to open in a spreadsheet, and back.

A spreadsheet treats a text as a formula if it begins with one of four signs. It ignores blanks,
invisible characters and quotation marks before the sign, and it may split a line at another
separator than the comma. So an apostrophe is put before each such sign, at the start of a cell and
after each possible separator.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final

BYTE_ORDER_MARK: Final = "\ufeff"  # Excel reads a file as UTF-8 only if it starts with this

_IGNORED_PREFIX: Final = r"[\s\"'\u200b-\u200f\u2060\ufeff]*"
_FORMULA_SIGN: Final = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"  # each also in its full-width form
_SEPARATOR: Final = r"[;\t|,\r\n]"
_FORMULA_START: Final = re.compile(rf"{_IGNORED_PREFIX}(?:{_FORMULA_SIGN}|(?<=[\t\r\n]))")
# Without separators, so that only the last of several matches and no text is scanned twice.
_IGNORED_BETWEEN_SIGNS: Final = r"(?:[^\S\t\r\n]|[\"'\u200b-\u200f\u2060\ufeff])*"
_UNESCAPED_SIGN: Final = re.compile(rf"({_SEPARATOR}{_IGNORED_BETWEEN_SIGNS})({_FORMULA_SIGN})")
_ESCAPED_SIGN: Final = re.compile(rf"({_SEPARATOR}{_IGNORED_BETWEEN_SIGNS})'({_FORMULA_SIGN})")


def to_csv_cell(value: Any) -> str:
    """Return a value as text for a cell, with an apostrophe before each sign of a formula.

    Objects and lists become JSON, None becomes "".
    """
    if value is None:
        return ""
    if isinstance(value, dict | list):
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    elif isinstance(value, datetime):
        text = value.isoformat(timespec="microseconds")
    else:
        text = str(value)
    text = _UNESCAPED_SIGN.sub(r"\1'\2", text)
    return "'" + text if _FORMULA_START.match(text) else text


def from_csv_cell(text: str) -> str:
    """Return the text that `to_csv_cell` made safe."""
    if text.startswith("'") and _FORMULA_START.match(text[1:]):
        text = text[1:]
    return _ESCAPED_SIGN.sub(r"\1\2", text)
