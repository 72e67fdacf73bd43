"""What people type into a search, as conditions on entries: words in any order, a phone number in any of its spellings,
the beginning of a SID."""

from __future__ import annotations

import re
from typing import Final

from django.db.models import Q

from flows.folding import words_of
from flows.invisible import without_hidden

PART_OF_A_NUMBER: Final = 4  # digits from which a text of digits and signs is looked for as a phone number
_NUMBER: Final = re.compile(r"(?:[a-z]+:)?(\+?[0-9 ()./\u00a0\u2010-\u2015-]+)", re.IGNORECASE)


def stands_in(text: str) -> Q:
    """Holds for each entry that has the words in its name or its identity, or the number in its identity."""
    named = Q()
    words = words_of(text)
    for word in words:
        is_part_of_a_number = len(words) == 1 or not (word.isdecimal() and len(word) < PART_OF_A_NUMBER)
        in_identity = Q(identity_folded__contains=word) if is_part_of_a_number else Q()
        named &= Q(name_folded__contains=word) | in_identity
    return named | has_number(text)


def has_number(text: str) -> Q:
    """Holds for each entry that has this phone number in its identity."""
    found = Q(pk__in=[])
    for spelling in sorted(spellings(text)):
        found |= Q(identity_folded__contains=spelling)
    return found


def begins_sid(text: str) -> Q:
    """Holds for each entry whose SID this is, or the beginning of."""
    sid = without_hidden(text).strip()
    return Q(sid__startswith=sid) if re.fullmatch(r"FO[0-9a-fA-F]{1,32}", sid) else Q(pk__in=[])


def texts_of(text: str) -> set[str]:
    """One of which stands in the name or the identity of each entry that `stands_in` holds for."""
    return {max(words_of(text), key=len), *spellings(text)}


def digits_of(text: str) -> str:
    """The digits of a phone number in any of its spellings: (415) 555-1234, +1 415 555 1234, whatsapp:+1…, 0041…"""
    number = _NUMBER.fullmatch(without_hidden(text).strip())
    return re.sub(r"[^0-9]", "", number[1]) if number else ""


def spellings(text: str) -> set[str]:
    """How that number may stand in an identity. Abroad it is written with 00 for the +, at home with a 0."""
    digits = digits_of(text)
    if len(digits) < PART_OF_A_NUMBER:
        return set()
    return {digits, digits.removeprefix("00"), digits.removeprefix("0")}
