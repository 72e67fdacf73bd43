"""The rules by which the first versions of this site masked web addresses: user-info, and values named like a
secret.

They stay as they were. Whatever is on record was masked by them, and today's rules are applied to what they
leave. So a state that was recorded then and a flow that is read now come out the same, unless the flow changed.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_plus

from flows.redaction.fingerprint import Masker
from flows.redaction.names import is_secret_name

MAX_ENCODING_DEPTH: Final = (
    4  # times that an address within an address can be encoded; beyond, it is masked unseen
)
_WHOLE_URL: Final = re.compile(r"\s*[a-z][a-z0-9+.-]*://\S*\s*", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\s<>\"']+")  # of a sentence, which may quote an address
_USER_INFO: Final = re.compile(
    r"(?<=://)(?:"
    r"[^/?#@]+(?:@[^/?#@]*)*(?=@)"
    # Not as it should be written: what follows the colon is no port. A password with a / in it, or an
    # address that was cut off before its @.
    r"|[^/?#@:\[]*:(?!\d*(?:[^\w@]|$))(?:.{0,512}(?=@)|[^/?#]*)"
    r")"
)
_PARAMETER_NAME: Final = re.compile(r"(?:^|[/?#;])([^=/?#;]*)=")


def mask_text(text: str, masker: Masker) -> str:
    """Mask an address, or each word of a text that is one."""
    if "://" not in text and "?" not in text:
        return text
    if _WHOLE_URL.fullmatch(text):
        return _mask_url(text, masker)
    return _WORD.sub(lambda match: _mask_url(match.group(), masker), text)


def _mask_url(address: str, masker: Masker) -> str:
    """An address, with a scheme or without; any other word stays as it is."""
    address = _USER_INFO.sub(lambda match: masker.mask(match.group()), address)
    if "?" not in address and "://" not in address:
        return address
    return "&".join(_mask_parameter(part, masker) for part in address.split("&"))


def _mask_parameter(part: str, masker: Masker) -> str:
    """A part between two &. A secret goes on to its end: nobody agrees where ; and # begin something new."""
    starts = _find_secret_starts(part)
    if (
        not starts
        and "%" in part
        and (first := _PARAMETER_NAME.search(part))
        and _has_encoded_secret(part[first.end() :])
    ):
        starts = [first.end()]
    return part[: starts[0]] + masker.mask(part[starts[0] :]) if starts else part


def _find_secret_starts(part: str) -> list[int]:
    """The places where values begin that are named like a secret."""
    named = ((match.end(), unquote_plus(match[1])) for match in _PARAMETER_NAME.finditer(part))
    return [start for start, name in named if start < len(part) and is_secret_name(name)]


def _has_encoded_secret(value: str) -> bool:
    """Tell whether a value has something to mask once it is decoded: an address within an address."""
    for _ in range(MAX_ENCODING_DEPTH):
        value, encoded = unquote_plus(value), value
        if value == encoded:
            return False
        if _USER_INFO.search(value) or any(map(_find_secret_starts, value.split("&"))):
            return True
    return True
