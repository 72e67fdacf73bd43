"""Redaction of values from Twilio before they are stored or shown.

A mask, which is a keyed fingerprint, replaces each secret. So users see that a secret changed, but
not the secret. Only the edit form shows the original. Secrets are:

- the parts of a webhook URL, and of any value that is a URL, that `redaction.addresses` masks
- the values of a JSON object under a name such as `token` or `password`, at any depth
- the secrets of URLs in a text, and credentials in a text

Redacting a redacted value changes nothing, also if an earlier version redacted it. So recorded
values are redacted again when they are read, and compared in that form.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from flows.redaction import addresses, credentials, first_rules, names, words
from flows.redaction.fingerprint import MASK_PATTERN, Masker, fingerprint
from flows.twilio.registry import KNOWN_FIELDS, registered_resources
from flows.twilio.values import is_number

MAX_DEPTH: Final = 20  # levels of lists and objects; a placeholder replaces deeper ones
MIN_QUOTE_LENGTH: Final = 6  # characters; a shorter value is not searched for in a text
_URL_KEY: Final = re.compile(r"(?:^|_)(?:url|uri|href|webhook|callback|endpoint)s?$", re.IGNORECASE)
# A fast check that nearly every text passes, because it has nothing like a secret.
_PLAIN_TEXT: Final = re.compile(r"[\w +.()·,\u2013-]{0,60}")
_PLAIN_VALUE: Final = re.compile(
    r"(?!SK)[A-Z]{2}[0-9a-f]{32}|(?:whatsapp:|messenger:)?\+?[0-9]{1,20}|[a-z]{1,8}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
)
_CREDENTIAL_HINT: Final = re.compile(
    r"bearer|basic|digest|pass|pwd|secret|key|credential|token|[0-9a-f]{32}"
    r"|\b(?:SK|whsec|AKIA|gh[pousr]_|github_|[sprk]k_|xox|eyJ)",
    re.IGNORECASE,
)

Rule = Callable[[str, Masker], str]


def redact(value: Any) -> Any:
    """Return JSON with every secret masked."""
    is_metadata = isinstance(value, dict) and KNOWN_FIELDS.keys().isdisjoint(value)
    if is_metadata:
        return {key: _redact_metadata(key, item) for key, item in value.items()}
    return _redact_value(value, Masker(), "", 0)


def redact_field(name: str, value: Any) -> Any:
    """Return the value of the field `name` with every secret masked."""
    return _redact_value(value, Masker(), name, 0)


def redact_note(text: str) -> str:
    """Return a user's text, such as a reason, with its secrets masked. Links to tickets stay."""
    if _is_plain(text):
        return text
    masker = Masker()
    text = first_rules.mask_text(text, masker)
    text = addresses.mask_urls_in_text(text, masker, is_strict=False)
    return credentials.mask_credentials_in_text(text, masker)


def redact_quotes(text: str, *snapshots: Mapping[str, Any] | None) -> str:
    """Return the text with the values of these flows that it quotes redacted.

    Values of flows are needed for URLs with white space, whose end can't be seen in a text.
    """
    for snapshot in filter(None, snapshots):
        for name, value in snapshot.items():
            is_quotable = isinstance(value, str) and len(value) >= MIN_QUOTE_LENGTH
            if is_quotable and value in text:
                text = text.replace(value, redact_field(name, value))
    return text


def find_masks(value: Any) -> set[str]:
    """Return the masks in a text."""
    return set(MASK_PATTERN.findall(value)) if isinstance(value, str) else set()


def replace_unstorable(value: Any) -> Any:
    """Return JSON without characters that a database can't store.

    NUL becomes U+2400 and a lone surrogate U+FFFD. Numbers get one spelling for all databases.
    """
    return _replace_in_value(value, 0)


def has_mask(value: Any) -> bool:
    """Return True if a value contains a mask. To send it to Twilio would destroy the secret."""
    return isinstance(value, str) and MASK_PATTERN.search(value) is not None


def unmask(value: Any, origin: Any) -> Any:
    """Return the value with each mask replaced by the secret of `origin` that it stands for.

    Masks of other secrets stay, and `has_mask` finds them.
    """
    if not has_mask(value) or not isinstance(origin, str):
        return value
    secrets = _secrets_by_mask(origin)
    return MASK_PATTERN.sub(lambda match: secrets.get(match[0], match[0]), value)


def _secrets_by_mask(text: str) -> dict[str, str]:
    """Return the secrets of a text by their masks, for each rule that can have masked them."""
    masker = Masker()
    _mask_text(text, masker)
    _mask_as_url(text, masker)
    return masker.secrets


def _redact_metadata(key: Any, value: Any) -> Any:
    """Redact a value of an object that is not a flow, such as the details of an export.

    This site chose the names of such objects, so a name like "single sign-on" is no sign of a
    secret. A user may have typed a secret into a text, such as a filter.
    """
    if isinstance(value, str):
        masker = Masker()
        text = first_rules.mask_text(value, masker)
        return credentials.mask_credentials_in_text(text, masker)
    return _redact_value(value, Masker(), str(key), 1)


def _redact_value(
    value: Any, masker: Masker, name: str, depth: int, *, is_secret: bool = False
) -> Any:
    """Redact a value under this name, at this depth. All of a secret's values are masked."""
    if isinstance(value, str):
        if is_secret:
            return masker.mask(value)
        rule = _choose_rule(name, value)
        return rule(value, masker)
    if isinstance(value, dict | list) and depth >= MAX_DEPTH:
        return _depth_placeholder(value)
    if isinstance(value, dict):
        return dict(_redact_items(value, masker, name, depth, is_secret=is_secret))
    if isinstance(value, list):
        return [_redact_value(item, masker, name, depth + 1, is_secret=is_secret) for item in value]
    return masker.mask(str(value)) if is_secret and is_number(value) else value


def _redact_items(
    value: dict[Any, Any], masker: Masker, name: str, depth: int, *, is_secret: bool
) -> Iterator[tuple[Any, Any]]:
    for key, item in value.items():
        if key in KNOWN_FIELDS and not is_secret:
            yield key, _redact_value(item, masker, key, depth + 1)
            continue
        item_name = name if _is_url_field(name) else str(key)  # parts of a URL are masked as URLs
        is_secret_item = is_secret or _is_secret_key(key)
        redacted_key = _mask_key(key, masker)
        redacted_item = _redact_value(item, masker, item_name, depth + 1, is_secret=is_secret_item)
        yield redacted_key, redacted_item


def _is_url_field(name: str) -> bool:
    field = KNOWN_FIELDS.get(name)
    return field is not None and field.kind == "url"


def _choose_rule(name: str, text: str) -> Rule:
    """Return the masking rule for a text under this name."""
    if not name:
        return _mask_text
    if _is_url_field(name) or addresses.starts_like_url(text):
        return _mask_as_url
    if name in KNOWN_FIELDS:
        return _mask_text
    if _URL_KEY.search(name):
        return _mask_as_url
    return _mask_if_unmasked if words.is_random(text) else _mask_text


def _mask_as_url(text: str, masker: Masker) -> str:
    """Mask a URL, unless it is the address of an object in Twilio's API, which has no secret."""
    if any(resource.is_url(text) for resource in registered_resources()):
        return text
    return addresses.mask_url(first_rules.mask_text(text, masker), masker)


def _mask_text(text: str, masker: Masker) -> str:
    """Mask the secrets in a text that is not known to be a URL."""
    if _is_plain(text):
        return text
    text = first_rules.mask_text(text, masker)
    text = addresses.mask_urls_in_text(text, masker)
    return credentials.mask_credentials_in_text(text, masker)


def _mask_if_unmasked(text: str, masker: Masker) -> str:
    """Mask a long random text as a whole, unless an earlier version masked its secrets."""
    return text if MASK_PATTERN.search(text) else masker.mask(text)


def _is_plain(text: str) -> bool:
    if _PLAIN_VALUE.fullmatch(text):
        return True
    return _PLAIN_TEXT.fullmatch(text) is not None and not _CREDENTIAL_HINT.search(text)


def _mask_key(key: Any, masker: Masker) -> Any:
    return _mask_text(key, masker) if isinstance(key, str) else key


def _is_secret_key(key: Any) -> bool:
    return isinstance(key, str) and key not in KNOWN_FIELDS and names.may_be_secret_name(key)


def _depth_placeholder(value: Any) -> str:
    """Return a text for a part that is nested too deeply, with a mask that shows its changes."""
    return f"nested too deeply: not shown ({fingerprint(_serialize_iteratively(value))})"


def _serialize_iteratively(value: Any) -> str:
    """Return a value of any depth as text. Equal values have equal texts."""
    parts: list[str] = []
    stack: list[Any] = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, dict):
            parts.append(f"{{{len(item)}")
            for key in sorted(item, key=str, reverse=True):
                stack += [item[key], str(key)]
        elif isinstance(item, list | tuple):
            parts.append(f"[{len(item)}")
            stack += reversed(item)
        else:
            parts.append(json.dumps(item, default=str))
    return "\n".join(parts)


def _replace_in_value(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _replace_in_text(value)
    if isinstance(value, float):
        return _normalize_float(value)
    if isinstance(value, dict | list | tuple) and depth >= MAX_DEPTH:
        return _depth_placeholder(value)
    if isinstance(value, dict):
        return {
            _replace_in_value(key, depth): _replace_in_value(item, depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_replace_in_value(item, depth + 1) for item in value]
    return value


def _replace_in_text(text: str) -> str:
    if text.isascii() and "\x00" not in text:
        return text
    without_nul = text.replace("\x00", "\u2400")
    return without_nul.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _normalize_float(value: float) -> float | int | str:
    """Return the form that each database gives back. PostgreSQL turns 1e3 into 1000."""
    if not math.isfinite(value):
        return str(value)
    return int(value) if value.is_integer() else value
