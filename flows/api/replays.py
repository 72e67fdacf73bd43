"""Requests that repeat an Idempotency-Key: they get the first outcome, and send nothing."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Final

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare, salted_hmac

from flows.accounts.permissions import has_permission
from flows.api.access import VIEW_FLOWS
from flows.api.problems import Problem, key_reused
from flows.audit import audit_log, keyed_requests
from flows.audit.access import get_actor
from flows.audit.audit_log import Actor
from flows.audit.models import AuditEvent

HEADER: Final = "Idempotency-Key"
SALT: Final = "flows.api.replays"


def find_replay(
    request: HttpRequest,
    change_id: uuid.UUID,
    action: str,
    sid: str = "",
    changed_account: str = "",
) -> AuditEvent | None:
    """Return the latest event of this change if it was sent before, or None. Raise `Problem`.

    `sid` is the object that the request changes, `changed_account` the account.
    """
    if HEADER not in request.headers:
        return None
    check_same_request(request, change_id)
    event = audit_log.latest_event(change_id)
    if event is None:
        return None
    is_own = event.actor_id == str(request.user.pk) and event.action == action
    is_other_object = (sid and event.target_sid != sid) or (
        changed_account and event.account_sid != changed_account
    )
    if not is_own or is_other_object:
        raise key_reused()
    if not has_permission(request.user, VIEW_FLOWS, event.account_sid):
        raise PermissionDenied
    return event


def check_same_request(request: HttpRequest, change_id: uuid.UUID) -> None:
    """Raise `Problem` if this key was sent with another request."""
    if HEADER in request.headers and not _is_same_request(request, change_id):
        detail = "This Idempotency-Key was sent with another request. Nothing was sent again."
        raise Problem(422, detail, code="key_reused")


def get_sender(request: HttpRequest) -> Actor:
    """Return the user behind a change. With an Idempotency-Key, the request is remembered as well."""
    actor = get_actor(request)
    if HEADER not in request.headers:
        return actor
    return replace(actor, request_digest=_digest_of(request, settings.SECRET_KEY))


def _is_same_request(request: HttpRequest, change_id: uuid.UUID) -> bool:
    """Return False if the key was sent with another method, address or body."""
    stored_digest = keyed_requests.find_digest(change_id)
    if not stored_digest:
        return True
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(stored_digest, _digest_of(request, key)) for key in keys)


def _digest_of(request: HttpRequest, key: str) -> str:
    """Return an HMAC, because a plain hash of a short body could be guessed."""
    message = f"{request.method} {request.get_full_path()}\n".encode() + request.body
    return salted_hmac(SALT, message, secret=key, algorithm="sha256").hexdigest()
