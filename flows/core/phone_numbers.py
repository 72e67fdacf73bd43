"""Phone numbers in international form, read with Google's libphonenumber.

A number needs its country code, as in "+33 6 12 34 56 78", "0033…", "tel:+33…" and "whatsapp:+33…".
The library would read "06 12 34 56 78" only with a country, which a contact identity doesn't have.
"""

from __future__ import annotations

import functools
import re
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat, ValidationResult

from flows.core.invisible import strip_invisible

# The library finds a number within other text, too. A text with other words is no number here.
_INTERNATIONAL: Final = re.compile(
    r"\s*(?:[a-z]+:)?\s*(?:[+\uff0b]|00)([\d\s()./\u2010-\u2015-]+)", re.IGNORECASE
)


@functools.lru_cache(maxsize=4096)  # a list shows the same numbers again and again
def to_e164(text: str) -> str:
    """Return a phone number as +33612345678, or "" if the text is not one.

    The country must exist and have numbers of this length. Ranges in use are not compared: the
    library's list lacks new ones and those that are reserved for fiction.
    """
    international = _INTERNATIONAL.fullmatch(strip_invisible(text))
    if international is None:
        return ""
    try:
        number = phonenumbers.parse(f"+{international[1]}")
    except NumberParseException:
        return ""
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return ""
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
