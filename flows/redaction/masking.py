"""Redaction of values from Twilio before they are stored or shown.

A mask, which is a keyed fingerprint, replaces each secret. So users see that a secret changed, but
not the secret. Only the edit form shows the original. Secrets are:

- the parts of a webhook URL, and of any value that is a URL, that `redaction.url_masking` masks
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
from functools import partial
from typing import Any, Final

from flows.redaction import names, text_masking, url_masking, words
from flows.redaction.fingerprint import MASK_PATTERN, Masker, fingerprint
from flows.twilio.fields import Field
from flows.twilio.registry import DISTINCTIVE_NAMES, KNOWN_FIELDS, MIRRORED_FIELDS
from flows.twilio.values import is_number

MAX_DEPTH: Final = 20  # levels of lists and objects; a placeholder replaces deeper ones
MIN_QUOTE_LENGTH: Final = 6  # characters; a shorter value is not searched for in a text
_URL_KEY: Final = re.compile(r"(?:^|_)(?:url|uri|href|webhook|callback|endpoint)s?$", re.IGNORECASE)
_CONTAINERS: Final = (dict, list, tuple)  # a union would be built again for each value


def redact(value: Any) -> Any:
    """Return JSON with every secret masked."""
    is_metadata = isinstance(value, dict) and DISTINCTIVE_NAMES.isdisjoint(value)
    if is_metadata:
        return {key: _redact_metadata(key, item) for key, item in value.items()}
    return _redact_value(value, Masker(), "", 0)


def redact_object(value: Mapping[str, Any]) -> Any:
    """Return an object of a resource with every secret masked."""
    return _redact_value(dict(value), Masker(), "", 0)


def redact_field(name: str, value: Any) -> Any:
    """Return the value of the field `name` with every secret masked."""
    return _redact_value(value, Masker(), name, 0)


def redact_note(text: str) -> str:
    """Return a user's text, such as a reason, with its secrets masked. Links to tickets stay."""
    return text_masking.mask_sentence(text, Masker())


def redact_quotes(text: str, *snapshots: Mapping[str, Any] | None) -> str:
    """Return the text with the values of these flows that it quotes redacted.

    Values of flows are needed for URLs with white space, whose end can't be seen in a text.
    """
    for snapshot in filter(None, snapshots):
        for name, value in snapshot.items():
            if isinstance(value, str):
                text = _redact_quote(text, name, value)
            elif isinstance(value, _CONTAINERS):
                text = _redact_quoted_parts(text, name, value)
    return text


def _redact_quoted_parts(text: str, name: str, value: Any) -> str:
    """Return the text with each quote of a secret in this list or object masked."""
    masker = Masker()
    _redact_value(value, masker, name, 0)
    for mask, secret in masker.secrets.items():
        if len(secret) >= MIN_QUOTE_LENGTH:
            text = text.replace(secret, mask)
    return text


def _redact_quote(text: str, name: str, value: str) -> str:
    """Return the text with each quote of this field's value redacted."""
    if len(value) < MIN_QUOTE_LENGTH or value not in text:
        return text
    return text.replace(value, redact_field(name, value))


def find_masks(value: Any) -> set[str]:
    """Return the masks in a text, and none for any other value."""
    return set(MASK_PATTERN.findall(value)) if isinstance(value, str) else set()


def replace_unstorable(value: Any) -> Any:
    """Return JSON without characters that a database can't store.

    NUL becomes U+2400 and a lone surrogate U+FFFD. Numbers get one spelling for all databases.
    """
    return _replace_in_value(value)


def has_mask(value: Any) -> bool:
    """Return True if a value contains a mask, at any depth of a list or an object.

    To send it to Twilio would destroy the secret.
    """
    if isinstance(value, Mapping):
        return any(has_mask(part) for pair in value.items() for part in pair)
    if isinstance(value, list | tuple):
        return any(map(has_mask, value))
    return bool(find_masks(value))


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
    text_masking.mask_url(text_masking.mask_text(text, masker), masker)
    text_masking.mask_url(text, masker)
    return masker.secrets


def _redact_metadata(key: Any, value: Any) -> Any:
    """Redact a value of an object that is not a flow, such as the details of an export.

    This site chose the names of such objects, so a name like "single sign-on" is no sign of a
    secret. A user may have typed a secret into a text, such as a filter.
    """
    if isinstance(value, str):
        return text_masking.mask_detail(value, Masker())
    return _redact_value(value, Masker(), str(key), 1)


def _redact_value(value: Any, masker: Masker, name: str, depth: int) -> Any:
    """Redact a value under this name, at this depth."""
    if isinstance(value, str):
        return text_masking.mask_until_stable(
            value, masker, lambda text, masker: _choose_rule(name, text, depth)(text, masker)
        )
    if not isinstance(value, _CONTAINERS):
        return value
    if depth >= MAX_DEPTH:
        return _depth_placeholder(value)
    if isinstance(value, list | tuple):
        return [_redact_value(item, masker, name, depth + 1) for item in value]
    return dict(_redact_items(value, masker, name, depth))


def _redact_items(
    value: dict[Any, Any], masker: Masker, name: str, depth: int
) -> Iterator[tuple[Any, Any]]:
    """Yield the redacted keys and values of an object under this name, at this depth.

    All parts of a URL field are masked as URLs. The name of an object's own field is no sign of a
    secret. Within the field's value, any name can mean anything.
    """
    has_url_parts = _is_url_field(name)
    for key, item in value.items():
        field = _own_field(key, depth)
        if field is not None:
            if not _is_surely_plain(field, item):
                item = _redact_value(item, masker, key, depth + 1)
            yield key, item
            continue
        key_text = str(key)
        redacted_key = _mask_key(masker, key)
        if names.may_be_secret_name(key_text):
            yield redacted_key, _mask_all(masker, item, depth + 1)
            continue
        item_name = name if has_url_parts else key_text
        yield redacted_key, _redact_value(item, masker, item_name, depth + 1)


def _mask_all(masker: Masker, value: Any, depth: int) -> Any:
    """Mask each text and number of a secret, which can be an object or a list."""
    if isinstance(value, _CONTAINERS):
        mask_key, mask_item = partial(_mask_key, masker), partial(_mask_all, masker)
        return _transform_parts(value, depth, mask_key, mask_item)
    if isinstance(value, str) or is_number(value):
        return masker.mask(str(value))
    return value


def _is_url_field(name: str) -> bool:
    field = KNOWN_FIELDS.get(name)
    return field is not None and field.kind == "url"


def _is_surely_plain(field: Field, value: Any) -> bool:
    """Return True if no rule changes this value of a resource's field. It is true of nearly all."""
    if isinstance(value, str):
        return field.kind != "url" and text_masking.is_plain(value)
    return not isinstance(value, _CONTAINERS)


def _own_field(name: Any, depth: int) -> Field | None:
    """Return the field of this name in an object at this depth, or None if it is no such field.

    Objects of a resource are not parts of others, but for those that the site keeps copies of.
    """
    fields = KNOWN_FIELDS if depth == 0 else MIRRORED_FIELDS
    return fields.get(name)


def _choose_rule(name: str, text: str, depth: int) -> text_masking.Rule:
    """Return the masking rule for a text under this name, at this depth."""
    if not name:
        return text_masking.mask_text
    if _is_url_field(name) or url_masking.starts_like_url(text):
        return text_masking.mask_url
    if _own_field(name, max(0, depth - 1)) is not None:
        return text_masking.mask_text
    return _choose_rule_for_unknown_field(name, text)


def _choose_rule_for_unknown_field(name: str, text: str) -> text_masking.Rule:
    """Return the masking rule for a text under a name that no resource's field has."""
    if _URL_KEY.search(name):
        return text_masking.mask_url
    if words.is_random(text):
        return text_masking.mask_if_unmasked
    return text_masking.mask_text


def _mask_key(masker: Masker, key: Any) -> Any:
    return text_masking.mask_text(key, masker) if isinstance(key, str) else key


def _transform_parts(
    parts: dict[Any, Any] | list[Any] | tuple[Any, ...],
    depth: int,
    transform_key: Callable[[Any], Any],
    transform_item: Callable[[Any, int], Any],
) -> Any:
    """Return an object or a list with its parts transformed. `depth` is its own depth.

    A placeholder replaces one that is nested too deeply.
    """
    if depth >= MAX_DEPTH:
        return _depth_placeholder(parts)
    if isinstance(parts, dict):
        return {transform_key(key): transform_item(item, depth + 1) for key, item in parts.items()}
    return [transform_item(item, depth + 1) for item in parts]


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


def _replace_in_value(value: Any, depth: int = 0) -> Any:
    """Return a value at this depth, or a key, in a form that each database stores."""
    if isinstance(value, str):
        is_storable = value.isascii() and "\x00" not in value
        return value if is_storable else _replace_in_text(value)
    if isinstance(value, float):
        return _normalize_float(value)
    if isinstance(value, _CONTAINERS):
        return _transform_parts(value, depth, _replace_in_value, _replace_in_value)
    return value


def _replace_in_text(text: str) -> str:
    """Return the text without NUL and lone surrogates."""
    without_nul = text.replace("\x00", "\u2400")
    return without_nul.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _normalize_float(value: float) -> float | int | str:
    """Return the form that each database gives back. PostgreSQL turns 1e3 into 1000."""
    if value.is_integer():
        return int(value)
    return value if math.isfinite(value) else str(value)
