"""A tolerant JSON parser for response bodies.

Values that are nested too deeply, and numbers that JSON or Python can't represent, become text.
The rest of the body stays readable.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

MAX_DEPTH: Final = 100  # nested lists and objects in a field of a flow
# The same for a whole body that is too deep for Python's parser. It is larger, so that a flow gives
# the same snapshot by itself and in a list.
MAX_BODY_DEPTH: Final = 2 * MAX_DEPTH
DEPTH_PLACEHOLDER: Final = "nested too deeply: not shown"
_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{\]}]', re.DOTALL)


def parse_json(body: bytes) -> Any:
    """Parse a body. Raise ValueError if it is not JSON."""
    text = body.decode("utf-8")
    try:
        return _loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # more digits than Python converts to an integer
        return _loads(text, parse_int=_parse_integer)
    except RecursionError:
        return _loads(_cut_deep_parts(text), parse_int=_parse_integer)


def limit_depth(value: Any, depth: int = 1) -> Any:
    """Replace the parts of a value that are nested too deeply with a placeholder."""
    if not isinstance(value, dict | list):
        return value
    if depth > MAX_DEPTH:
        return DEPTH_PLACEHOLDER
    if isinstance(value, dict):
        return {key: limit_depth(item, depth + 1) for key, item in value.items()}
    return [limit_depth(item, depth + 1) for item in value]


def _loads(text: str, **options: Any) -> Any:
    return json.loads(text, parse_constant=str, parse_float=_parse_float, **options)


def _parse_float(digits: str) -> Any:
    """Return a number, or its digits if it would be infinite, which no database stores."""
    number = float(digits)
    return number if math.isfinite(number) else digits


def _parse_integer(digits: str) -> Any:
    """Return a number, or its digits if there are more than Python converts."""
    try:
        return int(digits)
    except ValueError:
        return digits


def _cut_deep_parts(text: str) -> str:
    """Replace the parts of a JSON text that are nested too deeply with a placeholder."""
    parts: list[str] = []
    depth = 0
    copied_until = 0
    cut_start = 0
    for token in _TOKEN.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
            if depth == MAX_BODY_DEPTH + 1:
                cut_start = token.start()
        elif token[0] in ("]", "}"):
            if depth == MAX_BODY_DEPTH + 1:
                parts += [text[copied_until:cut_start], json.dumps(DEPTH_PLACEHOLDER)]
                copied_until = token.end()
            depth -= 1
    return "".join([*parts, text[copied_until:]])
