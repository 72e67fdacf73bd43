"""Twilio's identifiers: two letters that name the kind of object, and 32 hexadecimal digits."""

from __future__ import annotations

import re
from typing import Final

_DIGITS: Final = re.compile("[0-9a-fA-F]{32}")


def is_sid(prefix: str, value: object) -> bool:
    """Return True for a SID with this prefix, such as "FO" for a Flex Flow."""
    return (
        isinstance(value, str)
        and value.startswith(prefix)
        and _DIGITS.fullmatch(value, len(prefix)) is not None
    )
