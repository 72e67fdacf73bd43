"""Connection to the provider of single sign-on (OpenID Connect), as allauth uses it.

The provider's configuration is cached for some minutes. After failures it isn't requested for some
seconds. The ID token and the user info of a user must agree.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.http import HttpRequest

CONFIGURATION_TTL: Final = 300.0  # seconds
MAX_FAILURES: Final = 2  # in a row, before requests pause
FAILURE_PAUSE: Final = 10.0  # seconds
LOCK_TIMEOUT: Final = 1.0  # seconds to wait for another request that fetches the configuration
REQUIRED_KEYS: Final = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
REQUIRED_CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat")  # OpenID Connect Core, section 2

Document = dict[str, Any]
Fetch = Callable[[], Document]


class ProviderUnavailable(OSError):
    """The provider didn't respond recently, or another request is waiting for it."""


class IdentityRefused(OAuth2Error):  # type: ignore[misc]  # allauth has no types
    """The provider's claims about a user are inconsistent. The message names nobody."""


@dataclass
class _CachedConfiguration:
    """Configuration of one provider in this process, with its recent failures."""

    document: Document | None = None
    fetched_at: float = 0.0
    failures: int = 0
    failed_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Configurations:
    """Cache of the providers' configuration documents, by address.

    One request at a time fetches a configuration. While a provider fails, the others don't wait for
    it, because every page needs the few threads.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._by_address: dict[str, _CachedConfiguration] = {}

    def get(self, address: str, fetch: Fetch) -> Document:
        """Return the document, fetched if necessary.

        Raises `OSError` or `ValueError` if the provider doesn't return a valid one.
        """
        cached = self._by_address.setdefault(address, _CachedConfiguration())
        document = self._fresh_document(cached)
        if document:
            return document
        if self._is_paused(cached):
            raise ProviderUnavailable("it did not respond and is not asked again for a few seconds")
        if not cached.lock.acquire(timeout=0 if cached.failures else LOCK_TIMEOUT):
            raise ProviderUnavailable("another request is waiting for it")
        try:
            return self._fresh_document(cached) or self._fetch(cached, fetch)
        finally:
            cached.lock.release()

    def forget(self, address: str) -> None:
        """Drop a cached document that turned out to be out of date."""
        cached = self._by_address.get(address)
        if cached:
            cached.document = None

    def _is_paused(self, cached: _CachedConfiguration) -> bool:
        if cached.failures < MAX_FAILURES:
            return False
        return self._clock() - cached.failed_at < FAILURE_PAUSE

    def _fresh_document(self, cached: _CachedConfiguration) -> Document | None:
        is_fresh = self._clock() - cached.fetched_at < CONFIGURATION_TTL
        return cached.document if is_fresh else None

    def _fetch(self, cached: _CachedConfiguration, fetch: Fetch) -> Document:
        try:
            document = fetch()
            if not _is_complete(document):
                raise ValueError("its configuration is incomplete")
        except (OSError, ValueError):
            cached.failures += 1
            cached.failed_at = self._clock()
            raise
        cached.document = document
        cached.fetched_at = self._clock()
        cached.failures = 0
        return document


def _is_complete(document: Any) -> bool:
    return isinstance(document, dict) and all(document.get(name) for name in REQUIRED_KEYS)


configurations = Configurations()


class SsoAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """OAuth flow with the provider: its configuration, and the identity that it returns."""

    @property
    def openid_config(self) -> Document:
        return configurations.get(self._address, self._fetch_configuration)

    @property
    def _address(self) -> str:
        return str(self.get_provider().server_url)

    def _fetch_configuration(self) -> Document:
        with get_adapter().get_requests_session() as session:
            response = session.get(self._address)
            response.raise_for_status()
            document: Document = response.json()
        return document

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Read the ID token and the user info, and check that they are about the same user.

        OpenID Connect Core, section 5.3.2, requires the check.
        """
        id_token = self._decode_id_token(app, kwargs["response"].get("id_token") or "")
        userinfo = self._fetch_user_info(token.token)
        _check_claims(id_token, userinfo, app.client_id)
        return self.get_provider().sociallogin_from_response(
            request, {"userinfo": userinfo, "id_token": id_token}
        )

    def _decode_id_token(self, app: Any, id_token: str) -> Document:
        """Decode the ID token, again with a fresh configuration if the cached one fails."""
        if not id_token:
            raise IdentityRefused("the provider sent no ID token")
        try:
            decoded: Document = super()._decode_id_token(app, id_token)
        except OAuth2Error:
            configurations.forget(self._address)
            decoded = super()._decode_id_token(app, id_token)
        return decoded


class SsoProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """allauth's provider with the adapter above."""

    oauth2_adapter_class = SsoAdapter


def _check_claims(id_token: Document, userinfo: Any, client_id: str) -> None:
    """Raise `IdentityRefused` unless the ID token is for this client and matches the user info."""
    missing = [name for name in REQUIRED_CLAIMS if not id_token.get(name)]
    if missing:
        raise IdentityRefused(f"the provider’s ID token lacks {', '.join(missing)}")  # noqa: RUF001
    if not _is_for_client(id_token, client_id):
        raise IdentityRefused("the provider’s ID token is for another site")  # noqa: RUF001
    subject = userinfo.get("sub") if isinstance(userinfo, dict) else None
    if not isinstance(subject, str) or not isinstance(id_token["sub"], str):
        raise IdentityRefused("the provider did not say who this is (no sub)")
    if subject != id_token["sub"]:
        raise IdentityRefused("the provider’s ID token and user info are about different users")  # noqa: RUF001


def _is_for_client(id_token: Document, client_id: str) -> bool:
    """Check the authorized party (`azp`). A token with several audiences must have one."""
    audience = id_token["aud"]
    has_several_audiences = isinstance(audience, list) and len(audience) > 1
    if has_several_audiences and not id_token.get("azp"):
        return False
    return bool(id_token.get("azp", client_id) == client_id)
