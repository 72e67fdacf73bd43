"""The text that the log's search compares: what an event says of a flow, folded as the list folds names.

It holds names and identities before and after, SIDs, the hosts of webhooks, the reason and the user. A
webhook's path and query are left out: they can carry secrets.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from flows.core import matching
from flows.core.normalization import fold
from flows.redaction.fingerprint import MASK
from flows.redaction.masking import masked, masked_note
from flows.twilio.flex import flex_flow

STATES: Final = ("payload__before", "payload__requested", "payload__after")
_NAMED: Final = ("friendly_name", "contact_identity")
_SIDS: Final = tuple(field.name for field in flex_flow.FIELDS if field.kind == "sid")
_ADDRESSES: Final = tuple(field.name for field in flex_flow.FIELDS if field.kind == "url")
_EVENT: Final = ("reason", "actor_label", "target_sid", "account_sid", "remote_request_id")
_HOST: Final = re.compile(r"(?:\[[0-9a-f:.]+\]|[^\s:\[\]]+\.[^\s:\[\]]+|localhost)(?=:\d*$|$)", re.IGNORECASE)

# Most values stand in several events, such as the name before and after.
_folded = functools.lru_cache(maxsize=65_536)(fold)


def text_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return the searchable text of a change's events, each value on a line of its own, once."""
    values = (value for row in rows for value in _values(row))
    return "\n".join(dict.fromkeys(filter(None, map(_folded, values))))


def host_of(address: str) -> str:
    """Return the host of a web address, or "" if it has none."""
    rest = address.strip().partition("://")[2] or address.strip()
    authority = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    host = _HOST.match(authority.rpartition("@")[2])
    return host.group().lower() if host else ""


def _values(row: Mapping[str, Any]) -> Iterator[str]:
    yield _without_secrets(row["payload__friendly_name"] or "", masked)
    yield from _spellings(_without_secrets(row["payload__contact_identity"] or "", masked))
    if row["action"].startswith("flow."):
        for name in STATES:
            if isinstance(row[name], dict):
                yield from _values_of_flow(row[name])
    for name in _EVENT:
        yield _without_secrets(row[name], masked_note) if name == "reason" else row[name]


def _values_of_flow(state: Mapping[str, Any]) -> Iterator[str]:
    for name in (*_NAMED, *_SIDS, *_ADDRESSES):
        value = state.get(name)
        if not isinstance(value, str) or not value:
            continue
        if name in _ADDRESSES:
            yield host_of(value)
        elif name == "contact_identity":
            yield from _spellings(_without_secrets(value, masked))
        else:
            yield _without_secrets(value, masked)


def _without_secrets(text: str, mask: Callable[[str], Any]) -> str:
    """Leave out what an earlier version recorded and today's rules mask: a search must not tell it letter by letter.
    The mask itself is left out too, since it depends on the key in use."""
    masked_text = str(mask(text))
    return text if masked_text == text else MASK.sub("", masked_text)


def _spellings(identity: str) -> Iterator[str]:
    """Yield an identity, and its digits where it was written with spaces or signs among them."""
    yield identity
    digits = matching.digits_of(identity)
    if digits not in identity:
        yield digits
