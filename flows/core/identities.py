"""Contact identities in the one spelling that all of their spellings share."""

from __future__ import annotations

from typing import Final

from flows.core import matching
from flows.core.normalization import normalize_text

PHONE_MIN_DIGITS: Final = 7  # digits from which an identity is compared as a phone number


def normalize_identity(identity: str) -> str:
    """A contact identity in the one spelling that all of its spellings share: of a phone number, the digits."""
    text = normalize_text(identity)
    digits = matching.extract_digits(text.replace("(0)", "")).removeprefix("00")
    return digits if len(digits) >= PHONE_MIN_DIGITS else text
