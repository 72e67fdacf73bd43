"""Authentication of API requests by token (the setting API_AUTHENTICATOR)."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Final

from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.db import Error
from django.http import HttpRequest
from django.utils import timezone

from flexadmin.models import ApiToken, OneTimePassword, SiteUser
from flexadmin.signin import auth_events, login_throttle
from flexadmin.signin.login_throttle import ADDRESS, Limit, Rule
from flexadmin.users.actions import UserAction
from flexadmin.users.api_tokens import find_token, is_allowed_address
from flexadmin.users.roles import get_site_user
from flows.api.authentication import Caller, InvalidToken, TooManyInvalidTokens
from flows.core.prepared_queries import PreparedQuery

TOKEN_LIMIT: Final = Limit("token", (Rule(ADDRESS, 100),))  # invalid tokens
USE_INTERVAL: Final = timedelta(minutes=1)  # between writes of the time of the last use
_ONE_TIME_PASSWORD_QUERY: Final = PreparedQuery(lambda: OneTimePassword.objects.filter(person_id=0))


def authenticate(request: HttpRequest, credentials: str) -> Caller:
    """Return the user of a token with its limits. Raise `InvalidToken`, `TooManyInvalidTokens`."""
    token = find_token(credentials)
    user = get_site_user(token.person_id) if token else None
    if token is None or user is None or token.is_expired or not user.is_active:
        _count_invalid(request)
        raise InvalidToken("The token is invalid, expired or revoked.")
    if not is_allowed_address(token, auth_events.get_client_ip(request)):
        _count_invalid(request)
        auth_events.record_denial(
            request,
            user.get_username(),
            f"API token {token.key} used from an address that it doesn't allow",
            action=UserAction.USE_TOKEN,
            user=user,
        )
        raise InvalidToken("The token can't be used from this address.")
    _check_required_steps(user)
    _record_use(token, auth_events.get_client_ip(request))
    limits = user.token_limits = token.limits
    return Caller(
        user,
        token.key,
        is_read_only=limits.is_read_only,
        has_all_accounts=limits.accounts is None,
    )


def _count_invalid(request: HttpRequest) -> None:
    """Count an invalid token of this address. The lockout is recorded once."""
    try:
        login_throttle.start_attempt(request, "", TOKEN_LIMIT)
    except login_throttle.Throttled as throttled:
        if throttled.is_first:
            auth_events.record_lockout(request, "", "too many invalid API tokens")
        raise TooManyInvalidTokens(throttled.seconds) from None


def _check_required_steps(user: SiteUser) -> None:
    """Raise `InvalidToken` while the user has to take a step before they may use the pages."""
    if _ONE_TIME_PASSWORD_QUERY.run(user.pk):
        raise InvalidToken("The token's user must choose a new password first.")
    if settings.SECOND_FACTOR_REQUIRED and not is_mfa_enabled(user):
        raise InvalidToken("The token's user must set up two-factor authentication first.")


def _record_use(token: ApiToken, address: str) -> None:
    """Store the time of the last use, once a minute. A database that can't be written is no reason
    to refuse a read."""
    now = timezone.now()
    if token.last_used_at and now - token.last_used_at < USE_INTERVAL:
        return
    with suppress(Error):
        ApiToken.objects.filter(pk=token.pk).update(
            last_used_at=now, last_used_ip=address[:45], digest=token.digest
        )
