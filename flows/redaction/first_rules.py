"""The rules by which this site's first versions masked URLs: user-info, and parameters with a
secret's name.

They must not change. Recorded states were masked by them, and today's rules are applied after them.
So a recorded state and an unchanged flow that is read now have the same redacted values.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_plus

from flows.redaction.fingerprint import Masker
from flows.redaction.names import is_secret_name

MAX_ENCODING_DEPTH: Final = 4  # a URL within a URL that is encoded more often is masked as a whole
_WHOLE_URL: Final = re.compile(r"\s*[a-z][a-z0-9+.-]*://\S*\s*", re.IGNORECASE)
_WORD: Final = re.compile(r"[^\s<>\"']+")  # may be a URL that a sentence quotes
_USER_INFO: Final = re.compile(
    r"(?<=://)(?:"
    r"[^/?#@]+(?:@[^/?#@]*)*(?=@)"
    # A malformed URL in which no port follows the colon: its password contains a /, or the URL
    # was cut off before the @.
    r"|[^/?#@:\[]*:(?!\d*(?:[^\w@]|$))(?:.{0,512}(?=@)|[^/?#]*)"
    r")"
)
_PARAMETER_NAME: Final = re.compile(r"(?:^|[/?#;])([^=/?#;]*)=")


def mask_text(text: str, masker: Masker) -> str:
    """Mask the secrets of a URL, or of each URL in a text."""
    if not _is_url_like(text):
        return text
    if _WHOLE_URL.fullmatch(text):
        return _mask_url(text, masker)
    return _WORD.sub(lambda match: _mask_url(match.group(), masker), text)


def _is_url_like(text: str) -> bool:
    return "://" in text or "?" in text


def _mask_url(address: str, masker: Masker) -> str:
    """Mask the secrets of a URL, with or without a scheme. Return any other word unchanged."""
    address = _USER_INFO.sub(lambda match: masker.mask(match.group()), address)
    if not _is_url_like(address):
        return address
    parts = [_mask_parameter(part, masker) for part in address.split("&")]
    return "&".join(parts)


def _mask_parameter(part: str, masker: Masker) -> str:
    """Mask the secret in the part of a URL between two &.

    A secret extends to the end of the part, because programs disagree on whether ; or # ends it.
    """
    start = _find_secret(part)
    if start is None:
        start = _find_encoded_secret(part)
    if start is None:
        return part
    return part[:start] + masker.mask(part[start:])


def _find_secret(part: str) -> int | None:
    """Return the position of the first value under a secret's name, or None."""
    for match in _PARAMETER_NAME.finditer(part):
        has_value = match.end() < len(part)
        if has_value and is_secret_name(unquote_plus(match[1])):
            return match.end()
    return None


def _find_encoded_secret(part: str) -> int | None:
    """Return the position of the value that has a secret when it is decoded, or None."""
    name = _PARAMETER_NAME.search(part)
    if name is None or "%" not in part:
        return None
    start = name.end()
    if _has_encoded_secret(part[start:]):
        return start
    return None


def _has_encoded_secret(value: str) -> bool:
    """Return True if a decoded value has a secret, as a URL within a URL can have."""
    for _ in range(MAX_ENCODING_DEPTH):
        encoded = value
        value = unquote_plus(encoded)
        if value == encoded:
            return False
        if _has_secret(value):
            return True
    return True


def _has_secret(address: str) -> bool:
    if _USER_INFO.search(address):
        return True
    positions = map(_find_secret, address.split("&"))
    return any(positions)  # a position is never 0, because a name and a = come first
