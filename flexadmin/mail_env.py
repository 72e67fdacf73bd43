"""The mail server of notifications and the site's own address, from the environment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

MAIL_TIMEOUT: Final = 15  # seconds
DEFAULT_PORTS: Final = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """The mail server that sends notifications. Without a host there is none."""

    host: str = ""
    port: int = 25
    user: str = ""
    password: str = field(default="", repr=False)
    uses_tls: bool = False  # STARTTLS
    uses_ssl: bool = False  # TLS from the start
    sender: str = "flex-flows@localhost"

    @property
    def is_configured(self) -> bool:
        return bool(self.host)


def read_mail_server(env: Any) -> MailServer:
    """Return the mail server of EMAIL_URL, or one without a host if it isn't set.

    Raises `ImproperlyConfigured` if the URL or the sender is missing or invalid.
    """
    url, sender = env.str("EMAIL_URL", default=""), env.str("DEFAULT_FROM_EMAIL", default="")
    if not url:
        return MailServer()
    parts = urlsplit(url)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname:
        raise ImproperlyConfigured(
            "EMAIL_URL is not the URL of a mail server, such as "
            "smtp+tls://user:password@mail.example.com:587."
        )
    if not sender:
        raise ImproperlyConfigured(
            "DEFAULT_FROM_EMAIL is not set. It is the sender of notifications by e-mail."
        )
    return MailServer(
        host=parts.hostname,
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        uses_tls=parts.scheme == "smtp+tls",
        uses_ssl=parts.scheme == "smtps",
        sender=sender,
    )


def read_site_url(env: Any, allowed_hosts: Sequence[str], *, is_https: bool) -> str:
    """Return the site's own address without a path, or "" if it isn't known.

    The default is the first allowed host, if it is a name.
    """
    url = str(env.str("SITE_URL", default="")).rstrip("/")
    if url:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path:
            raise ImproperlyConfigured(
                "SITE_URL is not an address such as https://flows.example.com."
            )
        return url
    host = allowed_hosts[0] if allowed_hosts else ""
    if not host or host.startswith((".", "*")):
        return ""
    return f"{'https' if is_https else 'http'}://{host}"
