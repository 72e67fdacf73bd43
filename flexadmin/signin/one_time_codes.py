"""Single use of codes and passkey challenges (RFC 6238, section 5.2).

It holds for signing in, reauthentication and setup together, and across several machines.
"""

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

USED_STEPS_KEY: Final = "used_steps"  # in `Authenticator.data`: time steps, the latest use last
MAX_USED_STEPS: Final = 20  # more than are accepted at a time, in case the clock is set back
CHALLENGE_SECONDS: Final = 24 * 60 * 60  # longer than the session that holds the challenge


class CodeStatus(Enum):
    """Result of checking a code."""

    RIGHT = "right"
    WRONG = "wrong"
    USED = "used"


def use_code(authenticator: Authenticator, code: str) -> CodeStatus:
    """Check an app code or a recovery code, and mark it as used if it is right."""
    if authenticator.type == Authenticator.Type.TOTP:
        return _use_app_code(authenticator, code)
    # allauth locks the row and marks the recovery code as used.
    is_right = authenticator.wrap().validate_code(code)
    return CodeStatus.RIGHT if is_right else CodeStatus.WRONG


def find_time_step(secret: str, code: str) -> int | None:
    """Return the currently accepted time step that an app code belongs to, or None."""
    steps: list[int] = list(totp.yield_hotp_counters_from_time())
    for step in steps:
        expected = totp.format_hotp_value(totp.hotp_value(secret, step))
        if compare_user_code(actual=code, expected=expected):
            return step
    return None


def mark_used(authenticator: Authenticator, step: int) -> None:
    """Mark the code of a time step as used.

    The caller holds the row's lock or has just created the row.
    """
    used_steps: list[int] = authenticator.data.get(USED_STEPS_KEY, [])
    authenticator.data[USED_STEPS_KEY] = [*used_steps, step][-MAX_USED_STEPS:]
    authenticator.save(update_fields=["data"])


def use_challenge(state: dict[str, Any] | None) -> bool:
    """Mark a passkey challenge as used; return False if there is none or it was used before."""
    challenge = str((state or {}).get("challenge", ""))
    if not challenge:
        return False
    digest = hashlib.sha256(challenge.encode()).hexdigest()
    return cache.add(f"flexadmin.passkey:{digest}", value=True, timeout=CHALLENGE_SECONDS)


def _use_app_code(authenticator: Authenticator, code: str) -> CodeStatus:
    """Check and mark a code under the row's lock, so that concurrent requests can't both use it."""
    with transaction.atomic():
        current = Authenticator.objects.select_for_update().filter(pk=authenticator.pk).first()
        step = find_time_step(decrypt(current.data["secret"]), code) if current else None
        if current is None or step is None:
            return CodeStatus.WRONG
        if step in current.data.get(USED_STEPS_KEY, []):
            return CodeStatus.USED
        mark_used(current, step)
    return CodeStatus.RIGHT
