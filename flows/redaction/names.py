"""Names of secrets: query parameters, fields of JSON objects, and what people write before a colon."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_plus

_SECRET_NAME: Final = re.compile(
    r"token|key|sig|auth|pass|pwd|secret|credential|code|session|sessid|jwt|bearer|hmac|cookie|csrf"
    r"|(?<![a-z])(?:sas|otp|pin|pw|psk)(?![a-z])"
)
# Beside those that masked before. They stand alone: "sec" is one, "second" is none.
_POSSIBLE_SECRET_NAME: Final = re.compile(
    r"private|(?<![a-z])(?:hash|digest|mac|tok|sec|cred|creds|ticket|nonce|salt|cert|seed|access)(?![a-z])"
)
_SINGLE_LETTER: Final = re.compile(r"(?![qv])[a-z][0-9]?")  # but for a query and a version
# Whole words that look like one of these and are none. What is in doubt is masked.
_HARMLESS_WORD: Final = re.compile(
    r"(?<![a-z])(?:key(?:board|word|note|pad)s?|(?:mon|don|tur|hoc|joc|whis)keys?|authors?|authorit(?:y|ies)"
    r"|design(?:s|ed|er|ers)?|signals?|assign(?:s|ed|ee|ees|ment|ments)?|insights?|significan(?:t|ce)"
    r"|pass(?:age|ages|enger|engers|ive|ing)|compass|bypass|(?:en|de)cod(?:e|ed|er)|unicode|codecs?"
    r"|(?:zip|post|postal|country|area|region|state|city|lang|language|locale|currency|status|error|reason"
    r"|response|exit|dial|dialling|colou?r|product|bar|qr|geo)[^a-z]*codes?)(?![a-z])"
)
_CAMEL_CASE_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def is_secret_name(name: str) -> bool:
    """Tell whether a name is one of a secret by the rules that the first versions of this site had."""
    words = _HARMLESS_WORD.sub(" ", _CAMEL_CASE_BOUNDARY.sub("\0", name).lower())
    return _SECRET_NAME.search(words.replace("\0", "")) is not None


def may_be_secret_name(name: str) -> bool:
    """Tell whether a name may be one of a secret: also a digest, a ticket, or something private."""
    plain = unquote_plus(name)
    return (
        is_secret_name(plain)
        or _POSSIBLE_SECRET_NAME.search(_CAMEL_CASE_BOUNDARY.sub("_", plain).lower()) is not None
    )


def is_single_letter(name: str) -> bool:
    """Tell whether a name is a single letter, such as `k` or `t`: it says nothing of what it holds."""
    return _SINGLE_LETTER.fullmatch(name.lower()) is not None
