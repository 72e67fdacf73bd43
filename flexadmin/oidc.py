"""Reads the provider of single sign-on (OpenID Connect) out of the environment: `OIDC_SERVER_URL` and its fellows."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

PROVIDER_ID: Final = "oidc"  # a part of the callback's address, which the provider has to know
LONGEST: Final = 191  # characters, as allauth has it


def oidc_from(env: Any) -> dict[str, Any]:
    """What allauth wants to know; without an app where no provider is set. What is set by half raises
    `ImproperlyConfigured` with a hint."""
    url, client_id, secret = (
        env.str(name, default="").strip()
        for name in ("OIDC_SERVER_URL", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
    )
    if not url and not client_id and not secret:
        return {"APPS": []}
    if not url or not client_id:
        raise ImproperlyConfigured(
            "OIDC_SERVER_URL and OIDC_CLIENT_ID go together: one of them is not set. "
            ".env.example lists what single sign-on takes."
        )
    address = urlsplit(url)
    if address.scheme not in ("https", "http") or not address.hostname:
        raise ImproperlyConfigured("OIDC_SERVER_URL is not a web address, such as https://id.example.com.")
    if address.scheme == "http" and address.hostname not in ("localhost", "127.0.0.1"):
        raise ImproperlyConfigured(
            "OIDC_SERVER_URL must start with https://, because its responses are trusted."
        )
    app = {
        "provider_id": PROVIDER_ID,
        "name": env.str("OIDC_NAME", default="").strip() or "single sign-on",
        "client_id": client_id,
        "secret": secret,
        "settings": {"server_url": url.rstrip("/"), "oauth_pkce_enabled": True},
    }
    return {"APPS": [app]}


def tie_of(issuer: str, subject: str) -> str:
    """What a user is found again by: a provider's ids are its own, and another's may be the same. `ValueError` if one
    of the two is missing, or they are longer than what is kept."""
    if not subject or not issuer or issuer.split() != [issuer]:
        raise ValueError("The provider sent no user ID.")
    tie = f"{issuer} {subject}"
    if len(tie) > LONGEST:
        raise ValueError("The provider's user ID is too long.")
    return tie


def is_tie_of(issuer: str, tie: str) -> bool:
    """Tell whether a tie is to this provider, by the whole of its name. A `/` at the end is left out of the setting,
    and may be part of the name."""
    return bool(issuer) and tie.partition(" ")[0].removesuffix("/") == issuer.removesuffix("/")


def issuer_of(providers: dict[str, Any]) -> str:
    """The name of the provider that lets users in; the empty string where there is none."""
    for app in providers["openid_connect"]["APPS"]:
        return str(app["settings"]["server_url"]).partition("/.well-known/")[0]
    return ""
