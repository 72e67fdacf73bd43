"""What people type into a search, as conditions on entries: words in any order, a phone number in any of its spellings,
the beginning of a SID."""

from __future__ import annotations

import itertools
import re
from typing import Final

from django.db.models import Q

from flows.core.invisible import without_hidden
from flows.core.normalization import words_of

PART_OF_A_NUMBER: Final = 4  # digits from which a text of digits and signs is looked for as a phone number
_SHORT_SID: Final = re.compile(r"([A-Z]{2}[0-9a-f]{2,30})(?:…|\.\.\.)([0-9a-f]{2,30})", re.IGNORECASE)
_NUMBER: Final = re.compile(r"(?:[a-z]+:)?(\+?[0-9 ()./\u00a0\u2010-\u2015-]+)", re.IGNORECASE)


def stands_in(text: str, *, name: str = "name_folded", identity: str = "identity_folded") -> Q:
    """Holds for each entry that has every part of the text: a word in its name or its identity, a number in its identity.
    `name` and `identity` are the columns that have them, folded; one column may have both."""
    found, parts = Q(), parts_of(text)
    for part in parts:
        has_words = Q()
        for word in _words_in(part, parts):
            is_part_of_a_number = len(parts) == 1 or not (word.isdecimal() and len(word) < PART_OF_A_NUMBER)
            in_identity = Q((f"{identity}__contains", word)) if is_part_of_a_number else Q()
            has_words &= Q((f"{name}__contains", word)) | in_identity
        found &= has_words | has_number(part, identity=identity)
    return found | has_number(text, identity=identity)


def parts_of(text: str) -> list[str]:
    """Return the words of a search, folded, each once. Words of digits and signs in a row are one part if they may be a
    phone number: the parts of "Bristol (415) 555 1234" are "bristol" and "415) 555 1234"."""
    parts: list[str] = []
    for is_number, group in itertools.groupby(words_of(text), key=lambda word: bool(_NUMBER.fullmatch(word))):
        words = list(group)
        run = " ".join(words)
        parts += [run] if is_number and len(digits_of(run)) >= PART_OF_A_NUMBER else words
    return list(dict.fromkeys(parts))


def _words_in(part: str, parts: list[str]) -> list[str]:
    """The words of a part of a search; a number alone is looked for as it stands."""
    return part.split(" ") if len(parts) > 1 else [part]


def has_number(text: str, *, identity: str = "identity_folded") -> Q:
    """Holds for each entry that has this phone number in its identity."""
    found = Q(pk__in=[])
    for spelling in sorted(spellings(text)):
        found |= Q((f"{identity}__contains", spelling))
    return found


def begins_sid(text: str) -> Q:
    """Holds for each entry whose SID this is, or the beginning of."""
    sid = without_hidden(text).strip()
    return Q(sid__startswith=sid) if re.fullmatch(r"FO[0-9a-fA-F]{1,32}", sid) else Q(pk__in=[])


def texts_of(text: str) -> set[str]:
    """One of which stands in the name or the identity of each entry that `stands_in` holds for."""
    parts = parts_of(text)
    part = max(parts, key=len)
    return {max(_words_in(part, parts), key=len), *spellings(part), *spellings(text)}


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


def ends_of_short_sid(text: str) -> tuple[str, str] | None:
    """Return the beginning and the end, folded, of a SID as pages shorten it: FO1234…abcd."""
    short = _SHORT_SID.fullmatch(text.strip())
    return (short[1].lower(), short[2].lower()) if short else None
