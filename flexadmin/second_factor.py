"""Counting of codes and passkeys by user and address, as passwords are: whoever guesses from one address waits there,
and the owner gets in from elsewhere. A lockout is recorded once; what it refuses is not looked at and not recorded."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse

from flexadmin import access, limits
from flexadmin.factor_forms import USED
from flows.services.audit import NotRecorded

TOO_MANY: Final = "too many wrong codes"
WRONG: Final = "wrong code or passkey"
REPLAYED: Final = "code already used"


class AsksForFactor:
    """A page with a form for a code or a passkey; `factor_form` and `factor_user` say which form was sent, by whom."""

    request: HttpRequest
    factor_action: str

    def post(self, request: HttpRequest, *_args: Any, **_kwargs: Any) -> HttpResponse:
        view: Any = self
        try:
            tried = limits.begin(request, self.factor_user().get_username(), limits.CODES)
            form = self.factor_form()
            if form.is_valid():
                limits.forget(tried)
                valid: HttpResponse = view.form_valid(form)
                return valid
            if _is_empty(form):
                tried.delete()
            else:
                self._record_refusal(form)
        except limits.TooMany as error:
            return self._too_many(error)
        except NotRecorded:
            return access.not_recorded(request)
        invalid: HttpResponse = view.form_invalid(form)
        return invalid

    def factor_user(self) -> User:
        raise NotImplementedError

    def factor_form(self) -> forms.Form:
        raise NotImplementedError

    def empty_forms(self) -> None:
        """Put empty forms in the place of what was sent, which must not be looked at."""

    def _record_refusal(self, form: forms.Form) -> None:
        why = REPLAYED if form.has_error("code", USED) else WRONG
        name = self.factor_user().get_username()
        access.denied(self.request, name, why, action=self.factor_action, by=self.request.user)

    def _too_many(self, error: limits.TooMany) -> HttpResponse:
        view: Any = self
        if error.is_news:
            name = self.factor_user().get_username()
            try:
                access.locked_out(self.request, name, TOO_MANY, by=_signed_in(self.request))
            except NotRecorded:
                return access.not_recorded(self.request)
        self.empty_forms()
        context = {**view.get_context_data(), "too_many": error}
        answer: HttpResponse = view.render_to_response(context, status=429)
        answer["Retry-After"] = str(error.seconds)
        return answer


class AsksForFactorAgain(AsksForFactor):
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


def _signed_in(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None
