"""Authentication by bearer token. Cookies have no effect here, so there is no CSRF.

The setting API_AUTHENTICATOR names the site's function that finds the user of a token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string
from ninja.security.base import AuthBase

from flows.api import rate_limits
from flows.twilio.pickling import PicklableError

SCHEME: Final = "bearer"


@dataclass(frozen=True, slots=True)
class Caller:
    """The user behind a request, limited to what the token allows, and the token's key.

    `has_all_accounts` is False for a token that is limited to some accounts of its user.
    """

    user: Any
    token_key: str
    is_read_only: bool
    has_all_accounts: bool


class InvalidToken(Exception):
    """The request has no token, or one that doesn't work now. The message says why."""


class TooManyInvalidTokens(PicklableError):
    """The address has sent too many invalid tokens. It has to wait for `seconds`."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many invalid tokens; wait {seconds} s")
        self.seconds = seconds


class BearerToken(AuthBase):
    """The header `Authorization: Bearer key.secret`. It is never logged."""

    openapi_type = "http"
    openapi_scheme = SCHEME

    def __call__(self, request: HttpRequest) -> Caller:
        """Set the request's user and token, and count the request."""
        scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != SCHEME or not credentials.strip():
            raise InvalidToken("Send a token in the header “Authorization: Bearer key.secret”.")
        authenticate = import_string(settings.API_AUTHENTICATOR)
        caller: Caller = authenticate(request, credentials.strip())
        request.user = caller.user
        setattr(request, "_cached_user", caller.user)  # noqa: B010 - the access log reads it
        setattr(request, "token_key", caller.token_key)  # noqa: B010 - and the audit log
        rate_limits.count_request(request, caller.token_key)
        return caller
