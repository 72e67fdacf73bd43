"""The seals of the audit log: an HMAC over canonical JSON, with a key that is not in the database. An event's
seal is over all that it says and the seal before it; a payload's is salted, so that an erased one tells
nothing.

What is new is sealed with AUDIT_KEY. AUDIT_KEY_FALLBACKS, the keys of before, newest first, verify what they
sealed.
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

# What the seal is over, for good: a column that comes later is not in it, or every older seal would break.
HASHED_FIELDS: Final = (
    "seq", "event_id", "change_id", "request_id", "stage", "action", "result", "at", "actor_id", "actor_label",
    "actor_role", "source_ip", "user_agent", "account_sid", "target_sid", "changed_fields", "reason",
    "remote_status", "remote_code", "remote_request_id", "duration_ms", "payload_hash", "previous_hash",
)  # fmt: skip
# Columns that came later are under the seal of the events that have a value there, and of no other.
OPTIONAL_HASHED_FIELDS: Final = ("refers_to",)
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
    """Every key that may have sealed something, from the first of all to the one in use."""
    return [*reversed(settings.AUDIT_KEY_FALLBACKS), settings.AUDIT_KEY]


def event_hash(event: AuditEvent, key: str | None = None) -> str:
    """The seal over everything the event says, `previous_hash` included."""
    return event_hash_of_row(
        {name: event.recorded_value(name) for name in (*HASHED_FIELDS, *OPTIONAL_HASHED_FIELDS)},
        key,
    )


def event_hash_of_row(row: dict[str, Any], key: str | None = None) -> str:
    """The same for an event that was read as a row of values."""
    said = {name: row[name] for name in HASHED_FIELDS}
    return hmac_hex(
        said | {name: row[name] for name in OPTIONAL_HASHED_FIELDS if row[name] is not None}, key
    )


def payload_hash(body: AuditPayload, key: str | None = None) -> str:
    """The salted seal over a payload; an erased payload no longer matches its event's."""
    return payload_hash_of_row(
        {
            name: body.recorded_value(name)
            for name in ("salt", *PAYLOAD_FIELDS, *OPTIONAL_PAYLOAD_FIELDS)
        },
        key,
    )


def payload_hash_of_row(values: dict[str, Any], key: str | None = None) -> str:
    """The same for a payload that was read as values."""
    said = {name: values[name] for name in ("salt", *PAYLOAD_FIELDS)}
    return hmac_hex(
        said | {name: values[name] for name in OPTIONAL_PAYLOAD_FIELDS if values[name] is not None},
        key,
    )


def canonical_json(value: Any) -> bytes:
    """JSON with one spelling for one meaning: sorted keys, no spaces, UTC times with microseconds."""
    return json.dumps(
        value,
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=True,
        default=_encode_value,
        allow_nan=False,
    ).encode()


def hmac_hex(value: Any, key: str | None = None) -> str:
    """By the key in use unless told otherwise."""
    return hmac.new(
        (key or settings.AUDIT_KEY).encode(), canonical_json(value), hashlib.sha256
    ).hexdigest()


def _encode_value(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)
