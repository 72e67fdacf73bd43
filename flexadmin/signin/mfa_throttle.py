"""Throttling of codes and passkeys by user and address, as for passwords.

Someone who guesses from one address is locked out there, while the owner can still sign in from
elsewhere. A lockout is recorded once. Attempts during a lockout are neither checked nor recorded.
"""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from flexadmin.signin import auth_events, login_throttle
from flexadmin.signin.actions import SigninAction
from flexadmin.signin.mfa_forms import CODE_USED

TOO_MANY_CODES: Final = "too many wrong codes"
WRONG_FACTOR: Final = "wrong code or passkey"
REPLAYED_CODE: Final = "code already used"


class FactorCheckMixin:
    """View with a form for a code or a passkey.

    Views define `factor_form`, the submitted form, and `factor_user`, the user who submitted it.
    """

    request: HttpRequest
    factor_action: str

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        view: Any = self
        username = self.factor_user().get_username()
        try:
            attempt = login_throttle.start_attempt(request, username, login_throttle.CODE_LIMIT)
            form = self.factor_form()
            if form.is_valid():
                login_throttle.accept_attempt(attempt)
                success_response: HttpResponse = view.form_valid(form)
                return success_response
            if _is_empty(form):
                attempt.delete()
            else:
                self._record_refusal(form)
        except login_throttle.Throttled as error:
            return self._throttled_response(error)
        error_response: HttpResponse = view.form_invalid(form)
        return error_response

    def factor_user(self) -> User:
        raise NotImplementedError

    def factor_form(self) -> forms.Form:
        raise NotImplementedError

    def empty_forms(self) -> None:
        """Replace the submitted forms by empty ones, because they must not be checked."""

    def _record_refusal(self, form: forms.Form) -> None:
        cause = REPLAYED_CODE if form.has_error("code", CODE_USED) else WRONG_FACTOR
        username = self.factor_user().get_username()
        auth_events.record_denial(
            self.request, username, cause, action=self.factor_action, user=self.request.user
        )

    def _throttled_response(self, error: login_throttle.Throttled) -> HttpResponse:
        view: Any = self
        if error.is_first:
            username = self.factor_user().get_username()
            user = _current_user(self.request)
            auth_events.record_lockout(self.request, username, TOO_MANY_CODES, user=user)
        self.empty_forms()
        context = {**view.get_context_data(), "lockout": error}
        response: HttpResponse = view.render_to_response(context, status=429)
        response["Retry-After"] = str(error.seconds)
        return response


class FactorReauthenticationMixin(FactorCheckMixin):
    """Addition to allauth's pages on which a signed-in user confirms their identity."""

    factor_action: str = SigninAction.REAUTHENTICATE
    is_emptied = False

    def factor_user(self) -> User:
        return self.request.user  # type: ignore[return-value]  # the page requires a sign-in

    def factor_form(self) -> forms.Form:
        form: forms.Form = self.get_form()  # type: ignore[attr-defined]  # of the view
        return form

    def empty_forms(self) -> None:
        self.is_emptied = True

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()  # type: ignore[misc]  # of the view
        if self.is_emptied:
            kwargs.pop("data", None)
            kwargs.pop("files", None)
        return kwargs


def _is_empty(form: forms.Form) -> bool:
    """Tell whether the form was submitted without a code or passkey."""
    return form.has_error("code", "required") or form.has_error("credential", "required")


def _current_user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
