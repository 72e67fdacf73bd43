"""What people type into a search, as conditions on entries: words in any order, a phone number in any of its spellings,
the beginning of a SID."""

from __future__ import annotations

import itertools
import re
from typing import Final

from django.db.models import Q

from flows.core.invisible import strip_invisible
from flows.core.normalization import split_terms

PARTIAL_PHONE_MIN_DIGITS: Final = (
    4  # digits from which a text of digits and signs is looked for as a phone number
)
_SHORT_SID: Final = re.compile(
    r"([A-Z]{2}[0-9a-f]{2,30})(?:…|\.\.\.)([0-9a-f]{2,30})", re.IGNORECASE
)
_PHONE_NUMBER: Final = re.compile(
    r"(?:[a-z]+:)?(\+?[0-9 ()./\u00a0\u2010-\u2015-]+)", re.IGNORECASE
)


def text_filter(text: str, *, name: str = "name_folded", identity: str = "identity_folded") -> Q:
    """Holds for each entry that has every part of the text: a word in its name or its identity, a number in its identity.
    `name` and `identity` are the columns that have them, folded; one column may have both."""
    found, parts = Q(), split_parts(text)
    for part in parts:
        has_words = Q()
        for word in _split_words(part, parts):
            is_part_of_a_number = len(parts) == 1 or not (
                word.isdecimal() and len(word) < PARTIAL_PHONE_MIN_DIGITS
            )
            in_identity = Q((f"{identity}__contains", word)) if is_part_of_a_number else Q()
            has_words &= Q((f"{name}__contains", word)) | in_identity
        found &= has_words | phone_filter(part, identity=identity)
    return found | phone_filter(text, identity=identity)


def split_parts(text: str) -> list[str]:
    """Return the words of a search, folded, each once. Words of digits and signs in a row are one part if they may be a
    phone number: the parts of "Bristol (415) 555 1234" are "bristol" and "415) 555 1234"."""
    parts: list[str] = []
    for is_number, group in itertools.groupby(
        split_terms(text), key=lambda word: bool(_PHONE_NUMBER.fullmatch(word))
    ):
        words = list(group)
        run = " ".join(words)
        parts += (
            [run] if is_number and len(extract_digits(run)) >= PARTIAL_PHONE_MIN_DIGITS else words
        )
    return list(dict.fromkeys(parts))


def _split_words(part: str, parts: list[str]) -> list[str]:
    """The words of a part of a search; a number alone is looked for as it stands."""
    return part.split(" ") if len(parts) > 1 else [part]


def phone_filter(text: str, *, identity: str = "identity_folded") -> Q:
    """Holds for each entry that has this phone number in its identity."""
    found = Q(pk__in=[])
    for spelling in sorted(expand_phone_number(text)):
        found |= Q((f"{identity}__contains", spelling))
    return found


def sid_prefix_filter(text: str) -> Q:
    """Holds for each entry whose SID this is, or the beginning of."""
    sid = strip_invisible(text).strip()
    return Q(sid__startswith=sid) if re.fullmatch(r"FO[0-9a-fA-F]{1,32}", sid) else Q(pk__in=[])


def index_terms(text: str) -> set[str]:
    """One of which stands in the name or the identity of each entry that `stands_in` holds for."""
    parts = split_parts(text)
    part = max(parts, key=len)
    return {
        max(_split_words(part, parts), key=len),
        *expand_phone_number(part),
        *expand_phone_number(text),
    }


def extract_digits(text: str) -> str:
    """The digits of a phone number in any of its spellings: (415) 555-1234, +1 415 555 1234, whatsapp:+1…, 0041…"""
    number = _PHONE_NUMBER.fullmatch(strip_invisible(text).strip())
    return re.sub(r"[^0-9]", "", number[1]) if number else ""


def expand_phone_number(text: str) -> set[str]:
    """How that number may stand in an identity. Abroad it is written with 00 for the +, at home with a 0."""
    digits = extract_digits(text)
    if len(digits) < PARTIAL_PHONE_MIN_DIGITS:
        return set()
    return {digits, digits.removeprefix("00"), digits.removeprefix("0")}


def split_short_sid(text: str) -> tuple[str, str] | None:
    """Return the beginning and the end, folded, of a SID as pages shorten it: FO1234…abcd."""
    short = _SHORT_SID.fullmatch(text.strip())
    return (short[1].lower(), short[2].lower()) if short else None
