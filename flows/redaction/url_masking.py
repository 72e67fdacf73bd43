"""Masking of the secrets in URLs.

The scheme, host, port and parameter names stay, and so do plain values of harmless parameters. The
path stays up to its first part that may be an id or a key. User-info, the rest of the path and all
other values are masked.

These strict rules are for webhook URLs (`is_strict`). A URL in a sentence usually leads to a ticket
or a document. There, ids and numbers stay, and only likely secrets are masked.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from flows.redaction import names, words
from flows.redaction.fingerprint import Masker

_SCHEME_AND_SLASHES: Final = re.compile(r"\A((?:[A-Za-z][A-Za-z0-9+.-]*:)?)([/\\]*)")
_AUTHORITY_END: Final = re.compile(r"[/\\?#]")
_PATH_END: Final = re.compile(r"[?#]")
_PATH_PART: Final = re.compile(r"[^/\\]+")
_HOST: Final = re.compile(
    r"(?:[^\W_](?:[\w-]*\w)?(?:\.[^\W_](?:[\w-]*\w)?)*\.?|\[[0-9A-Fa-f:.]+\])?(?::\d{0,5})?"
)
_BARE_HOST: Final = re.compile(r"(?:[\w-]+(?:\.[\w-]+)+\.?|localhost)(?::\d{1,5})?")
_USER_INFO: Final = re.compile(r"[^/\\?#]*@(?=[^@/\\?#]*(?:[/\\?#]|$))")
_PARAMETER_NAME: Final = re.compile(  # may be empty
    r"(?:[A-Za-z][A-Za-z_.-]{0,39}[0-9]{0,2}(?:\[\w{0,12}\]|%5[Bb]\w{0,12}%5[Dd])?)?"
)
_HARMLESS_PARAMETER: Final = re.compile(
    r"(?:team|lang|language|locale|channel|env|environment|stage|region|country|city|site|brand"
    r"|market|store|shop|branch|department|dept|queue|topic|category|type|kind|mode|format|version"
    r"|v|api-version|page|source|src|medium|campaign|utm_[a-z]+|priority|level|product|service"
    r"|skill|group|office|location|timezone|tz|direction|status|action|event|label|enabled|debug"
    r"|retry|retries|timeout|limit|sort|order|project|app)",
    re.IGNORECASE,
)
_REGION_CODE: Final = re.compile(r"[a-z]{2,10}[0-9]{1,2}", re.IGNORECASE)
_TRAILING_PUNCTUATION: Final = ".,;:!?)]}"
_ENCODED_DELIMITER: Final = re.compile(r"%(?:2[56Ff]|3[AaDdFf]|40|23)")

_URL_HINT: Final = re.compile(r"[/\\]{2}|@")
# A URL within a text: with a scheme, or without one if a host or user-info follows the slashes.
_URL_IN_TEXT: Final = re.compile(
    r"[A-Za-z][A-Za-z0-9+.-]{0,40}:[/\\]{2}[^\s<>\"']*"  # bounded, because it is tried everywhere
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
_WEB_SCHEMES: Final = ("http:", "https:", "ws:", "wss:", "ftp:")


@dataclass(frozen=True, slots=True)
class _Rules:
    """The tests that a part or a parameter's name has to pass to stay in a URL."""

    is_plain: Callable[[str], bool]
    is_harmless_name: Callable[[str], bool]


def mask_url(text: str, masker: Masker, *, is_strict: bool = True) -> str:
    """Mask the secrets of a text that is one URL, even with white space in it."""
    rules = _STRICT_RULES if is_strict else _PROSE_RULES
    url = text.strip()
    start = text.find(url)
    end = start + len(url)
    return text[:start] + _mask_url_parts(url, masker, rules) + text[end:]


def starts_like_url(text: str) -> bool:
    """Return True if a text starts like a URL, which may contain white space."""
    return _URL_START.match(text) is not None


def mask_urls_in_text(text: str, masker: Masker) -> str:
    """Mask the secrets of each URL in a text, which may be one URL."""
    if _WHOLE_URL.fullmatch(text):
        return mask_url(text, masker)
    return _mask_each_url(text, masker, is_strict=True)


def mask_links_in_text(text: str, masker: Masker) -> str:
    """Mask the secrets of each URL in a user's sentence, where ids and numbers are harmless."""
    return _mask_each_url(text, masker, is_strict=False)


def _mask_each_url(text: str, masker: Masker, *, is_strict: bool) -> str:
    if not _URL_HINT.search(text):
        return text

    def mask_match(match: re.Match[str]) -> str:
        url = match[0].rstrip(_TRAILING_PUNCTUATION)
        punctuation = match[0][len(url) :]
        return mask_url(url, masker, is_strict=is_strict) + punctuation

    def mask_login(match: re.Match[str]) -> str:
        return f"{masker.mask(match[1])}@"

    text = _URL_IN_TEXT.sub(mask_match, text)
    return _LOGIN_IN_TEXT.sub(mask_login, text)


def _mask_url_parts(url: str, masker: Masker, rules: _Rules) -> str:
    """Mask the authority, path and query of a URL. Each part may be empty."""
    start, rest = _split_start(url)
    is_path = start in ("/", "\\")
    authority = "" if is_path else _AUTHORITY_END.split(rest, maxsplit=1)[0]
    rest = rest[len(authority) :]
    path = _PATH_END.split(rest, maxsplit=1)[0]
    query = rest[len(path) :]
    return (
        start
        + _mask_authority(authority, masker, has_scheme=bool(start))
        + _mask_path(path, masker, rules)
        + _mask_query(query, masker, rules)
    )


def _split_start(url: str) -> tuple[str, str]:
    """Return the scheme with the colon and slashes after it, and the rest of the URL.

    The host of "host:port" and the user of "user:password" are not schemes.
    """
    _, scheme, slashes, rest = _SCHEME_AND_SLASHES.split(url, maxsplit=1)
    if slashes or scheme.lower() in _WEB_SCHEMES:
        return scheme + slashes, rest
    return "", url


def _mask_authority(authority: str, masker: Masker, *, has_scheme: bool) -> str:
    """Mask the user-info, and also a host that does not look like one."""
    user, at_sign, host = authority.rpartition("@")
    masked_user = masker.mask(user) + at_sign
    host_pattern = _HOST if has_scheme else _BARE_HOST
    masked_host = host if host_pattern.fullmatch(host) else masker.mask(host)
    return masked_user + masked_host


def _mask_path(path: str, masker: Masker, rules: _Rules) -> str:
    """Mask the path from its first part that is not plain, because keys follow ids."""
    is_after_secret_name = False
    for part in _PATH_PART.finditer(path):
        name, start = part[0], part.start()
        if is_after_secret_name or not rules.is_plain(name):
            return path[:start] + masker.mask(path[start:])
        is_after_secret_name = names.may_be_secret_name(name)
    return path


def _mask_query(query: str, masker: Masker, rules: _Rules) -> str:
    """Mask a query or fragment with its first character, which is ? or #."""
    delimiter, parameters = query[:1], query[1:].split("&")
    masked = [_mask_parameter(parameter, masker, rules) for parameter in parameters]
    return delimiter + "&".join(masked)


def _mask_parameter(parameter: str, masker: Masker, rules: _Rules) -> str:
    """Mask the value of a parameter, or all of it if its name is not a usual one."""
    name, equals, value = parameter.partition("=")
    if not equals:
        return parameter if _is_plain(parameter, rules) else masker.mask(parameter)
    if not _PARAMETER_NAME.fullmatch(name):
        return masker.mask(parameter)
    if rules.is_harmless_name(name) and _is_harmless_value(value, rules):
        return parameter
    return f"{name}={masker.mask(value)}"


def _is_usual_name(name: str) -> bool:
    return _HARMLESS_PARAMETER.fullmatch(name) is not None


def _is_name_in_prose(name: str) -> bool:
    return not names.may_be_secret_name(name) and not names.is_single_letter(name)


def _is_harmless_value(value: str, rules: _Rules) -> bool:
    return _is_plain(value, rules) or _REGION_CODE.fullmatch(value) is not None


def _is_plain(value: str, rules: _Rules) -> bool:
    """Return True if a value is plain and can't hold further parameters or URLs."""
    return not _ENCODED_DELIMITER.search(value) and rules.is_plain(value)


_STRICT_RULES: Final = _Rules(words.is_plain, _is_usual_name)
_PROSE_RULES: Final = _Rules(words.is_plain_in_prose, _is_name_in_prose)
