"""A value as a cell of a CSV file, which a spreadsheet will open; and the value of such a cell.

A spreadsheet takes a text for a formula if it begins with one of four signs, also where it looks past blanks,
invisible marks and quotation marks, and it may cut a line at another character than the file's comma. So an
apostrophe stands before each such sign: at the cell's beginning, and after whatever a spreadsheet may take
for the end of a cell.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final

BYTE_ORDER_MARK: Final = (
    "\ufeff"  # without it at its beginning, Excel does not read a file as UTF-8
)

_IGNORED_PREFIX: Final = r"[\s\"'\u200b-\u200f\u2060\ufeff]*"  # what a spreadsheet looks past
_FORMULA_SIGN: Final = r"[=+\-@\uff1d\uff0b\uff0d\uff20]"  # of a formula, and its wide form
_SEPARATOR: Final = r"[;\t|,\r\n]"
_FORMULA_START: Final = re.compile(rf"{_IGNORED_PREFIX}(?:{_FORMULA_SIGN}|(?<=[\t\r\n]))")
# No separators among what is looked past here: the last of several counts, and no run is gone through twice.
_IGNORED_BETWEEN_SIGNS: Final = r"(?:[^\S\t\r\n]|[\"'\u200b-\u200f\u2060\ufeff])*"
_UNESCAPED_SIGN: Final = re.compile(rf"({_SEPARATOR}{_IGNORED_BETWEEN_SIGNS})({_FORMULA_SIGN})")
_ESCAPED_SIGN: Final = re.compile(rf"({_SEPARATOR}{_IGNORED_BETWEEN_SIGNS})'({_FORMULA_SIGN})")


def to_csv_cell(value: Any) -> str:
    """The value as text, JSON where it is more than one. What would be a formula gets an apostrophe before
    it."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)
    text = _UNESCAPED_SIGN.sub(r"\1'\2", text)
    return "'" + text if _FORMULA_START.match(text) else text


def from_csv_cell(text: str) -> str:
    """The text of a value that `cell` wrote."""
    if text.startswith("'") and _FORMULA_START.match(text[1:]):
        text = text[1:]
    return _ESCAPED_SIGN.sub(r"\1\2", text)
