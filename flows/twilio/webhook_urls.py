"""Checks of a webhook URL's form, with a message for each problem. Nothing is looked up."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

SCHEMES: Final = ("https", "http")
VALID_PORTS: Final = range(1, 65_536)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST_WITH_PORT: Final = re.compile(
    r"[\w.-]+\.[\w-]+(?::\d+)?(?:[/?#].*)?|localhost(?::\d+)?(?:[/?#].*)?", re.DOTALL
)
_INVALID_HOST_CHARACTER: Final = re.compile(r"[^\w.:\[\]%~-]")
_SPACE_NAMES: Final = {
    " ": "a space",
    "\t": "a tab",
    "\n": "a line break",
    "\r": "a line break",
    "\u00a0": "a no-break space",
}

# Kinds of problems.
WHITE_SPACE: Final = "white space"
INVISIBLE_CHARACTER: Final = "invisible"
MISSING_SCHEME: Final = "no scheme"
UNSUPPORTED_SCHEME: Final = "other scheme"
MISSING_SLASHES: Final = "slashes"
BACKSLASH: Final = "backslash"
MISSING_HOST: Final = "no host"
INVALID_IPV6: Final = "brackets"
INVALID_HOST: Final = "host"
INVALID_PORT: Final = "port"
INVALID_USER_INFO: Final = "user"


@dataclass(frozen=True, slots=True)
class UrlProblem:
    """A reason why a URL can't be used. The sentence starts with a verb: "contains a space …"."""

    kind: str
    sentence: str


def find_url_problem(address: str) -> UrlProblem | None:
    """Return the first problem of a URL, or None."""
    return (
        _find_character_problem(address)
        or _find_scheme_problem(address)
        or _find_host_problem(address)
    )


def _find_character_problem(address: str) -> UrlProblem | None:
    for character in address:
        if character.isspace():
            return _white_space_problem(character)
        if not character.isprintable():
            return _invisible_character_problem(character)
    return None


def _white_space_problem(character: str) -> UrlProblem:
    name = _SPACE_NAMES.get(character, f"white space ({_code_point(character)})")
    return UrlProblem(WHITE_SPACE, f"contains {name}. Write %20 for a space, or remove it.")


def _invisible_character_problem(character: str) -> UrlProblem:
    is_control = unicodedata.category(character) == "Cc"
    name = "a control character" if is_control else "an invisible character"
    sentence = f"contains {name} ({_code_point(character)}). Remove it."
    return UrlProblem(INVISIBLE_CHARACTER, sentence)


def _code_point(character: str) -> str:
    return f"U+{ord(character):04X}"


def _find_scheme_problem(address: str) -> UrlProblem | None:
    scheme = _SCHEME.match(address)
    is_host_with_port = _HOST_WITH_PORT.fullmatch(address) is not None
    if scheme is None or is_host_with_port:
        return UrlProblem(MISSING_SCHEME, "must start with https:// or http://.")
    if scheme[1].lower() not in SCHEMES:
        return UrlProblem(
            UNSUPPORTED_SCHEME,
            f"starts with {scheme[0][:40]}. Twilio only calls https:// and http:// URLs.",
        )
    if "\\" in address:
        return UrlProblem(BACKSLASH, "contains a backslash. Use / or write %5C.")
    if not address[scheme.end() :].startswith("//"):
        return UrlProblem(MISSING_SLASHES, f"must have two slashes after {scheme[0]}")
    return None


def _find_host_problem(address: str) -> UrlProblem | None:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return UrlProblem(INVALID_IPV6, "has a host in brackets that is not an IPv6 address.")
    if parts.netloc.count("@") > 1:
        return UrlProblem(
            INVALID_USER_INFO,
            "has two @ before the host. Write %40 for an @ in a username or password.",
        )
    if not host:
        return UrlProblem(MISSING_HOST, "has no host, such as hooks.example.com.")
    if _INVALID_HOST_CHARACTER.search(host) or not host.strip("."):
        return UrlProblem(INVALID_HOST, f"has an invalid host: {host[:80]}.")
    if not _has_valid_port(parts):
        return UrlProblem(INVALID_PORT, "has an invalid port. Use a number from 1 to 65535.")
    return None


def _has_valid_port(parts: SplitResult) -> bool:
    """Return True if the URL has no port, or one from 1 to 65535."""
    try:
        return parts.port is None or parts.port in VALID_PORTS
    except ValueError:
        return False
