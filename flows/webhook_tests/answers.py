"""The text of a webhook's answer as it may be stored and shown.

A handler may send back what it was sent: the URL with its secrets, the login, or the signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html.entities import html5
from typing import Final
from urllib.parse import unquote, unquote_plus

from flows.core.invisible import visible_text
from flows.outbound_http.pinned_post import MAX_BODY_BYTES
from flows.redaction.fingerprint import fingerprint
from flows.redaction.masking import redact, redact_field, redact_quotes, replace_unstorable

MAX_LENGTH: Final = 1000  # characters that are kept
MIN_SECRET_LENGTH: Final = 4  # characters; shorter ones would be found in ordinary words
MAX_LENGTH_SEARCHED: Final = 16_000  # characters in which a handler's own secrets are looked for
_MAX_SPELLING: Final = 12  # characters, as \ud83d\ude00 in JSON
_ENTITIES: Final = {value: name for name, value in html5.items() if name.endswith(";")}
_DELIMITERS: Final = re.compile(r"[/\\?#&=:@;,\s\"']")


def mask_answer(body: bytes, *, url: str, text: str, secrets: Iterable[str]) -> str:
    """Return the start of an answer, without the secrets of the posted request.

    They are those of the called URL and of the message's text, and `secrets`, which are those of
    the headers.
    """
    answer = str(replace_unstorable(body.decode(errors="replace")))
    answer = redact_quotes(answer, {"integration_url": url, "text": text})
    sent_secrets = {
        *_hidden_parts("integration_url", url),
        *_hidden_parts("text", text),
        *secrets,
    }
    sent_secrets |= {plain(one) for one in sent_secrets for plain in (unquote, unquote_plus)}
    found_secrets = sorted(filter(_is_long_enough, sent_secrets), key=len, reverse=True)
    for secret in found_secrets:
        answer = _any_spelling(secret).sub(fingerprint(secret), answer)
    if found_secrets and len(body) >= MAX_BODY_BYTES:
        # The post has cut the body, perhaps within a secret.
        answer = answer[: -_MAX_SPELLING * len(found_secrets[0])]
    masked = str(redact(answer[:MAX_LENGTH_SEARCHED]))[:MAX_LENGTH]
    return masked if visible_text(masked) else ""


def _hidden_parts(name: str, value: str) -> set[str]:
    """Return the parts of a field's value that pages mask."""
    masked_value = str(redact_field(name, value))
    return {*_DELIMITERS.split(value)} - {*_DELIMITERS.split(masked_value)}


def _is_long_enough(secret: str) -> bool:
    return len(secret) >= MIN_SECRET_LENGTH


def _any_spelling(secret: str) -> re.Pattern[str]:
    """Return a pattern of a secret as it is, and as URLs, forms, JSON and HTML write it."""
    return re.compile("".join(f"(?:{'|'.join(_spellings(character))})" for character in secret))


def _spellings(character: str) -> Iterator[str]:
    """Yield patterns of a character's spellings.

    No two of them match the same text. Otherwise a search could try each combination.
    """
    yield re.escape(character)
    yield "".join(f"(?i:%{byte:02x})" for byte in character.encode(errors="replace"))
    yield "".join(rf"(?i:\\u{unit:04x})" for unit in _utf16_units(character))
    yield rf"&#0*{ord(character)};?"
    yield rf"(?i:&#x0*{ord(character):x};?)"
    if character in _ENTITIES:
        yield f"&{_ENTITIES[character]}"
    if character == " ":
        yield r"\+"
    if character in "/'\"":
        yield rf"\\{character}"


def _utf16_units(character: str) -> Iterator[int]:
    """Yield the numbers by which JSON and JavaScript escape a character."""
    return iter(memoryview(character.encode("utf-16-le", "surrogatepass")).cast("H"))
