"""Settings of single sign-on (OpenID Connect), read from the `OIDC_…` environment variables."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

PROVIDER_ID: Final = "oidc"  # part of the callback URL that is registered at the provider
MAX_UID_LENGTH: Final = 191  # characters, the length of allauth's column


def read_oidc_settings(env: Any) -> dict[str, Any]:
    """Return the settings for allauth's OpenID Connect provider. No app means no single sign-on.

    Raises `ImproperlyConfigured` with a hint if the variables are incomplete or wrong.
    """
    url = env.str("OIDC_SERVER_URL", default="").strip()
    client_id = env.str("OIDC_CLIENT_ID", default="").strip()
    secret = env.str("OIDC_CLIENT_SECRET", default="").strip()
    if not url and not client_id and not secret:
        return {"APPS": []}
    if not url or not client_id:
        raise ImproperlyConfigured(
            "OIDC_SERVER_URL and OIDC_CLIENT_ID go together: one of them is not set. "
            ".env.example lists what single sign-on takes."
        )
    _check_server_url(url)
    app = {
        "provider_id": PROVIDER_ID,
        "name": env.str("OIDC_NAME", default="").strip() or "single sign-on",
        "client_id": client_id,
        "secret": secret,
        "settings": {"server_url": url.rstrip("/"), "oauth_pkce_enabled": True},
    }
    return {"APPS": [app]}


def _check_server_url(url: str) -> None:
    address = urlsplit(url)
    if address.scheme not in ("https", "http") or not address.hostname:
        raise ImproperlyConfigured(
            "OIDC_SERVER_URL is not a web address, such as https://id.example.com."
        )
    if address.scheme == "http" and address.hostname not in ("localhost", "127.0.0.1"):
        raise ImproperlyConfigured(
            "OIDC_SERVER_URL must start with https://, because its responses are trusted."
        )


def sso_uid(issuer: str, subject: str) -> str:
    """Return the key of an SSO identity. Subjects are unique at one issuer only.

    Raises `ValueError` if one of the two is missing or the key is too long for its column.
    """
    if not subject or not issuer or issuer.split() != [issuer]:
        raise ValueError("The provider sent no user ID.")
    uid = f"{issuer} {subject}"
    if len(uid) > MAX_UID_LENGTH:
        raise ValueError("The provider's user ID is too long.")
    return uid


def is_uid_of_issuer(issuer: str, uid: str) -> bool:
    """Tell whether the key of an SSO identity belongs to this issuer.

    A final `/` doesn't count: the setting drops it, but the provider's own name may have it.
    """
    uid_issuer = uid.partition(" ")[0]
    return bool(issuer) and uid_issuer.removesuffix("/") == issuer.removesuffix("/")


def configured_issuer(providers: dict[str, Any]) -> str:
    """Return the issuer of the configured provider, or ""."""
    for app in providers["openid_connect"]["APPS"]:
        return str(app["settings"]["server_url"]).partition("/.well-known/")[0]
    return ""
