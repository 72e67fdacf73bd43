"""Twilio's signature of a request, by which a webhook can tell that Twilio sent it.

https://www.twilio.com/docs/usage/webhooks/webhooks-security
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from typing import Final

HEADER: Final = "X-Twilio-Signature"
EXAMPLE_KEY: Final = "0123456789abcdef0123456789abcdef"  # in place of an auth token, for examples


def sign(url: str, fields: Mapping[str, str], auth_token: str) -> str:
    """Return the signature of these form fields, posted to a URL as it is called.

    The key is the account's auth token. An API key can't sign.
    """
    text = url + "".join(f"{name}{fields[name]}" for name in sorted(fields))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
