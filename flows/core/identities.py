"""Contact identities normalized, so that different spellings can be compared.

Every enabled flow is compared. libphonenumber takes several times as long as taking the digits, so
it only reads numbers with a trunk zero in parentheses, such as "+44 (0)20 7946 0958".
"""

from __future__ import annotations

from typing import Final

from flows.core import matching
from flows.core.normalization import normalize_text
from flows.core.phone_numbers import to_e164

PHONE_MIN_DIGITS: Final = 7  # an identity with fewer digits is not compared as a phone number


def normalize_identity(identity: str) -> str:
    """Return the form that all spellings of a contact identity share.

    It is the digits of a phone number, and the normalized text of anything else.
    """
    text = normalize_text(identity)
    international = to_e164(text) if "(0)" in text else ""
    digits = matching.extract_digits(international or text).removeprefix("00")
    return digits if len(digits) >= PHONE_MIN_DIGITS else text
