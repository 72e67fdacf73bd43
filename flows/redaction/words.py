"""Recognition of plain words, which may be shown, among the keys, ids and tokens of a URL.

A doubtful text counts as random.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final
from urllib.parse import unquote

MAX_LENGTH: Final = 40  # characters of one part of a URL
MAX_WORD_LENGTH: Final = 15
MAX_UNKNOWN_WORDS: Final = 3  # beyond `_SHORT_WORDS`; more of them may be a passphrase
MIN_LONG_WORD_LENGTH: Final = 4
MAX_UNKNOWN_SHORT_WORDS: Final = 1
MAX_DIGITS: Final = 4

# Short words and abbreviations that webhook URLs often contain. `_is_word` judges longer words.
_SHORT_WORD_LIST: Final = (
    "a an and api app apps asp aspx aws az b2b b2c bot bots cb cc cgi chat cms com crm ctl cx de "
    "dev do dtmf en "
    "erp es eu ex faq flex fr gb get go hk hook hooks html http https id in inbound incoming io ip "
    "ivr js json jsp kb latest lib line live main mms msg my new news no nav net node of on ops or "
    "org out page php post pub py qa queue queues rcs rest rpc rt run sales sap sms smtp soap srv "
    "sso st studio svc sync sys task tasks test to tts tv tw twilio twiml uat ui uk us usa v voice "
    "vip web webhook webhooks whatsapp wa wx xml www taskrouter webhook proxy json unique column "
    "strategy path paths workflow workflows facebook messenger"
)
_SHORT_WORDS: Final = frozenset(_SHORT_WORD_LIST.split())
# The letters that can follow each letter in words of the languages that URLs are written in.
_LETTER_PAIRS: Final = (
    "a:bcdfgijklmnoprstuvwxy b:abcdeijlnoprstuy c:acdefhiklmnoprstuy d:abcdefgijlmnoprstuvy "
    "e:abcdefghijklmnopqrstuvwxyz f:adefilorstuy g:aeghilmnorstu h:aeilmnorstuy "
    "i:abcdefgklmnoprstvxz j:aeou k:adegilnstuw l:abcdefiklmnoprstuvy m:abdeilmopstuy "
    "n:abcdefghiklmnoprstuvy o:abcdefgijklmnoprstuvwx p:acdefhiklnoprstuy q:u "
    "r:abcdefgiklmnoprstuvwy s:acdefghiklmnopqrstuwy t:abcdefhilmnoprstuvwy u:abcdefgilmnoprst "
    "v:aeio w:aehilnors x:acefimptx y:bcegilmnopst z:aeio"
)
_NEXT_LETTERS: Final = dict(pair.split(":") for pair in _LETTER_PAIRS.split())
_CAMEL_CASE_WORD: Final = re.compile(r"[A-Z]?[a-z]+(?:[A-Z][a-z]+){0,3}|[A-Z]{1,3}")
_CAMEL_CASE_PART: Final = re.compile(r"[A-Z]{1,3}(?![a-z])|[A-Z]?[a-z]+")
_VERSION: Final = re.compile(r"[vV]\d{1,3}|\d{1,4}")
_DATE: Final = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d")
_SID: Final = re.compile(r"(?!SK)[A-Z]{2}[0-9a-f]{32}")  # SK is an API key's SID
_DATE_OR_SID: Final = re.compile(f"{_DATE.pattern}|{_SID.pattern}")
_VERSION_OR_WORD: Final = re.compile(f"{_VERSION.pattern}|{_CAMEL_CASE_WORD.pattern}")
_WORD_SEPARATOR: Final = re.compile(r"[-_.+~, ]")
_VOWEL: Final = re.compile(r"[aeiouy]")
# Four consonants or vowels in a row, hexadecimal digits, or a letter that words don't double.
_UNPRONOUNCEABLE: Final = re.compile(
    r"[^aeiouy]{4}|[aeiou]{4}|[a-f]{7}|([aiuyhjkqvwx])\1|^([^aeiouy])\2"
)
_TICKET_NUMBER: Final = re.compile(r"[A-Z][A-Z0-9]{1,9}-\d{1,8}|[A-Z]{2,5}\d{4,10}|#?\d{1,12}")
_LETTERS_OR_TICKET: Final = re.compile(rf"[^\W\d_]{{1,20}}|{_TICKET_NUMBER.pattern}")
# Characters of a key: no white space, and at least one digit and one letter.
_LONG_RUN: Final = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])\S{20,}")


def is_plain(part: str) -> bool:
    """Return True if a part of a URL is plain words, a version, a date, a small number or a SID."""
    text = unquote(part)
    if _DATE_OR_SID.fullmatch(text):
        return True
    if len(text) > MAX_LENGTH or _count_digits(text) > MAX_DIGITS:
        return False
    text = _strip_accents(text)
    if not all(map(_VERSION_OR_WORD.fullmatch, _split_words(text))):
        return False
    words = _CAMEL_CASE_PART.findall(text)  # of a version only the v, which is a short word
    return _are_words(map(str.lower, words))


def is_plain_in_prose(part: str) -> bool:
    """Return True if a part of a URL in a sentence is plain, or the id of a ticket or document."""
    if is_plain(part):
        return True
    text = unquote(part)
    if _TICKET_NUMBER.fullmatch(text):
        return True
    words = _split_words(text)
    return bool(words) and all(map(_LETTERS_OR_TICKET.fullmatch, words))


def is_random(text: str) -> bool:
    """Return True if a text is a long run of letters and digits, such as a key."""
    if not _LONG_RUN.fullmatch(text):
        return False
    if _DATE.match(text):
        return False
    return not is_plain_in_prose(text)


def _split_words(text: str) -> list[str]:
    return list(filter(None, _WORD_SEPARATOR.split(text)))


def _count_digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def _are_words(words: Iterable[str]) -> bool:
    """Return True if words in lower case are known, or few and pronounceable."""
    unknown_words = [word for word in words if word not in _SHORT_WORDS]
    if len(unknown_words) > MAX_UNKNOWN_WORDS:
        return False
    long_words = [word for word in unknown_words if len(word) >= MIN_LONG_WORD_LENGTH]
    if len(unknown_words) - len(long_words) > MAX_UNKNOWN_SHORT_WORDS:
        return False
    return all(map(_is_word, long_words))


def _is_word(text: str) -> bool:
    """Return True if a text in lower case can be pronounced as a word."""
    if len(text) > MAX_WORD_LENGTH or not _VOWEL.search(text):
        return False
    if _UNPRONOUNCEABLE.search(text):
        return False
    return all(map(_can_follow, text[1:], text))


def _can_follow(letter: str, previous: str) -> bool:
    return letter in _NEXT_LETTERS.get(previous, "")


def _strip_accents(text: str) -> str:
    """Return the text with a plain letter for each letter with an accent."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(character for character in decomposed if not unicodedata.combining(character))
