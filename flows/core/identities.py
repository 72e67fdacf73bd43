"""Contact identities in the one spelling that all of their spellings share."""

from __future__ import annotations

from typing import Final

from flows.core import matching
from flows.core.normalization import fold

WHOLE_NUMBER: Final = 7  # digits from which an identity is compared as a phone number


def normal_identity(identity: str) -> str:
    """A contact identity in the one spelling that all of its spellings share: of a phone number, the digits."""
    text = fold(identity)
    digits = matching.digits_of(text.replace("(0)", "")).removeprefix("00")
    return digits if len(digits) >= WHOLE_NUMBER else text
