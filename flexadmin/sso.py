"""The provider of single sign-on, as allauth talks to it. Its configuration is kept for some minutes; one that is in
trouble is left alone for some seconds; and what it says of a user has to agree with itself."""

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

FRESH_FOR: Final = 300.0  # seconds that a configuration is good for
FAILURES: Final = 2  # one after the other, before the provider is left alone
PAUSE: Final = 10.0  # seconds for which it then is
PATIENCE: Final = 1.0  # seconds that a request waits for another one's answer
NEEDED: Final = ("issuer", "authorization_endpoint", "token_endpoint", "userinfo_endpoint")
CLAIMS: Final = ("iss", "sub", "aud", "exp", "iat")  # that OpenID Connect wants in an ID token

Document = dict[str, Any]
Fetch = Callable[[], Document]


class ProviderUnavailable(OSError):
    """The provider did not answer, and is not asked again just now."""


class IdentityRefused(OAuth2Error):  # type: ignore[misc]  # allauth has no types
    """What the provider says of a user can't be believed; the message says why, and names nobody."""


@dataclass
class _Kept:
    """What is known of a provider in this process."""

    document: Document | None = None
    fetched_at: float = 0.0
    failures: int = 0
    failed_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Configurations:
    """The configuration documents of providers, by address. One request at a time asks a provider, and while it is in
    trouble no other waits: threads are few, and everybody's pages need them."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}

    def get(self, address: str, fetch: Fetch) -> Document:
        """Return the document, fetched if need be. `OSError` or `ValueError`: the provider doesn't give it."""
        kept = self._kept.setdefault(address, _Kept())
        if document := self._fresh(kept):
            return document
        if kept.failures >= FAILURES and self._clock() - kept.failed_at < PAUSE:
            raise ProviderUnavailable("it did not respond and is not asked again for a few seconds")
        if not kept.lock.acquire(timeout=0 if kept.failures else PATIENCE):
            raise ProviderUnavailable("another request is waiting for it")
        try:
            return self._fresh(kept) or self._ask(kept, fetch)
        finally:
            kept.lock.release()

    def forget(self, address: str) -> None:
        """Have the document fetched again, as what was kept turned out to be out of date."""
        if kept := self._kept.get(address):
            kept.document = None

    def _fresh(self, kept: _Kept) -> Document | None:
        return kept.document if self._clock() - kept.fetched_at < FRESH_FOR else None

    def _ask(self, kept: _Kept, fetch: Fetch) -> Document:
        try:
            document = fetch()
            if not isinstance(document, dict) or not all(document.get(name) for name in NEEDED):
                raise ValueError("its configuration is incomplete")
        except (OSError, ValueError):
            kept.failures, kept.failed_at = kept.failures + 1, self._clock()
            raise
        kept.document, kept.fetched_at, kept.failures = document, self._clock(), 0
        return document


configurations = Configurations()


class SsoAdapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth has no types
    """Finds out who comes back from the provider."""

    @property
    def openid_config(self) -> Document:
        return configurations.get(self._address, self._fetch_configuration)

    @property
    def _address(self) -> str:
        return str(self.get_provider().server_url)

    def _fetch_configuration(self) -> Document:
        with get_adapter().get_requests_session() as session:
            answer = session.get(self._address)
            answer.raise_for_status()
            document: Document = answer.json()
        return document

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Read ID token and user info, which have to be about the same user (OpenID Connect Core, 5.3.2)."""
        id_token = self._decode_id_token(app, kwargs["response"].get("id_token") or "")
        userinfo = self._fetch_user_info(token.token)
        _refuse_contradiction(id_token, userinfo, app.client_id)
        return self.get_provider().sociallogin_from_response(
            request, {"userinfo": userinfo, "id_token": id_token}
        )

    def _decode_id_token(self, app: Any, id_token: str) -> Document:
        """Decode it by the provider's configuration: by a fresh one, if the kept one may be out of date."""
        if not id_token:
            raise IdentityRefused("the provider sent no ID token")
        try:
            decoded: Document = super()._decode_id_token(app, id_token)
        except OAuth2Error:
            configurations.forget(self._address)
            decoded = super()._decode_id_token(app, id_token)
        return decoded


class SsoProvider(OpenIDConnectProvider):  # type: ignore[misc]
    """allauth's, with the adapter above."""

    oauth2_adapter_class = SsoAdapter


def _refuse_contradiction(id_token: Document, userinfo: Any, client_id: str) -> None:
    missing = [name for name in CLAIMS if not id_token.get(name)]
    if missing:
        raise IdentityRefused(f"the provider’s ID token lacks {', '.join(missing)}")  # noqa: RUF001
    audience = id_token["aud"]
    is_for_others = isinstance(audience, list) and len(audience) > 1
    if (is_for_others and not id_token.get("azp")) or id_token.get("azp", client_id) != client_id:
        raise IdentityRefused("the provider’s ID token is for another site")  # noqa: RUF001
    subject = userinfo.get("sub") if isinstance(userinfo, dict) else None
    if not isinstance(subject, str) or not isinstance(id_token["sub"], str):
        raise IdentityRefused("the provider did not say who this is (no sub)")
    if subject != id_token["sub"]:
        raise IdentityRefused("the provider’s ID token and user info are about different users")  # noqa: RUF001
