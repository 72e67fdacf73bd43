"""Search conditions: words in any order, phone numbers in any spelling, starts of SIDs.

A search can have a part of a phone number or lack the country code. Neither is a number to
libphonenumber, so this module reads digits itself and asks the library for whole numbers.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.db.models import Q

from flows.core.invisible import strip_invisible
from flows.core.normalization import split_terms
from flows.core.phone_numbers import to_e164

# A text with fewer digits is not searched for as a phone number.
PARTIAL_PHONE_MIN_DIGITS: Final = 4
MIN_SID_END: Final = 4  # digits of a SID's end, as pages show it
_SHORT_SID: Final = re.compile(
    r"([A-Z]{2}[0-9a-f]{2,30})(?:…|\.\.\.)([0-9a-f]{2,30})", re.IGNORECASE
)
_SID_START: Final = re.compile(r"[a-z]{2}[0-9a-f]{2,32}")
_SID_END: Final = re.compile(rf"\.\.\.([0-9a-f]{{2,32}})|([0-9a-f]{{{MIN_SID_END},32}})")
_NO_FILTERS: Final[Mapping[str, Q]] = MappingProxyType({})
_PHONE_NUMBER: Final = re.compile(
    r"(?:[a-z]+:)?(\+?[0-9 ()./\u00a0\u2010-\u2015-]+)", re.IGNORECASE
)


def text_filter(
    text: str,
    *,
    name: str = "name_folded",
    identity: str = "identity_folded",
    word_filters: Mapping[str, Q] = _NO_FILTERS,
) -> Q:
    """Return a condition for entries that contain every part of a search.

    A word matches the name or the identity, a phone number matches the identity. `name` and
    `identity` are the columns with the normalized texts. Both can be the same column. Entries
    match a word of `word_filters` by that condition as well.
    """
    parts = split_parts(text)
    has_all_parts = Q()
    for part in parts:
        has_words = Q()
        for word in _split_words(part, parts):
            is_only_part = len(parts) == 1
            has_word = _word_filter(word, name, identity, is_only_part=is_only_part)
            has_words &= has_word | word_filters.get(word, Q(pk__in=[]))
        has_all_parts &= has_words | phone_filter(part, identity=identity)
    return has_all_parts | phone_filter(text, identity=identity)


def _word_filter(word: str, name: str, identity: str, *, is_only_part: bool) -> Q:
    """Return a condition for entries with a word.

    Next to other words, a short number is only searched for in names, because most phone numbers
    contain it.
    """
    is_in_name = Q((f"{name}__contains", word))
    is_short_number = word.isdecimal() and len(word) < PARTIAL_PHONE_MIN_DIGITS
    if is_short_number and not is_only_part:
        return is_in_name
    return is_in_name | Q((f"{identity}__contains", word))


def split_parts(text: str) -> list[str]:
    """Return the normalized words of a search, each once.

    Adjacent words of digits and punctuation are one part if they may be a phone number. The parts
    of "Bristol (415) 555 1234" are "bristol" and "415) 555 1234".
    """
    parts: list[str] = []
    for is_number, group in itertools.groupby(split_terms(text), key=_is_number):
        words = list(group)
        phone_number = " ".join(words)
        has_enough_digits = len(extract_digits(phone_number)) >= PARTIAL_PHONE_MIN_DIGITS
        parts += [phone_number] if is_number and has_enough_digits else words
    return list(dict.fromkeys(parts))


def split_words(text: str) -> list[str]:
    """Return the words that `text_filter` compares, each once."""
    parts = split_parts(text)
    words = [word for part in parts for word in _split_words(part, parts)]
    return list(dict.fromkeys(words))


def _is_number(word: str) -> bool:
    return _PHONE_NUMBER.fullmatch(word) is not None


def _split_words(part: str, parts: list[str]) -> list[str]:
    """Return the words of one part of a search. A part that is the whole search stays whole."""
    return part.split(" ") if len(parts) > 1 else [part]


def phone_filter(text: str, *, identity: str = "identity_folded") -> Q:
    """Return a condition for entries with this phone number in their identity."""
    has_number = Q(pk__in=[])
    for spelling in sorted(expand_phone_number(text)):
        has_number |= Q((f"{identity}__contains", spelling))
    return has_number


def sid_filter(text: str) -> Q:
    """Return a condition for entries whose SID starts with this text, or is shortened to it."""
    sid = strip_invisible(text).strip()
    if re.fullmatch(r"FO[0-9a-fA-F]{1,32}", sid):
        return Q(sid__startswith=sid)
    short_sid = split_short_sid(sid)
    if short_sid and short_sid[0].startswith("fo"):
        return Q(sid__istartswith=short_sid[0], sid__iendswith=short_sid[1])
    return Q(pk__in=[])


def is_part_of_sid(sid: str, word: str) -> bool:
    """Return True if a word is a SID in lower case, its beginning, its end or its short form.

    Short forms are FW1234…abcd, as pages show it, and …abcd.
    """
    if short_sid := split_short_sid(word):
        return sid.startswith(short_sid[0]) and sid.endswith(short_sid[1])
    if _SID_START.fullmatch(word) and sid.startswith(word):
        return True
    end = _SID_END.fullmatch(word)
    return end is not None and sid.endswith(end[1] or end[2])


def index_terms(text: str) -> dict[str, set[str]]:
    """Return texts for an index by word, the words that narrow a search most first.

    Every entry with all words in its columns contains one of the texts of any word.
    """
    parts = split_parts(text)
    whole_number = expand_phone_number(text)
    return {
        word: {word, *expand_phone_number(part), *whole_number}
        for part in sorted(parts, key=len, reverse=True)
        for word in sorted(_split_words(part, parts), key=len, reverse=True)
    }


def extract_digits(text: str) -> str:
    """Return the digits of a phone number, or "" if the text is not one.

    Spellings are (415) 555-1234, +1 415 555 1234, whatsapp:+1… and 0041….
    """
    number = _PHONE_NUMBER.fullmatch(strip_invisible(text).strip())
    return re.sub(r"[^0-9]", "", number[1]) if number else ""


def expand_phone_number(text: str) -> set[str]:
    """Return the spellings of a phone number that an identity can contain.

    International numbers can start with 00 in place of +, national ones with 0. A whole number is
    also spelled as E.164 does it, without the 0 of "+44 (0)20 7946 0958".
    """
    international = to_e164(text)
    spellings = {international.removeprefix("+")} if international else set()
    digits = extract_digits(text)
    if len(digits) >= PARTIAL_PHONE_MIN_DIGITS:
        spellings |= {digits, digits.removeprefix("00"), digits.removeprefix("0")}
    return spellings


def split_short_sid(text: str) -> tuple[str, str] | None:
    """Return the start and the end, in lower case, of a SID shortened as FO1234…abcd, or None."""
    short = _SHORT_SID.fullmatch(text.strip())
    return (short[1].lower(), short[2].lower()) if short else None
