"""Masks: keyed fingerprints that stand in the place of secrets.

A mask tells that a secret changed and never what it is. The key is not in the database, so nobody who has the
database alone can try out guesses.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from django.conf import settings

MASK_PATTERN: Final = re.compile(r"masked-[0-9a-f]{6}(?![0-9a-f])")


class Masker:
    """Masks the secrets of one value and remembers which mask stands for which secret."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def mask(self, secret: str) -> str:
        """Return the mask of a secret. A mask is its own mask; nothing stays nothing."""
        if not secret or MASK_PATTERN.fullmatch(secret):
            return secret
        found = fingerprint(secret)
        # Rules are applied one after the other: a later secret can have an earlier mask in it.
        self.secrets[found] = MASK_PATTERN.sub(
            lambda inner: self.secrets.get(inner[0], inner[0]), secret
        )
        return found


def fingerprint(secret: str) -> str:
    """Return the mask of a text by the site's key."""
    # The first key of all: after AUDIT_KEY was changed, a secret that was not still looks the same.
    key = [settings.AUDIT_KEY, *settings.AUDIT_KEY_FALLBACKS][-1]
    digest = hmac.new(
        key.encode(), b"mask:" + secret.encode(errors="surrogatepass"), hashlib.sha256
    )
    return f"masked-{digest.hexdigest()[:6]}"
