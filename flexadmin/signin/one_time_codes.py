"""Codes and challenges of second factors that work once: for signing in, for confirming and for setting up alike, on
however many machines (RFC 6238, section 5.2)."""

from __future__ import annotations

import hashlib
from enum import Enum
from typing import Any, Final

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt
from django.core.cache import cache
from django.db import transaction

USED_STEPS_KEY: Final = (
    "used_steps"  # in an authenticator's data: the time steps whose codes were used, newest last
)
MAX_USED_STEPS: Final = 20  # many more than are accepted at a time, for a clock that is set back
CHALLENGE_SECONDS: Final = 24 * 60 * 60  # longer than a session that could hold one


class CodeStatus(Enum):
    """Result of checking a code."""

    RIGHT = "right"
    WRONG = "wrong"
    USED = "used"


def use_code(authenticator: Authenticator, code: str) -> CodeStatus:
    """Check a code of an authenticator app or a recovery code, and use it up if it is right."""
    if authenticator.type == Authenticator.Type.TOTP:
        return _use_app_code(authenticator, code)
    is_right = authenticator.wrap().validate_code(
        code
    )  # allauth locks its row and marks the code as used
    return CodeStatus.RIGHT if is_right else CodeStatus.WRONG


def find_time_step(secret: str, code: str) -> int | None:
    """The time step that an app's code is for, of those accepted now; None if it is for none."""
    steps: list[int] = list(totp.yield_hotp_counters_from_time())
    for step in steps:
        expected = totp.format_hotp_value(totp.hotp_value(secret, step))
        if compare_user_code(actual=code, expected=expected):
            return step
    return None


def mark_used(authenticator: Authenticator, step: int) -> None:
    """Note that the code of that time step was used. The caller holds the row's lock, or has just made it."""
    used: list[int] = authenticator.data.get(USED_STEPS_KEY, [])
    authenticator.data[USED_STEPS_KEY] = [*used, step][-MAX_USED_STEPS:]
    authenticator.save(update_fields=["data"])


def use_challenge(state: dict[str, Any] | None) -> bool:
    """Use up the challenge of a passkey, whatever comes of the answer to it. False: there is none, or it was used."""
    challenge = str((state or {}).get("challenge", ""))
    digest = hashlib.sha256(challenge.encode()).hexdigest()
    return bool(challenge) and cache.add(
        f"flexadmin.passkey:{digest}", value=True, timeout=CHALLENGE_SECONDS
    )


def _use_app_code(authenticator: Authenticator, code: str) -> CodeStatus:
    with transaction.atomic():
        current = Authenticator.objects.select_for_update().filter(pk=authenticator.pk).first()
        step = find_time_step(decrypt(current.data["secret"]), code) if current else None
        if current is None or step is None:
            return CodeStatus.WRONG
        if step in current.data.get(USED_STEPS_KEY, []):
            return CodeStatus.USED
        mark_used(current, step)
    return CodeStatus.RIGHT
