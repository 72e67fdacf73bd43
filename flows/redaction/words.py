"""Plain words beside random characters: which part of an address anybody may read.

A key, an id or a token is not made of words. What is in doubt counts as none.
"""

from __future__ import annotations

import re
import unicodedata
from itertools import pairwise
from typing import Final
from urllib.parse import unquote

MAX_LENGTH: Final = 40  # characters of a part of an address
MAX_WORD_LENGTH: Final = 15
MAX_UNKNOWN_WORDS: Final = 3  # that nobody knows: more of them may be a passphrase
MAX_DIGITS: Final = 4

# Short words and abbreviations that webhooks' addresses are full of. Longer ones are known by their sound.
_SHORT_WORD_LIST: Final = (
    "a an and api app apps asp aspx aws az b2b b2c bot bots cb cc cgi chat cms com crm ctl cx de dev do dtmf en "
    "erp es eu ex faq flex fr gb get go hk hook hooks html http https id in inbound incoming io ip ivr js json jsp "
    "kb latest lib line live main mms msg my new news no nav net node of on ops or org out page php post pub py qa "
    "queue queues rcs rest rpc rt run sales sap sms smtp soap srv sso st studio svc sync sys task tasks test to tts tv "
    "tw twilio twiml uat ui uk us usa v voice vip web webhook webhooks whatsapp wa wx xml www "
    "taskrouter webhook proxy json unique column strategy path paths workflow workflows facebook messenger"
)
_SHORT_WORDS: Final = frozenset(_SHORT_WORD_LIST.split())
# The letters that follow each letter in words of the languages that addresses are written in.
_LETTER_PAIRS: Final = (
    "a:bcdfgijklmnoprstuvwxy b:abcdeijlnoprstuy c:acdefhiklmnoprstuy d:abcdefgijlmnoprstuvy e:abcdefghijklmnopqrstuvwxyz "
    "f:adefilorstuy g:aeghilmnorstu h:aeilmnorstuy i:abcdefgklmnoprstvxz j:aeou k:adegilnstuw l:abcdefiklmnoprstuvy "
    "m:abdeilmopstuy n:abcdefghiklmnoprstuvy o:abcdefgijklmnoprstuvwx p:acdefhiklnoprstuy q:u r:abcdefgiklmnoprstuvwy "
    "s:acdefghiklmnopqrstuwy t:abcdefhilmnoprstuvwy u:abcdefgilmnoprst v:aeio w:aehilnors x:acefimptx y:bcegilmnopst z:aeio "
)
_NEXT_LETTERS: Final = dict(pair.split(":") for pair in _LETTER_PAIRS.split())
_CAMEL_CASE_WORD: Final = re.compile(r"[A-Z]?[a-z]+(?:[A-Z][a-z]+){0,3}|[A-Z]{1,3}")
_CAMEL_CASE_PART: Final = re.compile(r"[A-Z]{1,3}(?![a-z])|[A-Z]?[a-z]+")
_VERSION: Final = re.compile(r"[vV]\d{1,3}|\d{1,4}")
_DATE: Final = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d")
_SID: Final = re.compile(r"(?!SK)[A-Z]{2}[0-9a-f]{32}")  # an identifier; SK is half of a credential
_WORD_SEPARATOR: Final = re.compile(r"[-_.+~, ]")
_VOWEL: Final = re.compile(r"[aeiouy]")
# Four consonants or vowels on end, hexadecimal digits, a letter twice that no word doubles.
_UNPRONOUNCEABLE: Final = re.compile(
    r"[^aeiouy]{4}|[aeiou]{4}|[a-f]{7}|([aiuyhjkqvwx])\1|^([^aeiouy])\2"
)
_TICKET_NUMBER: Final = re.compile(r"[A-Z][A-Z0-9]{1,9}-\d{1,8}|[A-Z]{2,5}\d{4,10}|#?\d{1,12}")
_LETTERS: Final = re.compile(r"[^\W\d_]{1,20}")


def is_plain(part: str) -> bool:
    """Tell whether a part of an address is made of plain words, a version, a date, a small number or a SID."""
    text = unquote(part) if "%" in part else part
    if len(text) > MAX_LENGTH or not text:
        return not text
    if _DATE.fullmatch(text) or _SID.fullmatch(text):
        return True
    words = [word for word in _WORD_SEPARATOR.split(_strip_accents(text)) if word]
    if sum(character.isdigit() for character in text) > MAX_DIGITS:
        return False
    humps: list[str] = []
    for word in words:
        if _VERSION.fullmatch(word):
            continue
        if not _CAMEL_CASE_WORD.fullmatch(word):
            return False
        humps += _CAMEL_CASE_PART.findall(word)
    return _are_words([hump.lower() for hump in humps])


def is_plain_in_prose(part: str) -> bool:
    """The same for addresses that people write in sentences, which name tickets and documents."""
    text = unquote(part) if "%" in part else part
    if is_plain(part) or _TICKET_NUMBER.fullmatch(text):
        return True
    words = [word for word in _WORD_SEPARATOR.split(text) if word]
    return bool(words) and all(
        _LETTERS.fullmatch(word) or _TICKET_NUMBER.fullmatch(word) for word in words
    )


def is_random(text: str) -> bool:
    """Tell whether a text is one long run of letters and digits that nobody would type: a key rather than a word."""
    if len(text) < 20 or re.search(r"\s", text) or _SID.fullmatch(text) or _DATE.match(text):
        return False
    return bool(
        re.search(r"[0-9]", text) and re.search(r"[A-Za-z]", text)
    ) and not is_plain_in_prose(text)


def _are_words(humps: list[str]) -> bool:
    unknown = [hump for hump in humps if hump not in _SHORT_WORDS]
    short = [hump for hump in unknown if len(hump) < 4]
    if len(unknown) > MAX_UNKNOWN_WORDS or len(short) > 1:
        return False
    return all(len(hump) < 4 or _is_word(hump) for hump in unknown)


def _is_word(text: str) -> bool:
    if len(text) > MAX_WORD_LENGTH or not _VOWEL.search(text) or _UNPRONOUNCEABLE.search(text):
        return False
    return all(after in _NEXT_LETTERS.get(letter, "") for letter, after in pairwise(text))


def _strip_accents(text: str) -> str:
    if text.isascii():
        return text
    apart = unicodedata.normalize("NFD", text)
    return "".join(character for character in apart if not unicodedata.combining(character))
