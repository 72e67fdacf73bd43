"""Recognition of names that secrets have, as query parameters, JSON keys and labels in text."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_plus

_SECRET_NAME: Final = re.compile(
    r"token|key|sig|auth|pass|pwd|secret|credential|code|session|sessid|jwt|bearer|hmac|cookie|csrf"
    r"|(?<![a-z])(?:sas|otp|pin|pw|psk)(?![a-z])"
)
# Names beyond the rules of the first versions. They are whole words: "sec", but not "second".
_POSSIBLE_SECRET_NAME: Final = re.compile(
    r"private|(?<![a-z])"
    r"(?:hash|digest|mac|tok|sec|cred|creds|ticket|nonce|salt|cert|seed|access)(?![a-z])"
)
_SINGLE_LETTER: Final = re.compile(r"(?![qv])[a-z][0-9]?")  # q is a query and v a version
# Whole words that only look like names of secrets. A doubtful word is not listed, so it is masked.
_HARMLESS_WORD: Final = re.compile(
    r"(?<![a-z])(?:key(?:board|word|note|pad)s?|(?:mon|don|tur|hoc|joc|whis)keys?|authors?"
    r"|authorit(?:y|ies)|design(?:s|ed|er|ers)?|signals?|assign(?:s|ed|ee|ees|ment|ments)?"
    r"|insights?|significan(?:t|ce)"
    r"|pass(?:age|ages|enger|engers|ive|ing)|compass|bypass|(?:en|de)cod(?:e|ed|er)|unicode|codecs?"
    r"|(?:zip|post|postal|country|area|region|state|city|lang|language|locale|currency|status"
    r"|error|reason|response|exit|dial|dialling|colou?r|product|bar|qr|geo)[^a-z]*codes?)(?![a-z])"
)
_CAMEL_CASE_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_secret_name(name: str) -> bool:
    """Return True if a secret has this name, by the rules of this site's first versions."""
    words = _HARMLESS_WORD.sub(" ", _CAMEL_CASE_BOUNDARY.sub("\0", name).lower())
    return _SECRET_NAME.search(words.replace("\0", "")) is not None


def may_be_secret_name(name: str) -> bool:
    """Return True if a secret may have this name, such as also a digest or a ticket."""
    decoded = unquote_plus(name)
    if is_secret_name(decoded):
        return True
    words = _CAMEL_CASE_BOUNDARY.sub("_", decoded).lower()
    return _POSSIBLE_SECRET_NAME.search(words) is not None


def is_single_letter(name: str) -> bool:
    """Return True if a name is one letter, such as `k` or `t`, which may be a secret's."""
    return _SINGLE_LETTER.fullmatch(name.lower()) is not None
