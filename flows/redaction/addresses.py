"""Web addresses without their secrets.

What stays: the scheme, the host and its port, the beginning of the path as far as it is made of plain words,
the names of the query, and the plain values of harmless names. All else is masked: user-info, the rest of the
path from its first part that may be an id or a key, and every other value.

Two kinds of address are told apart. A webhook's own is masked as above (`is_strict`). One that a person writes
into a sentence names a ticket or a document more often than a secret: there, ids and numbers stay, and what is
named like a secret or looks like one is masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from flows.redaction import names, words
from flows.redaction.fingerprint import MASK_PATTERN, Masker

_SCHEME_AND_SLASHES: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*:)?([/\\]*)")
_AUTHORITY: Final = re.compile(r"[^/\\?#]*")
_HOST: Final = re.compile(
    r"(?:[^\W_](?:[\w-]*\w)?(?:\.[^\W_](?:[\w-]*\w)?)*\.?|\[[0-9A-Fa-f:.]+\])?(?::\d{0,5})?"
)
_BARE_HOST: Final = re.compile(r"(?:[\w-]+(?:\.[\w-]+)+\.?|localhost)(?::\d{1,5})?")
_USER_INFO: Final = re.compile(r"[^/\\?#]*@(?=[^@/\\?#]*(?:[/\\?#]|$))")
_PARAMETER_NAME: Final = re.compile(
    r"[A-Za-z][A-Za-z_.-]{0,39}[0-9]{0,2}(?:\[\w{0,12}\]|%5[Bb]\w{0,12}%5[Dd])?"
)
_HARMLESS_PARAMETER: Final = re.compile(
    r"(?:team|lang|language|locale|channel|env|environment|stage|region|country|city|site|brand|market|store|shop"
    r"|branch|department|dept|queue|topic|category|type|kind|mode|format|version|v|api-version|page|source|src|medium"
    r"|campaign|utm_[a-z]+|priority|level|product|service|skill|group|office|location|timezone|tz|direction|status"
    r"|action|event|label|enabled|debug|retry|retries|timeout|limit|sort|order|project|app)",
    re.IGNORECASE,
)
_REGION_CODE: Final = re.compile(r"[a-z]{2,10}[0-9]{1,2}", re.IGNORECASE)
_TRAILING_PUNCTUATION: Final = ".,;:!?)]}"
_ENCODED_DELIMITER: Final = re.compile(r"%(?:2[56Ff]|3[AaDdFf]|40|23)")

# An address within a text: with a scheme; without one, where a host or a name and password can be seen.
_URL_IN_TEXT: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]*:[/\\]{2}[^\s<>\"']*"
    r"|(?<![\w:/\\.])[/\\]{2}(?=[^\s/\\]*@|[\w-]+(?:\.[\w-]+)+)[^\s<>\"']*"
)
_LOGIN_IN_TEXT: Final = re.compile(
    r"(?<![^\s<>\"'(=,;])(?!(?:sips?|mailto|xmpp|acct|tel|im|whatsapp|messenger):)"
    r"([^\s:@/\\<>\"'?&=]{1,64}:[^\s@/\\<>\"']{1,128})@(?=[\w-]+(?:\.[\w-]+)*)"
)
_URL_START: Final = re.compile(r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*:)?[/\\]{2}")
_WHOLE_URL: Final = re.compile(
    r"\s*(?:[A-Za-z][A-Za-z0-9+.-]*:[/\\]{2}|[/\\]{2}(?=[^\s/\\]*[@.]))\S*\s*"
)


def mask_url(address: str, masker: Masker, *, is_strict: bool = True) -> str:
    """Mask a whole text as one address, white space or not."""
    bare = address.strip()
    start = address.find(bare) if bare else 0
    return (
        address[:start]
        + _mask_url_parts(bare, masker, is_strict=is_strict)
        + address[start + len(bare) :]
    )


def starts_like_url(text: str) -> bool:
    """Tell whether a text begins like an address, and may be one to its end, white space or not."""
    return _URL_START.match(text) is not None


def mask_urls_in_text(text: str, masker: Masker, *, is_strict: bool = True) -> str:
    """Mask each address that stands in a text."""
    if "//" not in text and "\\\\" not in text and "@" not in text:
        return text
    if is_strict and _WHOLE_URL.fullmatch(text):
        return mask_url(text, masker)

    def masked(match: re.Match[str]) -> str:
        address = match[0].rstrip(_TRAILING_PUNCTUATION)
        return _mask_url_parts(address, masker, is_strict=is_strict) + match[0][len(address) :]

    text = _URL_IN_TEXT.sub(masked, text)
    return _LOGIN_IN_TEXT.sub(lambda match: f"{masker.mask(match[1])}@", text)


def _mask_url_parts(address: str, masker: Masker, *, is_strict: bool) -> str:
    scheme, slashes = _split_scheme(address)
    rest = address[len(scheme) + len(slashes) :]
    is_path = not scheme and len(slashes) == 1
    found = None if is_path else _AUTHORITY.match(rest)
    authority = found[0] if found else ""
    end = re.search(r"[?#]", rest[len(authority) :])
    path_end = len(authority) + end.start() if end else len(rest)
    is_plain = words.is_plain if is_strict else words.is_plain_in_prose
    return (
        scheme
        + slashes
        + _mask_authority(authority, masker, has_scheme=bool(scheme or slashes))
        + _mask_path(rest[len(authority) : path_end], masker, is_plain)
        + _mask_query(rest[path_end:], masker, is_plain, is_strict=is_strict)
    )


def _split_scheme(address: str) -> tuple[str, str]:
    """The scheme with its colon, and the slashes behind it. A host with a port is none, nor is a name with a
    password."""
    begin = _SCHEME_AND_SLASHES.match(address)
    scheme, slashes = (begin[1] or "", begin[2]) if begin else ("", "")
    is_scheme = slashes or scheme.lower() in ("http:", "https:", "ws:", "wss:", "ftp:")
    return (scheme, slashes) if is_scheme or not scheme else ("", "")


def _mask_authority(authority: str, masker: Masker, *, has_scheme: bool) -> str:
    user, at, host = authority.rpartition("@")
    masked_user = masker.mask(user) + at
    is_host = (_HOST if has_scheme else _BARE_HOST).fullmatch(host) or MASK_PATTERN.fullmatch(host)
    return masked_user + (host if is_host or not host else masker.mask(host))


def _mask_path(path: str, masker: Masker, is_plain: Callable[[str], bool]) -> str:
    """From the first part on that is not plain, the whole rest is one secret: keys follow upon ids."""
    place, is_named = 0, False
    for part in re.split(r"([/\\])", path):
        if part in ("/", "\\", ""):
            place += len(part)
            continue
        if is_named or not is_plain(part):
            return path[:place] + masker.mask(path[place:])
        is_named = names.may_be_secret_name(part)
        place += len(part)
    return path


def _mask_query(
    query: str, masker: Masker, is_plain: Callable[[str], bool], *, is_strict: bool
) -> str:
    if not query:
        return ""
    parts = (
        _mask_parameter(part, masker, is_plain, is_strict=is_strict)
        for part in query[1:].split("&")
    )
    return query[0] + "&".join(parts)


def _mask_parameter(
    part: str, masker: Masker, is_plain: Callable[[str], bool], *, is_strict: bool
) -> str:
    """A name and its value, up to the next &. What is no name is part of the secret."""
    name, equals, value = part.partition("=")
    if not equals:
        return part if is_plain(part) and not _ENCODED_DELIMITER.search(part) else masker.mask(part)
    if name and not _PARAMETER_NAME.fullmatch(name):
        return masker.mask(part)
    if not value or MASK_PATTERN.fullmatch(value):
        return part
    is_shown = not _ENCODED_DELIMITER.search(value) and (
        is_plain(value) or bool(_REGION_CODE.fullmatch(value))
    )
    if is_strict:
        is_shown = is_shown and _HARMLESS_PARAMETER.fullmatch(name) is not None
    else:
        is_shown = (
            is_shown and not names.may_be_secret_name(name) and not names.is_single_letter(name)
        )
    return part if is_shown else f"{name}={masker.mask(value)}"
