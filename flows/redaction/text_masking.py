"""Masking of the secrets in one text: a URL, a sentence, or the value of a field.

Each function masks a text until masking it again would change nothing, because one rule can remove
what kept another from applying. So a value has one redacted form, however often it is redacted.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from flows.redaction import credentials, first_rules, url_masking
from flows.redaction.fingerprint import MASK_PATTERN, Masker
from flows.twilio.registry import is_object_url

Rule = Callable[[str, Masker], str]

MAX_PASSES: Final = 8  # three are enough for all texts that tests have made so far
_PLAIN_TEXT: Final = re.compile(r"[\w +.()·,\u2013-]{0,60}")
_PLAIN_VALUE: Final = re.compile(
    r"(?!SK)[A-Z]{2}[0-9a-f]{32}|(?:whatsapp:|messenger:)?\+?[0-9]{1,20}|[a-z]{1,8}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
)


def mask_url(text: str, masker: Masker) -> str:
    """Mask a URL, unless it is the address of an object in Twilio's API, which has no secret."""
    if is_object_url(text):
        return text
    return _apply_all(text, masker, url_masking.mask_url)


def mask_text(text: str, masker: Masker) -> str:
    """Mask the secrets in a text that is not known to be a URL."""
    if is_plain(text):
        return text
    return _apply_all(
        text, masker, url_masking.mask_urls_in_text, credentials.mask_credentials_in_text
    )


def mask_sentence(text: str, masker: Masker) -> str:
    """Mask the secrets in a user's sentence. URLs are masked by the rules for links."""
    if is_plain(text):
        return text
    return _apply_all(
        text, masker, url_masking.mask_links_in_text, credentials.mask_credentials_in_text
    )


def mask_detail(text: str, masker: Masker) -> str:
    """Mask the secrets in a detail of an event, such as a filter that a user typed."""
    return _apply_all(text, masker, credentials.mask_credentials_in_text)


def mask_if_unmasked(text: str, masker: Masker) -> str:
    """Mask a long random text as a whole, unless an earlier version masked its secrets."""
    return text if MASK_PATTERN.search(text) else masker.mask(text)


def is_plain(text: str) -> bool:
    """Return True if a text surely has no secret. Nearly every text passes this fast check."""
    if _PLAIN_VALUE.fullmatch(text):
        return True
    has_plain_characters = _PLAIN_TEXT.fullmatch(text) is not None
    return has_plain_characters and not credentials.may_have_credentials(text)


def mask_until_stable(text: str, masker: Masker, mask_once: Rule) -> str:
    """Mask a text again and again, until that changes nothing.

    A text that would change forever is masked as a whole.
    """
    for _ in range(MAX_PASSES):
        masked = mask_once(text, masker)
        if masked == text:
            return text
        text = masked
    return masker.mask(text)


def _apply_all(text: str, masker: Masker, *rules: Rule) -> str:
    """Apply the first rules and then these, until they change nothing."""

    def mask_once(text: str, masker: Masker) -> str:
        text = mask_until_stable(text, masker, first_rules.mask_text)
        for rule in rules:
            text = rule(text, masker)
        return text

    return mask_until_stable(text, masker, mask_once)
