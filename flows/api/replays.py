"""Requests that repeat an Idempotency-Key: they get the first outcome, and send nothing."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from flows.accounts.permissions import has_permission
from flows.api.access import VIEW_FLOWS
from flows.api.models import KeyedRequest
from flows.api.problems import Problem, not_recorded
from flows.audit import audit_log
from flows.audit.models import AuditEvent

HEADER: Final = "Idempotency-Key"
SALT: Final = "flows.api.replays"
LIFETIME: Final = timedelta(days=30)  # of digests; a repeated key is still one change afterwards


def find_replay(
    request: HttpRequest, change_id: uuid.UUID, action: str, sid: str = ""
) -> AuditEvent | None:
    """Return the latest event of this change if it was sent before, or None. Raise `Problem`."""
    event = audit_log.latest_event(change_id)
    if event is None:
        return None
    is_own = event.actor_id == str(request.user.pk)
    if not is_own or event.action != action or (sid and event.target_sid != sid):
        detail = "This Idempotency-Key belongs to another change. Nothing was sent."
        raise Problem(422, detail, code="key_reused")
    if not _is_same_request(request, change_id):
        detail = "This Idempotency-Key was sent with another request. Nothing was sent again."
        raise Problem(422, detail, code="key_reused")
    if not has_permission(request.user, VIEW_FLOWS, event.account_sid):
        raise PermissionDenied
    return event


def remember_request(request: HttpRequest, change_id: uuid.UUID) -> None:
    """Store the digest of a request with an Idempotency-Key that is about to be sent.

    Raise `Problem` if it can't be stored.
    """
    if HEADER not in request.headers:
        return
    now = timezone.now()
    digest = _digest_of(request, settings.SECRET_KEY)
    row = KeyedRequest(change_id=change_id, digest=digest, sent_at=now)
    expired = KeyedRequest.objects.filter(sent_at__lt=now - LIFETIME)
    try:
        if expired.exists():
            expired.delete()
        KeyedRequest.objects.bulk_create(
            [row],
            update_conflicts=True,
            unique_fields=["change_id"],
            update_fields=["digest", "sent_at"],
        )
    except DatabaseError:
        raise not_recorded() from None


def _is_same_request(request: HttpRequest, change_id: uuid.UUID) -> bool:
    """Return False if the key was sent with another method, address or body."""
    stored = KeyedRequest.objects.filter(pk=change_id).first()
    if stored is None:
        return True
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(stored.digest, _digest_of(request, key)) for key in keys)


def _digest_of(request: HttpRequest, key: str) -> str:
    """Return an HMAC, because a plain hash of a short body could be guessed."""
    message = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return salted_hmac(SALT, message, secret=key, algorithm="sha256").hexdigest()
