"""What the tests of signing in share: codes as an authenticator app makes them, and what is on record."""

import base64
import hashlib
import hmac
import struct
import time
from typing import Any

from django.test import Client

from flows.audit.models import AuditEvent


def totp_code(secret: str, *, step: int = 0) -> str:
    """The code of an authenticator app (RFC 6238), of the period that is `step` from now."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.digest(key, struct.pack(">Q", int(time.time()) // 30 + step), hashlib.sha1)
    place = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[place : place + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def sign_in(
    client: Client,
    name: str = "operator",
    password: str = "",
    *,
    path: str = "/login/",
    **said: Any,
) -> Any:
    """As a script does it: the two fields. `REMOTE_ADDR` says from where."""
    extra = {key: said.pop(key) for key in list(said) if key.isupper()}
    fields = {"username": name, "password": password or f"{name}-password", **said}
    return client.post(path, fields, **extra)


def is_signed_in(client: Client) -> bool:
    return client.get("/people/me/").status_code == 200


def reauthenticate(client: Client, path: str, name: str = "operator") -> Any:
    """Opens a page that wants the password once more, by way of giving it."""
    asked = client.get(path)
    assert asked.status_code == 302
    assert "/people/me/confirm/" in asked["Location"]
    return client.post(asked["Location"], {"password": f"{name}-password"}, follow=True)


def set_up_app(client: Client, name: str = "operator") -> str:
    """Sets up an authenticator app; gives its secret."""
    secret = reauthenticate(client, "/people/me/app/add/", name).context["form"].secret
    answer = client.post("/people/me/app/add/", {"code": totp_code(secret, step=-1)})
    assert answer.status_code == 302, answer.content.decode()
    return str(secret)


def recorded_events(action: str = "auth.") -> list[tuple[str, str, str, str]]:
    """Events as (action, result, actor, what it is about), in order."""
    events = (
        AuditEvent.objects.filter(action__startswith=action)
        .select_related("payload")
        .order_by("seq")
    )
    return [(one.action, one.result, one.actor_label, one.payload.friendly_name) for one in events]
