"""Redaction of Twilio's values: what is kept and shown has no secret in it, and only text that any database
holds.

A secret is replaced by a mask, a keyed fingerprint, so that a reader still sees *that* it changed and nobody
learns what it is. The edit form alone shows the original. What is a secret:

- of a webhook's address, and of any value that is an address: what `redaction.addresses` says;
- of a JSON object, what stands under a name such as `token` or `password`, however deep;
- of any text, the addresses and credentials that it quotes.

Masking a masked value changes nothing, and neither does masking what an earlier version had masked: what is
on record is masked again when it is read, and compared as such.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from flows.redaction import addresses, credentials, first_rules, names, words
from flows.redaction.fingerprint import MASK_PATTERN, Masker, fingerprint
from flows.twilio.flex import flex_flow

MAX_DEPTH: Final = 20  # lists and objects in one another; what is deeper is told of and not shown
MIN_QUOTE_LENGTH: Final = 6  # characters of a value that a text may quote
_URL_KEY: Final = re.compile(r"(?:^|_)(?:url|uri|href|webhook|callback|endpoint)s?$", re.IGNORECASE)
_URL_FIELDS: Final = frozenset(field.name for field in flex_flow.FIELDS if field.kind == "url")
# Nearly every text has nothing that looks like a secret, and is through after this.
_PLAIN_TEXT: Final = re.compile(r"[\w +.()·,\u2013-]{0,60}")
_PLAIN_VALUE: Final = re.compile(
    r"(?!SK)[A-Z]{2}[0-9a-f]{32}|(?:whatsapp:|messenger:)?\+?[0-9]{1,20}|[a-z]{1,8}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
)
_RESOURCE_URL: Final = re.compile(r"https?://[a-z0-9.-]+(?::[0-9]+)?/v1/FlexFlows/FO[0-9a-f]{32}")
_CREDENTIAL_HINT: Final = re.compile(
    r"bearer|basic|digest|pass|pwd|secret|key|credential|token|[0-9a-f]{32}"
    r"|\b(?:SK|whsec|AKIA|gh[pousr]_|github_|[sprk]k_|xox|eyJ)",
    re.IGNORECASE,
)

Rule = Callable[[str, Masker], str]


def redact(value: Any) -> Any:
    """The same JSON with every secret masked; numbers and booleans as they are."""
    if isinstance(value, dict) and flex_flow.FIELDS_BY_NAME.keys().isdisjoint(value):
        return {key: _redact_metadata(key, item) for key, item in value.items()}
    return _redact_value(value, Masker(), "", 0)


def redact_field(name: str, value: Any) -> Any:
    """The value of a field of this name with every secret masked."""
    return _redact_value(value, Masker(), name, 0)


def redact_note(text: str) -> str:
    """A text that a person wrote (a reason, the name of a plan) with its secrets masked. Links to tickets
    stay."""
    if _is_plain(text):
        return text
    masker = Masker()
    text = addresses.mask_urls_in_text(first_rules.mask_text(text, masker), masker, is_strict=False)
    return credentials.mask_credentials_in_text(text, masker)


def redact_quotes(text: str, *snapshots: Mapping[str, Any] | None) -> str:
    """The text with what it quotes of these flows masked as a whole: of an address with white space in it, a
    text alone can't tell where it ends."""
    for snapshot in snapshots:
        for name, value in (snapshot or {}).items():
            is_quoted = isinstance(value, str) and len(value) >= MIN_QUOTE_LENGTH and value in text
            if is_quoted and (shown := redact_field(name, value)) != value:
                text = text.replace(value, shown)
    return text


def find_masks(value: Any) -> set[str]:
    """The masks that stand in a text."""
    return set(MASK_PATTERN.findall(value)) if isinstance(value, str) else set()


def replace_unstorable(value: Any) -> Any:
    """The same JSON without what a database can't hold: NUL becomes U+2400, a lone surrogate U+FFFD."""
    return _replace_in_value(value, 0)


def has_mask(value: Any) -> bool:
    """Whether a value was masked: saving it as it stands would put the mask in the secret's place."""
    return isinstance(value, str) and MASK_PATTERN.search(value) is not None


def unmask(value: Any, origin: Any) -> Any:
    """The value with each mask in it replaced by the secret of `origin` that it stands for. A mask of
    anything else stays: `has_mask` tells."""
    if not has_mask(value) or not isinstance(origin, str):
        return value
    secrets = _secrets_by_mask(origin)
    return MASK_PATTERN.sub(lambda match: secrets.get(match[0], match[0]), value)


def _secrets_by_mask(text: str) -> dict[str, str]:
    """The secrets of a text by their masks, whichever rule masked them: an address's, a sentence's, the first
    ones'."""
    masker = Masker()
    for rule in (_mask_text, _mask_as_url):
        rule(text, masker)
    return masker.secrets


def _redact_metadata(key: Any, value: Any) -> Any:
    """A value of an object that is no flow's: what this site says of its users, exports and verifications.
    Its names are our own, such as "single sign-on", and hold no secret; what somebody typed into a filter
    may."""
    if isinstance(value, str):
        masker = Masker()
        return credentials.mask_credentials_in_text(first_rules.mask_text(value, masker), masker)
    return _redact_value(value, Masker(), str(key), 1)


def _redact_value(
    value: Any, masker: Masker, name: str, depth: int, *, is_secret: bool = False
) -> Any:
    if isinstance(value, str):
        return masker.mask(value) if is_secret else _choose_rule(name, value)(value, masker)
    if isinstance(value, dict | list) and depth >= MAX_DEPTH:
        return _depth_placeholder(value)
    if isinstance(value, dict):
        return dict(_redact_items(value, masker, name, depth, is_secret=is_secret))
    if isinstance(value, list):
        return [_redact_value(item, masker, name, depth + 1, is_secret=is_secret) for item in value]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return masker.mask(str(value)) if is_secret and is_number else value


def _redact_items(
    value: dict[Any, Any], masker: Masker, name: str, depth: int, *, is_secret: bool
) -> Iterator[tuple[Any, Any]]:
    for key, item in value.items():
        if key in flex_flow.FIELDS_BY_NAME and not is_secret:
            yield key, _redact_value(item, masker, key, depth + 1)
            continue
        place = (
            name if name in _URL_FIELDS else str(key)
        )  # an address's own parts are addresses too
        yield (
            _mask_key(key, masker),
            _redact_value(
                item, masker, place, depth + 1, is_secret=is_secret or _is_secret_key(key)
            ),
        )


def _choose_rule(name: str, text: str) -> Rule:
    if name in _URL_FIELDS or (name and addresses.starts_like_url(text)):
        return _mask_as_url
    if name in flex_flow.FIELDS_BY_NAME or not name:
        return _mask_text
    if _URL_KEY.search(name):
        return _mask_as_url
    return _mask_if_unmasked if words.is_random(text) else _mask_text


def _mask_as_url(text: str, masker: Masker) -> str:
    if _RESOURCE_URL.fullmatch(text):
        return text
    return addresses.mask_url(first_rules.mask_text(text, masker), masker)


def _mask_text(text: str, masker: Masker) -> str:
    if _is_plain(text):
        return text
    text = addresses.mask_urls_in_text(first_rules.mask_text(text, masker), masker)
    return credentials.mask_credentials_in_text(text, masker)


def _mask_if_unmasked(text: str, masker: Masker) -> str:
    """A long random text of no known form, under a name that nobody knows."""
    return text if MASK_PATTERN.search(text) else masker.mask(text)


def _is_plain(text: str) -> bool:
    if _PLAIN_VALUE.fullmatch(text):
        return True
    return _PLAIN_TEXT.fullmatch(text) is not None and not _CREDENTIAL_HINT.search(text)


def _mask_key(key: Any, masker: Masker) -> Any:
    return _mask_text(key, masker) if isinstance(key, str) else key


def _is_secret_key(key: Any) -> bool:
    return (
        isinstance(key, str)
        and key not in flex_flow.FIELDS_BY_NAME
        and names.may_be_secret_name(key)
    )


def _depth_placeholder(value: Any) -> str:
    """The text that stands for a part that is nested too deeply. Its mask tells whether it changed."""
    return f"nested too deeply: not shown ({fingerprint(_serialize_iteratively(value))})"


def _serialize_iteratively(value: Any) -> str:
    """The whole of a value as text, however deep it is: the same text for the same value."""
    parts: list[str] = []
    left: list[Any] = [value]
    while left:
        item = left.pop()
        if isinstance(item, dict):
            parts.append(f"{{{len(item)}")
            for key in sorted(item, key=str, reverse=True):
                left += [item[key], str(key)]
        elif isinstance(item, list | tuple):
            parts.append(f"[{len(item)}")
            left += reversed(item)
        else:
            parts.append(json.dumps(item, default=str))
    return "\n".join(parts)


def _replace_in_value(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        if value.isascii() and "\x00" not in value:
            return value
        return (
            value.replace("\x00", "\u2400")
            .encode("utf-16", "surrogatepass")
            .decode("utf-16", "replace")
        )
    if isinstance(
        value, float
    ):  # one spelling on every database: 1e3 comes back from PostgreSQL as 1000
        return (
            str(value) if not math.isfinite(value) else int(value) if value.is_integer() else value
        )
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
