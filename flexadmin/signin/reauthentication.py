"""Whoever is signed in confirms their identity by password, code or passkey. What is wrong counts as it does at the
sign-in and is recorded: an open session is no place to guess in.
"""

from __future__ import annotations

from typing import Any, Final

from allauth.account.views import ReauthenticateView
from allauth.mfa.base.views import ReauthenticateView as ReauthenticateByCodeView
from allauth.mfa.webauthn.views import ReauthenticateWebAuthnView
from django import forms
from django.http import HttpRequest, HttpResponse

from flexadmin.models import SignInTry
from flexadmin.signin import auth_events, login_throttle
from flexadmin.signin.mfa import PasskeyOptionsMixin
from flexadmin.signin.mfa_forms import CodeReauthenticationForm, PasskeyReauthenticationForm
from flexadmin.signin.mfa_throttle import FactorReauthenticationMixin
from flows.audit.audit_log import NotRecorded

REAUTHENTICATE: Final = "auth.confirm"


class PasswordCheckMixin:
    """A page with a form that has whoever is signed in type their password into `password_field`; what is wrong is on
    record as a refused `action`."""

    request: HttpRequest
    action: str
    password_field: str

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        view: Any = self
        try:
            tried = login_throttle.start_attempt(request, request.user.get_username())
            form = view.get_form()
            self._judge(form, tried)
            answer: HttpResponse = (
                view.form_valid(form) if form.is_valid() else view.form_invalid(form)
            )
        except login_throttle.Throttled as error:
            return self._too_many(error)
        except NotRecorded:
            return auth_events.not_recorded_response(request)
        return answer

    def _judge(self, form: forms.Form, tried: SignInTry) -> None:
        if form.has_error(self.password_field, "required"):
            tried.delete()
        elif form.has_error(self.password_field):
            record_own_denial(self.request, self.action, "wrong password")
        else:
            login_throttle.accept_attempt(tried)

    def _too_many(self, error: login_throttle.Throttled) -> HttpResponse:
        view: Any = self
        if error.is_first:
            name = self.request.user.get_username()
            auth_events.record_lockout(
                self.request, name, "too many wrong passwords", by=self.request.user
            )
        context = view.get_context_data(
            form=view.get_form_class()(user=self.request.user), too_many=error
        )
        answer: HttpResponse = view.render_to_response(context, status=429)
        answer["Retry-After"] = str(error.seconds)
        return answer


class PasswordReauthentication(PasswordCheckMixin, ReauthenticateView):  # type: ignore[misc]  # allauth has no types
    action, password_field = REAUTHENTICATE, "password"


class CodeReauthentication(FactorReauthenticationMixin, ReauthenticateByCodeView):  # type: ignore[misc]
    """By a code of the app, or a recovery code."""

    form_class = CodeReauthenticationForm


class PasskeyReauthentication(
    FactorReauthenticationMixin,
    PasskeyOptionsMixin,
    ReauthenticateWebAuthnView,  # type: ignore[misc]
):
    """By a passkey."""

    form_class = PasskeyReauthenticationForm


def record_own_denial(request: HttpRequest, action: str, why: str) -> None:
    auth_events.record_denial(
        request, request.user.get_username(), why, action=action, by=request.user
    )
