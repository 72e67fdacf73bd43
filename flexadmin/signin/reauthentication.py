"""Reauthentication: a signed-in user confirms their identity by password, code or passkey.

Wrong attempts are counted and recorded as at sign-in, so that an open session is no place to guess.
"""

from __future__ import annotations

from typing import Any

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import ReauthenticateView as ReauthenticateByCodeView
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django import forms
from django.http import HttpRequest, HttpResponse

from flexadmin.models import SignInTry
from flexadmin.signin import auth_events, login_throttle
from flexadmin.signin.actions import SigninAction
from flexadmin.signin.mfa import PasskeyOptionsMixin
from flexadmin.signin.mfa_forms import CodeReauthenticationForm, PasskeyReauthenticationForm
from flexadmin.signin.mfa_throttle import FactorReauthenticationMixin


class PasswordCheckMixin:
    """View with a form in which a signed-in user enters their password into `password_field`.

    A wrong password is recorded as a refused `action`.
    """

    request: HttpRequest
    action: str
    password_field: str

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        view: Any = self
        try:
            attempt = login_throttle.start_attempt(request, request.user.get_username())
            form = view.get_form()
            self._record_attempt(form, attempt)
            response: HttpResponse = (
                view.form_valid(form) if form.is_valid() else view.form_invalid(form)
            )
        except login_throttle.Throttled as error:
            return self._throttled_response(error)
        return response

    def _record_attempt(self, form: forms.Form, attempt: SignInTry) -> None:
        """Count and record the attempt. An empty password counts as none, a right one clears it."""
        if form.has_error(self.password_field, "required"):
            attempt.delete()
        elif form.has_error(self.password_field):
            record_own_denial(self.request, self.action, "wrong password")
        else:
            login_throttle.accept_attempt(attempt)

    def _throttled_response(self, error: login_throttle.Throttled) -> HttpResponse:
        view: Any = self
        if error.is_first:
            username = self.request.user.get_username()
            auth_events.record_lockout(
                self.request, username, "too many wrong passwords", user=self.request.user
            )
        empty_form = view.get_form_class()(user=self.request.user)
        context = view.get_context_data(form=empty_form, lockout=error)
        response: HttpResponse = view.render_to_response(context, status=429)
        response["Retry-After"] = str(error.seconds)
        return response


class PasswordReauthentication(PasswordCheckMixin, ReauthenticateView):  # type: ignore[misc]  # allauth has no types
    """Reauthentication by password."""

    action = SigninAction.REAUTHENTICATE
    password_field = "password"  # noqa: S105 - a field's name


class CodeReauthentication(FactorReauthenticationMixin, ReauthenticateByCodeView):  # type: ignore[misc]
    """Reauthentication by an app code or a recovery code."""

    form_class = CodeReauthenticationForm


class PasskeyReauthentication(
    FactorReauthenticationMixin,
    PasskeyOptionsMixin,
    ReauthenticateWebAuthnView,  # type: ignore[misc]
):
    """Reauthentication by passkey."""

    form_class = PasskeyReauthenticationForm


def record_own_denial(request: HttpRequest, action: str, cause: str) -> None:
    """Record that the signed-in user was refused an action on their own account."""
    auth_events.record_denial(
        request, request.user.get_username(), cause, action=action, user=request.user
    )
