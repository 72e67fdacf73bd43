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

_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s<>\"']+", re.IGNORECASE)
_USER_INFO = re.compile(r"(?<=://)[^/?#@]*(?:@[^/?#@]*)*(?=@)")
_PARAMETER = re.compile(r"([?&#;])([^=&;#?]*)=([^&;#]*)")
_SECRET_NAME = re.compile(
    r"token|key|sig|auth|pass|pwd|secret|credential|code|session|jwt|bearer|\bsas\b", re.IGNORECASE
)


def masked(value: Any) -> Any:
    """The same JSON with every secret in every web address masked; numbers and booleans as they are."""
    if isinstance(value, str):
        return _ADDRESS.sub(lambda match: _masked_address(match.group()), value) if "://" in value else value
    if isinstance(value, dict):
        return {key: masked(item) for key, item in value.items()}
    if isinstance(value, list):
        return [masked(item) for item in value]
    return value


def storable(value: Any) -> Any:
    """The same JSON without what a database can't hold: NUL becomes U+2400, a lone surrogate U+FFFD."""
    if isinstance(value, str):
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


def _masked_address(address: str) -> str:
    address = _USER_INFO.sub(lambda match: _fingerprint(match.group()), address, count=1)
    return _PARAMETER.sub(_masked_parameter, address)


def _masked_parameter(match: re.Match[str]) -> str:
    separator, name, value = match.groups()
    if value and _SECRET_NAME.search(unquote_plus(name)):
        value = _fingerprint(value)
    return f"{separator}{name}={value}"


_MASK = re.compile(r"masked-[0-9a-f]{6}(?![0-9a-f])")


def _fingerprint(secret: str) -> str:
    if _MASK.fullmatch(secret):
        return secret
    digest = hmac.new(settings.AUDIT_KEY.encode(), b"mask:" + secret.encode(), hashlib.sha256)
    return f"masked-{digest.hexdigest()[:6]}"
