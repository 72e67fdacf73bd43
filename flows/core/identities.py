"""Contact identities normalized, so that different spellings can be compared."""

from __future__ import annotations

from typing import Final

from flows.core import matching
from flows.core.normalization import normalize_text

PHONE_MIN_DIGITS: Final = 7  # an identity with fewer digits is not compared as a phone number


def normalize_identity(identity: str) -> str:
    """Return the form that all spellings of a contact identity share.

    It is the digits of a phone number, and the normalized text of anything else.
    """
    text = normalize_text(identity)
    digits = matching.extract_digits(text.replace("(0)", "")).removeprefix("00")
    return digits if len(digits) >= PHONE_MIN_DIGITS else text
