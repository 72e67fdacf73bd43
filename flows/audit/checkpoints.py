"""Signed checkpoints: the current end of the chain, to be stored elsewhere.

They prove something only where this site's operators have no write access.
"""

from __future__ import annotations

import hmac
import json
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.actions import AuditAction
from flows.audit.audit_log import Actor, Payload
from flows.audit.chain import audit_keys, canonical_json
from flows.audit.models import Result, Stage
from flows.redaction.redacted import redact_fields

MAX_CHECKPOINT_LENGTH: Final = 2000  # characters; one has some 250


def signed_checkpoint() -> dict[str, Any]:
    """Return the seq and hash of the last event and the current time, with a signature."""
    seq, last_hash = audit_log.chain_end()
    at = timezone.now().isoformat(timespec="microseconds")
    values = {"seq": seq, "hash": last_hash, "at": at}
    return {**values, "signature": _checkpoint_signature(values, settings.AUDIT_KEY)}


def export_checkpoint(actor: Actor) -> dict[str, Any]:
    """Return a signed checkpoint, and log its export in the event after it.

    Raises `NotRecorded`.
    """
    checkpoint = signed_checkpoint()
    audit_log.append(
        action=AuditAction.CHECKPOINT,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=actor,
        payload=Payload(after=redact_fields({"through": checkpoint["seq"]})),
    )
    return checkpoint


def parse_checkpoint(text: str) -> dict[str, Any] | None:
    """Return the checkpoint in a file's text, or None if this site did not sign it as it is."""
    if len(text) > MAX_CHECKPOINT_LENGTH:
        return None
    try:
        checkpoint = json.loads(text)
        if isinstance(checkpoint, dict) and has_valid_signature(checkpoint):
            return checkpoint
    except (ValueError, RecursionError):
        return None
    return None


def has_valid_signature(checkpoint: dict[str, Any]) -> bool:
    """Return True if one of this site's keys signed the checkpoint as it is."""
    values = {
        "seq": checkpoint.get("seq"),
        "hash": checkpoint.get("hash"),
        "at": checkpoint.get("at"),
    }
    if not isinstance(values["seq"], int):
        return False
    signature = str(checkpoint.get("signature", "")).encode()
    for key in audit_keys():
        expected_signature = _checkpoint_signature(values, key).encode()
        if hmac.compare_digest(signature, expected_signature):
            return True
    return False


def _checkpoint_signature(values: dict[str, Any], key: str) -> str:
    return hmac.new(key.encode(), b"head:" + canonical_json(values), "sha256").hexdigest()
