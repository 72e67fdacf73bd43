"""JSON of an answer, read whatever is in it: what is nested too deeply, or no number of JSON's, becomes a text,
and the rest of the answer stays readable."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

MAX_DEPTH: Final = 100  # lists and objects in one another, in a field of a flow
# The same in a whole body that Python can't read at one go. It is much more: a flow must come out the same
# whether it came by itself or in a list.
MAX_BODY_DEPTH: Final = 2 * MAX_DEPTH
DEPTH_PLACEHOLDER: Final = "nested too deeply: not shown"
_TOKEN: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[{\]}]', re.DOTALL)


def parse_json(body: bytes) -> Any:
    """The JSON of a body. Raises ValueError if it is none."""
    text = body.decode("utf-8")
    try:
        return _loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:  # a number with more digits than Python turns into an integer
        return _loads(text, parse_int=_parse_integer)
    except RecursionError:
        return _loads(_cut_deep_parts(text), parse_int=_parse_integer)


def limit_depth(value: Any, depth: int = 1) -> Any:
    """The same value without what is nested too deeply."""
    if not isinstance(value, dict | list):
        return value
    if depth > MAX_DEPTH:
        return DEPTH_PLACEHOLDER
    if isinstance(value, dict):
        return {key: limit_depth(item, depth + 1) for key, item in value.items()}
    return [limit_depth(item, depth + 1) for item in value]


def _loads(text: str, **more: Any) -> Any:
    return json.loads(text, parse_constant=str, parse_float=_parse_float, **more)


def _parse_float(digits: str) -> Any:
    """A number, or its digits where it is too large for one: no database keeps infinity."""
    number = float(digits)
    return number if math.isfinite(number) else digits


def _parse_integer(digits: str) -> Any:
    try:
        return int(digits)
    except ValueError:
        return digits


def _cut_deep_parts(text: str) -> str:
    """The text of a JSON with what is nested too deeply cut out."""
    parts: list[str] = []
    depth, copied, cut_from = 0, 0, -1
    for token in _TOKEN.finditer(text):
        sign = token[0]
        if sign in ("[", "{"):
            depth += 1
            if depth == MAX_BODY_DEPTH + 1:
                cut_from = token.start()
        elif sign in ("]", "}"):
            if depth == MAX_BODY_DEPTH + 1 and cut_from >= 0:
                parts += [text[copied:cut_from], json.dumps(DEPTH_PLACEHOLDER)]
                copied, cut_from = token.end(), -1
            depth -= 1
    return "".join([*parts, text[copied:]])
