"""allauth's forms for second factors, with codes and challenges that work once.

The views count the attempts, by user and address (mfa_throttle.py).
"""

from __future__ import annotations

import struct
from typing import Any, Final

from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, ReauthenticateForm
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from allauth.mfa.webauthn.internal import auth as webauthn
from django.core.exceptions import ValidationError

from flexadmin.signin import one_time_codes
from flexadmin.signin.one_time_codes import CodeStatus

CODE_USED: Final = "code_used"
CODE_USED_MESSAGE: Final = "This code was already used. Wait for your app to show the next one."
# Errors of the WebAuthn library for a malformed response, which no browser sends.
MALFORMED_RESPONSE_ERRORS: Final = (
    KeyError,
    TypeError,
    ValueError,
    AttributeError,
    IndexError,
    struct.error,
)
CODE_FACTOR_TYPES: Final = [Authenticator.Type.TOTP, Authenticator.Type.RECOVERY_CODES]


class _SingleUseCodeMixin:
    """Check of a code against the app first, then against the recovery codes."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        statuses = set()
        factors = Authenticator.objects.filter(user=self.user, type__in=CODE_FACTOR_TYPES)
        for authenticator in factors:
            status = one_time_codes.use_code(authenticator, code)
            if status == CodeStatus.RIGHT:
                authenticator.user = self.user
                self.authenticator = authenticator
                return code
            statuses.add(status)
        if CodeStatus.USED in statuses:
            raise ValidationError(CODE_USED_MESSAGE, code=CODE_USED)
        raise get_adapter().validation_error("incorrect_code")


class CodeForm(_SingleUseCodeMixin, AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """Code at sign-in, after the password."""


class CodeReauthenticationForm(_SingleUseCodeMixin, ReauthenticateForm):  # type: ignore[misc]
    """Code of a signed-in user, to confirm their identity."""


class AddAppForm(ActivateTOTPForm):  # type: ignore[misc]
    """First code of an app during its setup. `step` is its time step."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        self.step = one_time_codes.find_time_step(self.secret, code)
        return code


class _SingleUseChallengeMixin:
    """Check of a passkey's response to a challenge that works once."""

    cleaned_data: dict[str, Any]

    def clean_credential(self) -> Any:
        is_new = one_time_codes.use_challenge(webauthn.get_state())
        try:
            if not is_new:
                raise get_adapter().validation_error("incorrect_code")
            return super().clean_credential()  # type: ignore[misc]  # of allauth's form
        except MALFORMED_RESPONSE_ERRORS:
            raise get_adapter().validation_error("incorrect_code") from None
        finally:
            webauthn.clear_state()


class PasskeyForm(_SingleUseChallengeMixin, AuthenticateWebAuthnForm):  # type: ignore[misc]
    """Passkey at sign-in, after the password."""


class PasskeyReauthenticationForm(_SingleUseChallengeMixin, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """Passkey of a signed-in user, to confirm their identity."""


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """Setup of a passkey."""

    def clean(self) -> dict[str, Any]:
        is_new = one_time_codes.use_challenge(webauthn.get_state())
        try:
            if not is_new:
                raise get_adapter().validation_error("incorrect_code")
            cleaned: dict[str, Any] = super().clean()
        except MALFORMED_RESPONSE_ERRORS:
            raise get_adapter().validation_error("incorrect_code") from None
        finally:
            webauthn.clear_state()
        return cleaned
