"""A value as a cell of a CSV file, which a spreadsheet will open."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any, Final

BYTE_ORDER_MARK: Final = "\ufeff"  # without it at its beginning, Excel does not read a file as UTF-8

# What a spreadsheet takes for the beginning of a formula, also where it looks past blanks, invisible marks and
# quotation marks, or at the wide forms of the characters.
_FORMULA: Final = re.compile(r"[\t\r\n]|[\s\"'\u200b-\u200f\u2060\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")


def cell(value: Any) -> str:
    """The value as text, JSON where it is more than one. What would be a formula gets an apostrophe before it."""
    if value is None:
        return ""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, sort_keys=True)
    text = value.isoformat(timespec="microseconds") if isinstance(value, datetime) else str(value)
    return "'" + text if _FORMULA.match(text) else text
