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
SEALED: Final = (
    "seq", "event_id", "change_id", "request_id", "stage", "action", "result", "at", "actor_id", "actor_label",
    "actor_role", "source_ip", "user_agent", "account_sid", "target_sid", "changed_fields", "reason",
    "remote_status", "remote_code", "remote_request_id", "duration_ms", "payload_hash", "previous_hash",
)  # fmt: skip
# Columns that came later are under the seal of the events that have a value there, and of no other.
SEALED_IF_SET: Final = ("refers_to",)
PAYLOAD: Final = ("friendly_name", "contact_identity", "before", "requested", "after", "message")
PAYLOAD_IF_SET: Final = ("findings",)


def keys() -> list[str]:
    """Every key that may have sealed something, from the first of all to the one in use."""
    return [*reversed(settings.AUDIT_KEY_FALLBACKS), settings.AUDIT_KEY]


def event_hash(event: AuditEvent, key: str | None = None) -> str:
    """The seal over everything the event says, `previous_hash` included."""
    return sealed_row({name: event.as_written(name) for name in (*SEALED, *SEALED_IF_SET)}, key)


def sealed_row(row: dict[str, Any], key: str | None = None) -> str:
    """The same for an event that was read as a row of values."""
    said = {name: row[name] for name in SEALED}
    return sealed(said | {name: row[name] for name in SEALED_IF_SET if row[name] is not None}, key)


def payload_hash(body: AuditPayload, key: str | None = None) -> str:
    """The salted seal over a payload; an erased payload no longer matches its event's."""
    return sealed_payload({name: body.as_written(name) for name in ("salt", *PAYLOAD, *PAYLOAD_IF_SET)}, key)


def sealed_payload(values: dict[str, Any], key: str | None = None) -> str:
    """The same for a payload that was read as values."""
    said = {name: values[name] for name in ("salt", *PAYLOAD)}
    return sealed(said | {name: values[name] for name in PAYLOAD_IF_SET if values[name] is not None}, key)


def canonical(value: Any) -> bytes:
    """JSON with one spelling for one meaning: sorted keys, no spaces, UTC times with microseconds."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_plain, allow_nan=False
    ).encode()


def sealed(value: Any, key: str | None = None) -> str:
    """By the key in use unless told otherwise."""
    return hmac.new((key or settings.AUDIT_KEY).encode(), canonical(value), hashlib.sha256).hexdigest()


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    return str(value)
