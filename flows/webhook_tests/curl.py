"""A post to a webhook as a curl command."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Final

URL_VARIABLE: Final = "WEBHOOK_URL"


def build_curl(url: str, fields: Mapping[str, str]) -> str:
    """Return the command that posts these fields. Without a URL, it calls `$WEBHOOK_URL`."""
    target = shlex.quote(url) if url else f'"${URL_VARIABLE}"'
    options = [f"--data-urlencode {shlex.quote(f'{name}={fields[name]}')}" for name in fields]
    return " \\\n  ".join([f"curl --request POST {target}", *options])
