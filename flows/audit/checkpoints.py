"""Signed checkpoints: the chain's end as it is now, to be kept where this site's operators have no write access."""

from __future__ import annotations

import hmac
import json
from typing import Any, Final

from django.conf import settings
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.chain import GENESIS, audit_keys, canonical_json
from flows.audit.models import ChainHead

MAX_CHECKPOINT_LENGTH: Final = 2000  # characters; one has some 250


def signed_checkpoint() -> dict[str, Any]:
    """The chain's end as it is now, to be kept where this site's people can't write."""
    row = ChainHead.objects.filter(name=audit_log.CHAIN_NAME).first()
    seq, last = (row.seq, row.hash) if row else (0, GENESIS)
    said = {"seq": seq, "hash": last, "at": timezone.now().isoformat(timespec="microseconds")}
    return {**said, "signature": _checkpoint_signature(said, settings.AUDIT_KEY)}


def parse_checkpoint(text: str) -> dict[str, Any] | None:
    """A signed head as it was kept; None if it is not one of this site's, or not as it was signed."""
    try:
        head = json.loads(text) if len(text) <= MAX_CHECKPOINT_LENGTH else None
        return head if isinstance(head, dict) and has_valid_signature(head) else None
    except (ValueError, RecursionError):
        return None


def has_valid_signature(head: dict[str, Any]) -> bool:
    """Whether a signed head is one of this site's and as it was signed."""
    said = {name: head.get(name) for name in ("seq", "hash", "at")}
    signature = str(head.get("signature", "")).encode()
    return isinstance(head.get("seq"), int) and any(
        hmac.compare_digest(signature, _checkpoint_signature(said, key).encode())
        for key in audit_keys()
    )


def _checkpoint_signature(said: dict[str, Any], key: str) -> str:
    return hmac.new(key.encode(), b"head:" + canonical_json(said), "sha256").hexdigest()
