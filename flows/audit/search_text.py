"""Search text of the log's entries, normalized like names in the list of flows.

It holds names and identities before and after a change, SIDs, webhook hosts, the reason and the
actor. The path and query of a webhook are omitted because they can carry secrets.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from flows.core import matching
from flows.core.normalization import normalize_text
from flows.redaction.fingerprint import MASK_PATTERN
from flows.redaction.masking import redact, redact_note
from flows.twilio.registry import is_about_resource, resource_of_action
from flows.twilio.resource import Resource

STATE_FIELDS: Final = ("payload__before", "payload__requested", "payload__after")
_EVENT_FIELDS: Final = ("actor_label", "target_sid", "account_sid", "remote_request_id")
_HOST_PATTERN: Final = re.compile(
    r"(?:\[[0-9a-f:.]+\]|[^\s:\[\]]+\.[^\s:\[\]]+|localhost)(?=:\d*$|$)", re.IGNORECASE
)

# Most values occur in several events, such as the name before and after.
_normalize_cached = functools.lru_cache(maxsize=65_536)(normalize_text)


def build_search_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the search text of a change's events: each distinct value on a line of its own."""
    values = itertools.chain.from_iterable(map(_event_values, rows))
    return "\n".join(dict.fromkeys(filter(None, map(_normalize_cached, values))))


def url_host(address: str) -> str:
    """Return the host of a URL in lower case, or "" if it has none."""
    rest = address.strip().partition("://")[2] or address.strip()
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    host = _HOST_PATTERN.match(authority.rpartition("@")[2])
    return host.group().lower() if host else ""


def _event_values(row: Mapping[str, Any]) -> Iterator[str]:
    """Yield the searchable values of an event and its payload."""
    yield _strip_secrets(row["payload__friendly_name"], redact)
    yield from _identity_spellings(_strip_secrets(row["payload__contact_identity"], redact))
    if is_about_resource(row["action"]):
        resource = resource_of_action(row["action"])
        for name in STATE_FIELDS:
            if isinstance(row[name], dict):
                yield from _object_values(resource, row[name])
    yield _strip_secrets(row["reason"], redact_note)
    for name in _EVENT_FIELDS:
        yield row[name]


def _object_values(resource: Resource, state: Mapping[str, Any]) -> Iterator[str]:
    """Yield the searchable values of an object's state."""
    for name in resource.searchable_names:
        value = state.get(name)
        if not isinstance(value, str):
            continue
        if resource.by_name[name].kind == "url":
            yield url_host(value)
        elif name == resource.identity_field:
            yield from _identity_spellings(_strip_secrets(value, redact))
        else:
            yield _strip_secrets(value, redact)


def _strip_secrets(text: str | None, mask: Callable[[str], Any]) -> str:
    """Remove secrets that an older version stored unmasked, so that a search can't reveal them.

    The masks that replace them are removed, too, because they depend on the key in use. An event
    without a payload has None in place of a text.
    """
    if not text:
        return ""
    masked_text = str(mask(text))
    return text if masked_text == text else MASK_PATTERN.sub("", masked_text)


def _identity_spellings(identity: str) -> Iterator[str]:
    """Yield an identity, and its digits alone if spaces or signs separate them."""
    yield identity
    digits = matching.extract_digits(identity)
    if digits not in identity:
        yield digits
