"""What of Twilio's values is kept and shown: web addresses without their secrets, text that any database holds.

User-info and query values named like a secret are replaced by a keyed fingerprint, so that a reader
still sees *that* a secret changed, and nobody learns what it is. The edit form alone shows the original.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from typing import Any
from urllib.parse import unquote_plus

from django.conf import settings

DEEPEST = 4  # times that an address within an address can be encoded; beyond, it is masked unseen
_ALONE = re.compile(r"\s*[a-z][a-z0-9+.-]*://\S*\s*", re.IGNORECASE)
_WORD = re.compile(r"[^\s<>\"']+")  # of a sentence, which may quote an address
_USER_INFO = re.compile(
    r"(?<=://)(?:"
    r"[^/?#@]+(?:@[^/?#@]*)*(?=@)"
    # Not as it should be written: what follows the colon is no port. A password with a / in it, or an
    # address that was cut off before its @.
    r"|[^/?#@:\[]*:(?!\d*(?:[^\w@]|$))(?:.{0,512}(?=@)|[^/?#]*)"
    r")"
)
_NAMED = re.compile(r"(?:^|[/?#;])([^=/?#;]*)=")
_SECRET_NAME = re.compile(
    r"token|key|sig|auth|pass|pwd|secret|credential|code|session|sessid|jwt|bearer|hmac|cookie|csrf"
    r"|(?<![a-z])(?:sas|otp|pin|pw|psk)(?![a-z])"
)
# Whole words that look like one of these and are none. What is in doubt is masked.
_HARMLESS_NAME = re.compile(
    r"(?<![a-z])(?:key(?:board|word|note|pad)s?|(?:mon|don|tur|hoc|joc|whis)keys?|authors?|authorit(?:y|ies)"
    r"|design(?:s|ed|er|ers)?|signals?|assign(?:s|ed|ee|ees|ment|ments)?|insights?|significan(?:t|ce)"
    r"|pass(?:age|ages|enger|engers|ive|ing)|compass|bypass|(?:en|de)cod(?:e|ed|er)|unicode|codecs?"
    r"|(?:zip|post|postal|country|area|region|state|city|lang|language|locale|currency|status|error|reason"
    r"|response|exit|dial|dialling|colou?r|product|bar|qr|geo)[^a-z]*codes?)(?![a-z])"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def masked(value: Any) -> Any:
    """The same JSON with every secret in every web address masked; numbers and booleans as they are."""
    if isinstance(value, str):
        return _masked_text(value) if "://" in value or "?" in value else value
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def storable(value: Any) -> Any:
    """The same JSON without what a database can't hold: NUL becomes U+2400, a lone surrogate U+FFFD."""
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value
        return value.replace("\x00", "\u2400").encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float):  # one spelling on every database: 1e3 comes back from PostgreSQL as 1000
        return str(value) if not math.isfinite(value) else int(value) if value.is_integer() else value
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return value


def has_mask(value: Any) -> bool:
    """Whether a value was masked: saving it as it stands would put the mask in the secret's place."""
    return isinstance(value, str) and _MASK.search(value) is not None


def unmasked(value: Any, origin: Any) -> Any:
    """The value with each mask in it replaced by the secret of `origin` that it stands for. A mask of anything else
    stays: `has_mask` tells."""
    if not has_mask(value) or not isinstance(origin, str):
        return value
    secrets = _secrets_of(origin)
    return _MASK.sub(lambda match: secrets.get(match.group(), match.group()), value)


def _secrets_of(text: str) -> dict[str, str]:
    """The secrets of a text by their masks: what stands where masking puts a mask, if that is its fingerprint."""
    shown, found, place = str(masked(text)), {}, 0
    plain = _MASK.split(shown)
    for mask, before, after in zip(_MASK.findall(shown), plain, plain[1:], strict=False):
        start = text.find(before, place) + len(before)
        end = text.find(after, start) if after else len(text)
        secret, place = text[start:end], end
        if _fingerprint(secret) == mask:
            found[mask] = secret
    return found


def _masked_text(text: str) -> str:
    if _ALONE.fullmatch(text):
        return _masked_address(text)
    return _WORD.sub(lambda match: _masked_address(match.group()), text)


def _masked_address(address: str) -> str:
    """An address, with a scheme or without; any other word stays as it is."""
    address = _USER_INFO.sub(lambda match: _fingerprint(match.group()), address)
    return "&".join(map(_masked_part, address.split("&"))) if "?" in address or "://" in address else address


def _masked_part(part: str) -> str:
    """What stands between two &. A secret goes on to its end: nobody agrees where ; and # begin something new."""
    starts = _secrets(part)
    if (
        not starts
        and "%" in part
        and (first := _NAMED.search(part))
        and _carries_a_secret(part[first.end() :])
    ):
        starts = [first.end()]
    return part[: starts[0]] + _fingerprint(part[starts[0] :]) if starts else part


def _secrets(part: str) -> list[int]:
    """Where the values begin that are named like a secret."""
    named = ((match.end(), unquote_plus(match[1])) for match in _NAMED.finditer(part))
    return [start for start, name in named if start < len(part) and _is_secret(name)]


def _is_secret(name: str) -> bool:
    words = _HARMLESS_NAME.sub(" ", _HUMP.sub("\0", name).lower())
    return _SECRET_NAME.search(words.replace("\0", "")) is not None


def _carries_a_secret(value: str) -> bool:
    """Whether a value has something to mask once it is decoded: an address within an address."""
    for _ in range(DEEPEST):
        value, encoded = unquote_plus(value), value
        if value == encoded:
            return False
        if _USER_INFO.search(value) or any(map(_secrets, value.split("&"))):
            return True
    return True


_MASK = re.compile(r"masked-[0-9a-f]{6}(?![0-9a-f])")


def _fingerprint(secret: str) -> str:
    if _MASK.fullmatch(secret):
        return secret
    # The first key of all: after AUDIT_KEY was changed, a secret that was not still looks the same.
    key = [settings.AUDIT_KEY, *settings.AUDIT_KEY_FALLBACKS][-1]
    digest = hmac.new(key.encode(), b"mask:" + secret.encode(), hashlib.sha256)
    return f"masked-{digest.hexdigest()[:6]}"
