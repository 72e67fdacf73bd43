"""The forms for second factors: allauth's, with codes and challenges that work once. They are counted by the views
(second_factor.py), by user and address."""

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
# What the library lets through of an answer that no browser gives.
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
    """Looks for the code among those of the app, then among the recovery codes."""

    user: Any
    cleaned_data: dict[str, Any]

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        verdicts = set()
        for authenticator in Authenticator.objects.filter(
            user=self.user, type__in=CODE_FACTOR_TYPES
        ):
            verdict = one_time_codes.use_code(authenticator, code)
            if verdict == CodeStatus.RIGHT:
                authenticator.user = self.user
                self.authenticator = authenticator
                return code
            verdicts.add(verdict)
        if CodeStatus.USED in verdicts:
            raise ValidationError(CODE_USED_MESSAGE, code=CODE_USED)
        raise get_adapter().validation_error("incorrect_code")


class CodeForm(_SingleUseCodeMixin, AuthenticateForm):  # type: ignore[misc]  # allauth has no types
    """A code after the password."""


class CodeReauthenticationForm(_SingleUseCodeMixin, ReauthenticateForm):  # type: ignore[misc]
    """A code of whoever is signed in, to confirm their identity."""


class AddAppForm(ActivateTOTPForm):  # type: ignore[misc]
    """The first code of an app that is being set up: it is used up by that."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        self.step = one_time_codes.find_time_step(self.secret, code)
        return code


class _SingleUseChallengeMixin:
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
    """A passkey after the password."""


class PasskeyReauthenticationForm(_SingleUseChallengeMixin, ReauthenticateWebAuthnForm):  # type: ignore[misc]
    """A passkey of whoever is signed in, to confirm their identity."""


class AddPasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    """A passkey that is being set up."""

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
