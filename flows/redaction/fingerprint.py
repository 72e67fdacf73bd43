"""Masks, which are keyed fingerprints that replace secrets.

A mask shows that a secret changed, but not the secret. The key is not in the database, so the
database alone is not enough to test guesses.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final

from django.conf import settings

MASK_PATTERN: Final = re.compile(r"masked-[0-9a-f]{6}(?![0-9a-f])")


class Masker:
    """Masks the secrets of one value. `secrets` maps each mask to its secret."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}

    def mask(self, secret: str) -> str:
        """Return the mask of a secret. A mask and "" are returned unchanged."""
        if not secret or MASK_PATTERN.fullmatch(secret):
            return secret
        mask = fingerprint(secret)
        # Rules apply one after the other, so a secret can contain the mask of an earlier rule.
        self.secrets[mask] = MASK_PATTERN.sub(
            lambda match: self.secrets.get(match[0], match[0]), secret
        )
        return mask


def fingerprint(secret: str) -> str:
    """Return the mask of a text, made with the site's oldest audit key."""
    # The oldest key, so that a mask stays the same after AUDIT_KEY is rotated.
    key = [settings.AUDIT_KEY, *settings.AUDIT_KEY_FALLBACKS][-1]
    digest = hmac.new(
        key.encode(), b"mask:" + secret.encode(errors="surrogatepass"), hashlib.sha256
    )
    return f"masked-{digest.hexdigest()[:6]}"
