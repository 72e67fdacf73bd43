"""Masking of credentials in sentences, such as error messages and reasons for changes.

Credentials are values that follow a secret's name, values of an Authorization header, and keys in
well-known formats. URLs are masked in url_masking.py.
"""

from __future__ import annotations

import re
from typing import Final

from flows.redaction import names
from flows.redaction.fingerprint import Masker

_AUTHORIZATION_HEADER: Final = re.compile(
    r"(authorization\\?[\"']?\s*[:=,]\s*b?\\?[\"']?)([^\"'\\\r\n,}&]+)", re.IGNORECASE
)
_AUTHORIZATION_SCHEME: Final = re.compile(
    r"\b((?:bearer|basic|digest)\s+)([\w+/=.~-]{6,})", re.IGNORECASE
)
# A quoted name as in JSON: "token": "…". JSON within JSON has backslashes before the quotes.
_QUOTED_PAIRS: Final = [
    re.compile(
        rf"(?<!\\)({escapes}[\"'])([A-Za-z][\w .-]{{0,60}})\1(\s*[:=]\s*)"
        rf"(?:b?({escapes}[\"'])((?:(?!\4).)*)(?:\4|$)|([^\s,}}\]\"'\\]+))"
    )
    for escapes in (r"\\\\\\", r"\\", "")
]
# Values that are no secret, in JSON and in Python.
_LITERALS: Final = frozenset({"null", "None", "true", "false", "True", "False"})
_ASSIGNMENT: Final = re.compile(
    r"(?<![\w%?/=.-])([A-Za-z][\w.-]{0,60})(=)(\\{0,3}[\"']?)([^\s\"'<>&,;)\]}]+)"
)
_SENTENCE: Final = re.compile(
    r"\b((?:pass(?:word|wd|phrase|code)?|pwd|secret|(?:api|secret|access|private|signing)[ _-]?key"
    r"|credentials?|(?:auth|access|bearer|api|refresh|session)?[ _-]?token)s?)"
    r"(\s*(?::|=|->|→)\s*|\s+(?:is|was)\s+)([\"']?)([^\s\"'<>,;&]+)",
    re.IGNORECASE,
)
_KEY_FORMATS: Final = re.compile(
    r"(?<![\w-])(?:xox[a-z]-[\w-]{8,}|gh[pousr]_\w{16,}|github_pat_\w{16,}"
    r"|[sprk]k_(?:live|test)_\w{8,}|flexapi_[0-9a-f]{6,}\.[\w-]{16,}|whsec_[\w+/=]{8,}|AKIA[0-9A-Z]{12,}"
    r"|eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?|SK[0-9a-f]{32}|[0-9a-f]{32}|[0-9A-F]{32})(?![\w-])"
)
# Without any of these, no rule applies. To look for words is several times as fast as a pattern.
_HINT_WORDS: Final = (
    "=", "bearer", "basic", "digest", "authoriz", "pass", "pwd", "secret", "key", "credential",
    "token",
)  # fmt: skip
_HINT_PATTERN: Final = re.compile(
    r"[\"']\s*:|(?<![\w-])(?:xox|gh[pousr]_|github_|.k_|flexapi_|whsec|AKIA|eyJ|SK|[0-9a-fA-F]{32}(?!\w))"
)


def may_have_credentials(text: str) -> bool:
    """Return False if a text surely has no credential. It is a fast check."""
    # Patterns that ignore case take a dotted capital and a dotless small i for an i.
    folded = text.casefold().replace("i\u0307", "i").replace("\u0131", "i")
    return any(word in folded for word in _HINT_WORDS) or bool(_HINT_PATTERN.search(text))


def mask_credentials_in_text(text: str, masker: Masker) -> str:
    """Mask each credential in a text."""
    if not may_have_credentials(text):
        return text
    text = _AUTHORIZATION_HEADER.sub(lambda match: match[1] + _mask_header(match[2], masker), text)
    text = _AUTHORIZATION_SCHEME.sub(lambda match: _mask_scheme(match, masker), text)
    for pair in _QUOTED_PAIRS:
        text = pair.sub(lambda match: _mask_quoted_pair(match, masker), text)
    text = _ASSIGNMENT.sub(lambda match: _mask_assignment(match, masker), text)
    text = _SENTENCE.sub(lambda match: _mask_sentence(match, masker), text)
    return _KEY_FORMATS.sub(lambda match: masker.mask(match[0]), text)


def _mask_header(value: str, masker: Masker) -> str:
    """Mask an Authorization header, but not its scheme."""
    scheme, space, secret = value.partition(" ")
    if not secret:
        return masker.mask(value)
    return scheme + space + masker.mask(secret)


def _mask_scheme(match: re.Match[str], masker: Masker) -> str:
    """Mask the value of an Authorization scheme, but not a word as in "Basic support"."""
    scheme, value = match.groups()
    is_bearer = scheme.lower().startswith("bearer")
    if is_bearer or _looks_random(value):
        return scheme + masker.mask(value)
    return match[0]


def _mask_quoted_pair(match: re.Match[str], masker: Masker) -> str:
    """Mask the value after a quoted name, as in `"token": "abc"`, if it is a secret's name."""
    if not names.may_be_secret_name(match[2]):
        return match[0]
    value_group = 5 if match[5] is not None else 6  # the value in quotes, or without
    value = match[value_group]
    if value in _LITERALS:
        return match[0]
    start = match.start(value_group) - match.start()
    end = start + len(value)
    return match[0][:start] + masker.mask(value) + match[0][end:]


def _mask_assignment(match: re.Match[str], masker: Masker) -> str:
    """Mask the value of `token=abc`."""
    name, equals, quote, value = match.groups()
    if not _is_secret_assignment(name, value):
        return match[0]
    return name + equals + quote + masker.mask(value)


def _is_secret_assignment(name: str, value: str) -> bool:
    """Return True for a secret's name, or a doubtful name with a value that looks random."""
    if names.is_secret_name(name):
        return True
    return names.may_be_secret_name(name) and _looks_random(value)


def _mask_sentence(match: re.Match[str], masker: Masker) -> str:
    """Mask the value in "Password: abc", and in "the password is abc1", but not "is lost"."""
    name, separator, quote, rest = match.groups()
    value = rest.rstrip(".!?)")
    has_verb = separator.strip().lower() in ("is", "was")
    is_word = has_verb and not _looks_random(value)
    if not value or is_word:
        return match[0]
    return name + separator + quote + masker.mask(value) + rest[len(value) :]


def _looks_random(value: str) -> bool:
    """Return True if a value has a digit, a sign or a capital letter within, unlike a word."""
    return re.search(r"[0-9_+/=~]|[a-z][A-Z]", value) is not None
