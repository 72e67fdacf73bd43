"""Credentials in sentences: what an error message quotes, what somebody pastes into a reason.

Nothing here reads an address (addresses.py does): what is looked for is a name of a secret with a value behind it, the
scheme of an Authorization header, and the well-known forms of keys.
"""

from __future__ import annotations

import re
from typing import Final

from flows.redaction import names
from flows.redaction.fingerprint import Masker

_HEADER: Final = re.compile(
    r"(authorization\\?[\"']?\s*[:=,]\s*b?\\?[\"']?)([^\"'\\\r\n,}&]+)", re.IGNORECASE
)
_SCHEME: Final = re.compile(r"\b((?:bearer|basic|digest)\s+)([\w+/=.~-]{6,})", re.IGNORECASE)
# A name in quotes, as in JSON or a dictionary: "token": "…". One in JSON within JSON has backslashes.
_QUOTED: Final = [
    re.compile(
        rf"(?<!\\)({escapes}[\"'])([A-Za-z][\w .-]{{0,60}})\1(\s*[:=]\s*)"
        rf"(?:b?({escapes}[\"'])((?:(?!\4).)*)(?:\4|$)|([^\s,}}\]\"'\\]+))"
    )
    for escapes in (r"\\\\\\", r"\\", "")
]
_ASSIGNED: Final = re.compile(r"(?<![\w%?/=.-])([A-Za-z][\w.-]{0,60})(=)(\\{0,3}[\"']?)([^\s\"'<>&,;)\]}]+)")
_SAID: Final = re.compile(
    r"\b((?:pass(?:word|wd|phrase|code)?|pwd|secret|(?:api|secret|access|private|signing)[ _-]?key|credentials?"
    r"|(?:auth|access|bearer|api|refresh|session)?[ _-]?token)s?)(\s*(?::|=|->|→)\s*|\s+(?:is|was)\s+)([\"']?)([^\s\"'<>,;&]+)",
    re.IGNORECASE,
)
_KNOWN: Final = re.compile(
    r"(?<![\w-])(?:xox[a-z]-[\w-]{8,}|gh[pousr]_\w{16,}|github_pat_\w{16,}|[sprk]k_(?:live|test)_\w{8,}|whsec_[\w+/=]{8,}"
    r"|AKIA[0-9A-Z]{12,}|eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?|SK[0-9a-f]{32}|[0-9a-f]{32}|[0-9A-F]{32})(?![\w-])"
)
_CUE: Final = re.compile(
    r"=|[\"']\s*:|bearer|basic|digest|authori[sz]|pass|pwd|secret|key|credential|token"
    r"|(?<![\w-])(?:xox|gh[pousr]_|github_|.k_|whsec|AKIA|eyJ|SK|[0-9a-fA-F]{32}(?!\w))",
    re.IGNORECASE,
)


def mask_in_text(text: str, masker: Masker) -> str:
    """Mask each credential that stands in a text."""
    if not _CUE.search(text):
        return text
    text = _HEADER.sub(lambda match: match[1] + _mask_header(match[2], masker), text)
    text = _SCHEME.sub(lambda match: _mask_scheme(match, masker), text)
    for quoted in _QUOTED:
        text = quoted.sub(lambda match: _mask_quoted(match, masker), text)
    text = _ASSIGNED.sub(lambda match: _mask_assigned(match, masker), text)
    text = _SAID.sub(lambda match: _mask_said(match, masker), text)
    return _KNOWN.sub(lambda match: masker.mask(match[0]), text)


def _mask_header(value: str, masker: Masker) -> str:
    scheme, space, secret = value.partition(" ")
    return f"{scheme} {masker.mask(secret)}" if space and secret else masker.mask(value)


def _mask_scheme(match: re.Match[str], masker: Masker) -> str:
    """ "Basic support" is no credential; after "Bearer", whatever stands there is one."""
    value = match[2]
    is_credential = match[1].lower().startswith("bearer") or _looks_typed_by_none(value)
    return match[1] + masker.mask(value) if is_credential else match[0]


def _mask_quoted(match: re.Match[str], masker: Masker) -> str:
    if not names.may_be_secret(match[2]):
        return match[0]
    quoted, bare = match[5], match[6]
    value = quoted if quoted is not None else bare
    if value in ("null", "None", "true", "false", "True", "False"):
        return match[0]
    start = match.start(5 if quoted is not None else 6) - match.start()
    return match[0][:start] + masker.mask(value) + match[0][start + len(value) :]


def _mask_assigned(match: re.Match[str], masker: Masker) -> str:
    name, value = match[1], match[4]
    is_secret = names.is_secret(name) or (names.may_be_secret(name) and _looks_typed_by_none(value))
    return match[1] + match[2] + match[3] + masker.mask(match[4]) if is_secret else match[0]


def _mask_said(match: re.Match[str], masker: Masker) -> str:
    value = match[4].rstrip(".!?)")
    is_sentence = match[2].strip().lower() in ("is", "was")
    if not value or (is_sentence and not _looks_typed_by_none(value)):
        return match[0]
    return match[1] + match[2] + match[3] + masker.mask(value) + match[4][len(value) :]


def _looks_typed_by_none(value: str) -> bool:
    """Tell whether a value is no word of a sentence: it has a digit or a sign, or its case changes midway."""
    return re.search(r"[0-9_+/=~]|[a-z][A-Z]", value) is not None
