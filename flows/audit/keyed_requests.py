"""The API requests that sent changes, so that an Idempotency-Key can't stand for another request."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from flows.audit.models import KeyedRequest

LIFETIME: Final = timedelta(days=30)  # of digests; a repeated key is still one change afterwards


def remember(change_id: uuid.UUID, digest: str) -> None:
    """Store the digest of the request that sends a change, in the caller's transaction.

    `digest` is `Actor.request_digest`, and is empty for a request without a key.
    """
    if digest:
        row = KeyedRequest(change_id=change_id, digest=digest, sent_at=timezone.now())
        KeyedRequest.objects.bulk_create([row], ignore_conflicts=True)


def find_digest(change_id: uuid.UUID) -> str:
    """Return the digest of the request that sent this change first, or ""."""
    digests = KeyedRequest.objects.filter(pk=change_id).values_list("digest", flat=True)
    return digests.first() or ""


def expired() -> QuerySet[KeyedRequest]:
    """Return the rows that are kept no longer."""
    return KeyedRequest.objects.filter(sent_at__lt=timezone.now() - LIFETIME)
