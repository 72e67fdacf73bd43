"""Helpers of the tests of signing in: sign-ins, app codes and recorded events."""

import base64
import hashlib
import hmac
import struct
import time
from typing import Any

from django.test import Client

from flows.audit.models import AuditEvent


def totp_code(secret: str, *, step: int = 0) -> str:
    """Return the app code (RFC 6238) of the period that is `step` periods from the current one."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1)
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def sign_in(
    client: Client,
    name: str = "operator",
    password: str = "",
    *,
    path: str = "/login/",
    **extra_fields: Any,
) -> Any:
    """Submit the sign-in form. Arguments in capitals, such as `REMOTE_ADDR`, become WSGI variables."""
    environ = {name: value for name, value in extra_fields.items() if name.isupper()}
    other_fields = {name: value for name, value in extra_fields.items() if not name.isupper()}
    fields = {"username": name, "password": password or f"{name}-password", **other_fields}
    return client.post(path, fields, **environ)


def is_signed_in(client: Client) -> bool:
    return client.get("/people/me/").status_code == 200


def reauthenticate(client: Client, path: str, name: str = "operator") -> Any:
    """Open a page that requires reauthentication, and enter the password."""
    redirect = client.get(path)
    assert redirect.status_code == 302
    assert "/people/me/confirm/" in redirect["Location"]
    return client.post(redirect["Location"], {"password": f"{name}-password"}, follow=True)


def set_up_app(client: Client, name: str = "operator") -> str:
    """Set up an authenticator app and return its secret."""
    secret = reauthenticate(client, "/people/me/app/add/", name).context["form"].secret
    response = client.post("/people/me/app/add/", {"code": totp_code(secret, step=-1)})
    assert response.status_code == 302, response.content.decode()
    return str(secret)


def recorded_events(action: str = "auth.") -> list[tuple[str, str, str, str]]:
    """Return action, result, actor and subject of each event, in order."""
    events = (
        AuditEvent.objects.filter(action__startswith=action)
        .select_related("payload")
        .order_by("seq")
    )
    return [(one.action, one.result, one.actor_label, one.payload.friendly_name) for one in events]
