"""Credentials in sentences: what an error message quotes, what somebody pastes into a reason.

Nothing here reads an address (addresses.py does): what is looked for is a name of a secret with a value behind it, the
scheme of an Authorization header, and the well-known forms of keys.
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
# A name in quotes, as in JSON or a dictionary: "token": "…". One in JSON within JSON has backslashes.
_QUOTED_PAIRS: Final = [
    re.compile(
        rf"(?<!\\)({escapes}[\"'])([A-Za-z][\w .-]{{0,60}})\1(\s*[:=]\s*)"
        rf"(?:b?({escapes}[\"'])((?:(?!\4).)*)(?:\4|$)|([^\s,}}\]\"'\\]+))"
    )
    for escapes in (r"\\\\\\", r"\\", "")
]
_ASSIGNMENT: Final = re.compile(
    r"(?<![\w%?/=.-])([A-Za-z][\w.-]{0,60})(=)(\\{0,3}[\"']?)([^\s\"'<>&,;)\]}]+)"
)
_SENTENCE: Final = re.compile(
    r"\b((?:pass(?:word|wd|phrase|code)?|pwd|secret|(?:api|secret|access|private|signing)[ _-]?key|credentials?"
    r"|(?:auth|access|bearer|api|refresh|session)?[ _-]?token)s?)(\s*(?::|=|->|→)\s*|\s+(?:is|was)\s+)([\"']?)([^\s\"'<>,;&]+)",
    re.IGNORECASE,
)
_KEY_FORMATS: Final = re.compile(
    r"(?<![\w-])(?:xox[a-z]-[\w-]{8,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|[sprk]k_(?:live|test)_\w{8,}|whsec_[\w+/=]{8,}"
    r"|AKIA[0-9A-Z]{12,}|eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?|SK[0-9a-f]{32}|[0-9a-f]{32}|[0-9A-F]{32})(?![\w-])"
)
_CREDENTIAL_HINT: Final = re.compile(
    r"=|[\"']\s*:|bearer|basic|digest|authori[sz]|pass|pwd|secret|key|credential|token"
    r"|(?<![\w-])(?:xox|gh[pousr]_|github_|.k_|whsec|AKIA|eyJ|SK|[0-9a-fA-F]{32}(?!\w))",
    re.IGNORECASE,
)


def mask_credentials_in_text(text: str, masker: Masker) -> str:
    """Mask each credential that stands in a text."""
    if not _CREDENTIAL_HINT.search(text):
        return text
    text = _AUTHORIZATION_HEADER.sub(lambda match: match[1] + _mask_header(match[2], masker), text)
    text = _AUTHORIZATION_SCHEME.sub(lambda match: _mask_scheme(match, masker), text)
    for quoted in _QUOTED_PAIRS:
        text = quoted.sub(lambda match: _mask_quoted_pair(match, masker), text)
    text = _ASSIGNMENT.sub(lambda match: _mask_assignment(match, masker), text)
    text = _SENTENCE.sub(lambda match: _mask_sentence(match, masker), text)
    return _KEY_FORMATS.sub(lambda match: masker.mask(match[0]), text)


def _mask_header(value: str, masker: Masker) -> str:
    scheme, space, secret = value.partition(" ")
    return f"{scheme} {masker.mask(secret)}" if space and secret else masker.mask(value)


def _mask_scheme(match: re.Match[str], masker: Masker) -> str:
    """ "Basic support" is no credential; after "Bearer", whatever stands there is one."""
    value = match[2]
    is_credential = match[1].lower().startswith("bearer") or _looks_random(value)
    return match[1] + masker.mask(value) if is_credential else match[0]


def _mask_quoted_pair(match: re.Match[str], masker: Masker) -> str:
    if not names.may_be_secret_name(match[2]):
        return match[0]
    quoted, bare = match[5], match[6]
    value = quoted if quoted is not None else bare
    if value in ("null", "None", "true", "false", "True", "False"):
        return match[0]
    start = match.start(5 if quoted is not None else 6) - match.start()
    return match[0][:start] + masker.mask(value) + match[0][start + len(value) :]


def _mask_assignment(match: re.Match[str], masker: Masker) -> str:
    name, value = match[1], match[4]
    is_secret = names.is_secret_name(name) or (
        names.may_be_secret_name(name) and _looks_random(value)
    )
    return match[1] + match[2] + match[3] + masker.mask(match[4]) if is_secret else match[0]


def _mask_sentence(match: re.Match[str], masker: Masker) -> str:
    value = match[4].rstrip(".!?)")
    is_sentence = match[2].strip().lower() in ("is", "was")
    if not value or (is_sentence and not _looks_random(value)):
        return match[0]
    return match[1] + match[2] + match[3] + masker.mask(value) + match[4][len(value) :]


def _looks_random(value: str) -> bool:
    """Tell whether a value is no word of a sentence: it has a digit or a sign, or its case changes midway."""
    return re.search(r"[0-9_+/=~]|[a-z][A-Z]", value) is not None
