"""Faults of a webhook's address, each in words of its own. Whether its host exists is not asked."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

SCHEMES: Final = ("https", "http")
PORTS: Final = range(1, 65_536)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST_WITH_PORT: Final = re.compile(
    r"[\w.-]+\.[\w-]+(?::\d+)?(?:[/?#].*)?|localhost(?::\d+)?(?:[/?#].*)?", re.DOTALL
)
_NO_HOST_CHARACTER: Final = re.compile(r"[^\w.:\[\]%~-]")
_SPACES: Final = {
    " ": "a space",
    "\t": "a tab",
    "\n": "a line break",
    "\r": "a line break",
    "\u00a0": "a no-break space",
}
WHITE_SPACE, INVISIBLE, NO_SCHEME, OTHER_SCHEME, SLASHES, BACKSLASH, NO_HOST, BRACKETS, HOST, PORT, USER = (
    "white space", "invisible", "no scheme", "other scheme", "slashes", "backslash", "no host", "brackets",
    "host", "port", "user",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why an address can't be used. The sentence begins with a verb: "has a space in it …"."""

    kind: str
    sentence: str


def fault_of(address: str) -> Fault | None:
    """The first thing that is wrong with an address; None if nothing is."""
    return _fault_of_characters(address) or _fault_of_scheme(address) or _fault_of_host(address)


def _fault_of_characters(address: str) -> Fault | None:
    for character in address:
        code = f"U+{ord(character):04X}"
        if character in _SPACES or character.isspace():
            name = _SPACES.get(character, f"white space ({code})")
            return Fault(WHITE_SPACE, f"contains {name}. Write %20 for a space, or remove it.")
        if not character.isprintable():
            is_control = unicodedata.category(character) == "Cc"
            kind = "a control character" if is_control else "an invisible character"
            return Fault(INVISIBLE, f"contains {kind} ({code}). Remove it.")
    return None


def _fault_of_scheme(address: str) -> Fault | None:
    scheme = _SCHEME.match(address)
    if scheme is None or _HOST_WITH_PORT.fullmatch(address):
        return Fault(NO_SCHEME, "must start with https:// or http://.")
    if scheme[1].lower() not in SCHEMES:
        return Fault(
            OTHER_SCHEME,
            f"starts with {scheme[0][:40]}. Twilio only calls https:// and http:// URLs.",
        )
    if "\\" in address:
        return Fault(BACKSLASH, "contains a backslash. Use / or write %5C.")
    if not address[scheme.end() :].startswith("//"):
        return Fault(SLASHES, f"must have two slashes after {scheme[0]}")
    return None


def _fault_of_host(address: str) -> Fault | None:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return Fault(BRACKETS, "has a host in brackets that is not an IPv6 address.")
    try:
        port = parts.port
    except ValueError:
        port = 0
    user, at, _ = parts.netloc.rpartition("@")
    if at and "@" in user:
        return Fault(USER, "has two @ before the host. Write %40 for an @ in a username or password.")
    if not host:
        return Fault(NO_HOST, "has no host, such as hooks.example.com.")
    if _NO_HOST_CHARACTER.search(host) or host.strip(".") == "":
        return Fault(HOST, f"has an invalid host: {host[:80]}.")
    if port is not None and port not in PORTS:
        return Fault(PORT, "has an invalid port. Use a number from 1 to 65535.")
    return None
