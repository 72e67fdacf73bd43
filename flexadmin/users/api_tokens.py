"""API tokens: created and revoked with an event of the log, and found by their `key.secret`.

Only an HMAC of the secret is stored. Its key is derived from SECRET_KEY, which is not in the
database. A token that was stored with a fallback key is stored with the current one at its next use.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_address, ip_network
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from flexadmin.models import ApiToken
from flexadmin.users.actions import UserAction
from flows.audit import audit_log
from flows.audit.audit_log import Actor, LogTransaction, Payload
from flows.audit.models import Result, Stage
from flows.core.prepared_queries import PreparedQuery
from flows.redaction.redacted import redact_fields

KEY_PREFIX: Final = "flexapi_"  # so that scanners of source code recognise a token
MAX_DAYS: Final = 366
MAX_TOKENS: Final = 20  # of a user
HMAC_SALT: Final = "flexadmin.api_token"
_TOKEN_QUERY: Final = PreparedQuery(lambda: ApiToken.objects.filter(key=""))


class TooManyTokens(Exception):
    """The user has the maximum number of tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewToken:
    """The properties of a token to create. It has no limit where a list is empty."""

    scope: str
    days: int
    name: str = ""
    accounts: Sequence[str] = ()
    networks: Sequence[str] = ()


def create_token(person: User, new: NewToken, *, actor: Actor) -> tuple[ApiToken, str]:
    """Create a token; return it and its `key.secret`, which is stored nowhere.

    Raise `TooManyTokens`, or `NotRecorded` if its event can't be written. No token exists then.
    """
    secret = secrets.token_urlsafe(32)
    token = ApiToken(
        person=person,
        name=new.name,
        key=KEY_PREFIX + secrets.token_hex(6),
        digest=hash_secret(secret, settings.SECRET_KEY),
        scope=new.scope,
        accounts=sorted(new.accounts),
        networks=list(new.networks),
        expires_at=timezone.now() + timedelta(days=new.days),
    )
    with audit_log.transaction() as log:
        if ApiToken.objects.filter(person=person).count() >= MAX_TOKENS:
            raise TooManyTokens
        token.save()
        _append_event(log, UserAction.CREATE_TOKEN, token, actor=actor)
    return token, f"{token.key}.{secret}"


def revoke_token(token: ApiToken, *, actor: Actor) -> None:
    """Delete a token. Raise `NotRecorded` if its event can't be written; the token works then."""
    with audit_log.transaction() as log:
        revoke_tokens(log, ApiToken.objects.filter(pk=token.pk), actor=actor)


def revoke_tokens(
    log: LogTransaction, tokens: Iterable[ApiToken], *, actor: Actor, reason: str = ""
) -> None:
    """Delete tokens in the transaction of their events."""
    for token in tokens:
        _append_event(log, UserAction.REVOKE_TOKEN, token, actor=actor, reason=reason)
        token.delete()


def find_token(credentials: str) -> ApiToken | None:
    """Return the token with this `key.secret`, or None. Its digest is the one of the current key.

    An unknown key takes as long as a wrong secret.
    """
    key, _, secret = credentials.partition(".")
    rows = _TOKEN_QUERY.run(key) if key.startswith(KEY_PREFIX) else []
    token = rows[0] if rows else None
    stored_digest = token.digest if token else ""
    is_right = False
    for site_key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        is_right |= constant_time_compare(hash_secret(secret, site_key), stored_digest)
    if token is None or not is_right:
        return None
    token.digest = hash_secret(secret, settings.SECRET_KEY)
    return token


def hash_secret(secret: str, site_key: str) -> str:
    """Return the HMAC-SHA256 of a token's secret."""
    hmac = salted_hmac(HMAC_SALT, secret, secret=site_key, algorithm="sha256")
    return hmac.hexdigest()


def is_allowed_address(token: ApiToken, address: str) -> bool:
    """Return True if a token may be used from this IP address."""
    if not token.networks:
        return True
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    client = getattr(parsed, "ipv4_mapped", None) or parsed
    return any(client in ip_network(network) for network in token.networks)


def _append_event(
    log: LogTransaction, action: str, token: ApiToken, *, actor: Actor, reason: str = ""
) -> None:
    is_new = action == UserAction.CREATE_TOKEN
    details = redact_fields(describe_token(token))
    log.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.SUCCEEDED,
        actor=actor,
        account_sid="",
        reason=reason,
        payload=Payload(
            friendly_name=token.person.get_username(),
            before=None if is_new else details,
            after=details if is_new else None,
        ),
    )


def describe_token(token: ApiToken) -> dict[str, Any]:
    """Return the properties of a token for the log. Its key is no secret."""
    return {
        "name": token.name or "none",
        "identifier": token.key,
        "scope": token.scope,
        "accounts": ", ".join(token.accounts) or "all",
        "addresses": ", ".join(token.networks) or "all",
        "expires": token.expires_at.isoformat(timespec="seconds"),
    }
