"""Counting of codes and passkeys by user and address, as passwords are: whoever guesses from one address waits there,
and the owner gets in from elsewhere. A lockout is recorded once; what it refuses is not looked at and not recorded."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from flexadmin.signin import auth_events, login_throttle
from flexadmin.signin.mfa_forms import CODE_USED
from flows.audit.audit_log import NotRecorded

TOO_MANY_CODES: Final = "too many wrong codes"
WRONG_FACTOR: Final = "wrong code or passkey"
REPLAYED_CODE: Final = "code already used"


class FactorCheckMixin:
    """A page with a form for a code or a passkey; `factor_form` and `factor_user` say which form was sent, by whom."""

    request: HttpRequest
    factor_action: str

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        view: Any = self
        try:
            tried = login_throttle.start_attempt(
                request, self.factor_user().get_username(), login_throttle.CODE_LIMIT
            )
            form = self.factor_form()
            if form.is_valid():
                login_throttle.accept_attempt(tried)
                valid: HttpResponse = view.form_valid(form)
                return valid
            if _is_empty(form):
                tried.delete()
            else:
                self._record_refusal(form)
        except login_throttle.Throttled as error:
            return self._too_many(error)
        except NotRecorded:
            return auth_events.not_recorded_response(request)
        invalid: HttpResponse = view.form_invalid(form)
        return invalid

    def factor_user(self) -> User:
        raise NotImplementedError

    def factor_form(self) -> forms.Form:
        raise NotImplementedError

    def empty_forms(self) -> None:
        """Put empty forms in the place of what was sent, which must not be looked at."""

    def _record_refusal(self, form: forms.Form) -> None:
        why = REPLAYED_CODE if form.has_error("code", CODE_USED) else WRONG_FACTOR
        name = self.factor_user().get_username()
        auth_events.record_denial(
            self.request, name, why, action=self.factor_action, by=self.request.user
        )

    def _too_many(self, error: login_throttle.Throttled) -> HttpResponse:
        view: Any = self
        if error.is_first:
            name = self.factor_user().get_username()
            try:
                auth_events.record_lockout(
                    self.request, name, TOO_MANY_CODES, by=_current_user(self.request)
                )
            except NotRecorded:
                return auth_events.not_recorded_response(self.request)
        self.empty_forms()
        context = {**view.get_context_data(), "too_many": error}
        answer: HttpResponse = view.render_to_response(context, status=429)
        answer["Retry-After"] = str(error.seconds)
        return answer


class FactorReauthenticationMixin(FactorCheckMixin):
    """One of allauth's pages on which whoever is signed in confirms their identity."""

    factor_action = "auth.confirm"
    is_emptied = False

    def factor_user(self) -> User:
        return self.request.user  # type: ignore[return-value]  # nobody else gets to this page

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
    """Tell whether nothing was typed."""
    return form.has_error("code", "required") or form.has_error("credential", "required")


def _current_user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
