"""Hashes of the audit log: HMACs over canonical JSON, with a key that is not in the database.

An event's hash covers all its fields and the hash of the event before it. A payload's hash is
salted, so that the hash of an erased payload reveals nothing.

New events are hashed with AUDIT_KEY. AUDIT_KEY_FALLBACKS holds the previous keys, newest first;
they verify older events.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from flows.audit.models import AuditEvent, AuditPayload

GENESIS: Final = "0" * 64

# Never add to these: every older hash would break.
HASHED_FIELDS: Final = (
    "seq", "event_id", "change_id", "request_id", "stage", "action", "result", "at",
    "actor_id", "actor_label", "actor_role", "source_ip", "user_agent", "account_sid", "target_sid",
    "changed_fields", "reason", "remote_status", "remote_code", "remote_request_id", "duration_ms",
    "payload_hash", "previous_hash",
)  # fmt: skip
# Columns added later. Only the events that have a value there include it in their hash.
OPTIONAL_HASHED_FIELDS: Final = ("refers_to", "token_key")
PAYLOAD_FIELDS: Final = (
    "friendly_name",
    "contact_identity",
    "before",
    "requested",
    "after",
    "message",
)
OPTIONAL_PAYLOAD_FIELDS: Final = ("findings",)


def audit_keys() -> list[str]:
    """Return every key that may have hashed an event, oldest first."""
    return [*reversed(settings.AUDIT_KEY_FALLBACKS), settings.AUDIT_KEY]


def event_hash(event: AuditEvent, key: str | None = None) -> str:
    """Return the hash of an event's fields, including `previous_hash`."""
    return event_hash_of_row(event_row(event), key)


def event_row(event: AuditEvent) -> dict[str, Any]:
    """Return the hashed fields of an event as stored, as if it was read as a dict."""
    names = (*HASHED_FIELDS, *OPTIONAL_HASHED_FIELDS)
    return {name: event.recorded_value(name) for name in names}


def event_hash_of_row(row: dict[str, Any], key: str | None = None) -> str:
    """Return the hash of an event that was read as a dict."""
    hashed_values = _select_values(row, HASHED_FIELDS, OPTIONAL_HASHED_FIELDS)
    return hmac_hex(hashed_values, key)


def find_event_key(row: dict[str, Any], recorded_hash: str) -> str | None:
    """Return the key that made the recorded hash of an event, or None if no key did."""
    for key in reversed(audit_keys()):
        if event_hash_of_row(row, key) == recorded_hash:
            return key
    return None


def payload_hash(body: AuditPayload, key: str | None = None) -> str:
    """Return the salted hash of a payload. Once erased, it differs from the event's."""
    names = ("salt", *PAYLOAD_FIELDS, *OPTIONAL_PAYLOAD_FIELDS)
    return payload_hash_of_row({name: body.recorded_value(name) for name in names}, key)


def payload_hash_of_row(values: dict[str, Any], key: str | None = None) -> str:
    """Return the salted hash of a payload that was read as a dict."""
    hashed_values = _select_values(values, ("salt", *PAYLOAD_FIELDS), OPTIONAL_PAYLOAD_FIELDS)
    return hmac_hex(hashed_values, key)


def canonical_json(value: Any) -> bytes:
    """Encode a value as JSON in one canonical form.

    Keys are sorted, there is no whitespace, and times are in UTC with microseconds.
    """
    return json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        default=_encode_value,
        allow_nan=False,
    ).encode()


def hmac_hex(value: Any, key: str | None = None) -> str:
    """Return the HMAC-SHA256 of a value's canonical JSON, by default with AUDIT_KEY."""
    return hmac.new(
        (key or settings.AUDIT_KEY).encode(), canonical_json(value), hashlib.sha256
    ).hexdigest()


def _select_values(
    row: dict[str, Any], names: tuple[str, ...], optional_names: tuple[str, ...]
) -> dict[str, Any]:
    """Return the values to hash. Optional ones are omitted where they are None."""
    values = {name: row[name] for name in names}
    values |= {name: row[name] for name in optional_names if row[name] is not None}
    return values


def _encode_value(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)
