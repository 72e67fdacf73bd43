"""Encryption of addresses and secrets in the database, with keys from SECRET_KEY and its fallbacks.

A database's backup alone shows none of them.
"""

from __future__ import annotations

import base64
import secrets
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the prefix of Standard Webhooks
SECRET_BYTES: Final = 32
_SALT: Final = "flows.notifications.secret_box"


class UnreadableSecret(Exception):
    """The value was encrypted with a key that the site no longer has."""


def encrypt(text: str) -> str:
    return _box().encrypt(text.encode()).decode()


def decrypt(token: str) -> str:
    """Return an encrypted text. Raises `UnreadableSecret`."""
    try:
        return _box().decrypt(token.encode()).decode()
    except InvalidToken:
        raise UnreadableSecret from None


def generate_signing_secret() -> str:
    """Return a new secret of a webhook, as Standard Webhooks writes it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _box() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = [salted_hmac(_SALT, "", secret=key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
