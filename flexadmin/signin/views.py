"""Pages for signing in and out: password and second factor.

A form that the user submitted after their session expired is carried through all of these pages and
offered again at the end (http/form_rescue.py).
"""

from __future__ import annotations

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.base.views import AuthenticateView
from allauth.socialaccount.adapter import get_adapter as social_adapter
from django import forms
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import method_decorator

from flexadmin.http.form_rescue import FORM_PERMISSIONS, PendingForm, pending_form
from flexadmin.ops import housekeeping
from flexadmin.signin import auth_events, login_throttle, sessions
from flexadmin.signin.actions import SigninAction
from flexadmin.signin.mfa import PasskeyOptionsMixin
from flexadmin.signin.mfa_forms import CodeForm, PasskeyForm
from flexadmin.signin.mfa_throttle import FactorCheckMixin
from flexadmin.signin.sign_in_form import SignInForm


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    """Sign-in with username and password.

    A pending form is offered to anyone who signs in and has its permission. A change is made and
    recorded in the name of the user who saves it.
    """

    redirect_authenticated_user = True
    form_class = SignInForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            sessions.end_if_expired(request)
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.name = auth_events.normalize_username(request.POST.get("username", ""))
        try:
            self.attempt = login_throttle.start_attempt(request, self.name)
            return super().post(request, *args, **kwargs)
        except login_throttle.Throttled as error:
            return self.throttled_response(error)

    def get_form_kwargs(self) -> dict[str, Any]:
        """Look up the user by the same normalized name that was counted."""
        kwargs = super().get_form_kwargs()
        if "data" in kwargs:
            kwargs["data"] = {**kwargs["data"].dict(), "username": self.name}
        return kwargs

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        providers = social_adapter().list_providers(self.request)
        return super().get_context_data(
            **kwargs, pending_form=pending_form(self.request), providers=providers
        )

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        login_throttle.accept_attempt(self.attempt)
        housekeeping.run_if_due()
        login = Login(user=user, redirect_url=self.get_success_url())
        response = perform_password_login(self.request, {"username": user.get_username()}, login)
        pending = pending_form(self.request)
        needs_second_factor = response.status_code == 302 and not self.request.user.is_authenticated
        if needs_second_factor and pending:
            return SecondFactor.render_with_form(self.request, pending)
        return offer_resume(self.request, response)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        is_expired = form.has_error("__all__", "run_out")
        cause = "temporary password expired" if is_expired else "wrong username or password"
        auth_events.record_denial(self.request, self.name, cause)
        return super().form_invalid(form)

    def throttled_response(self, error: login_throttle.Throttled) -> HttpResponse:
        """Record the lockout if it is a new one, and show the form with the waiting time."""
        if error.is_first:
            auth_events.record_lockout(self.request, self.name, "too many failed sign-ins")
        form = SignInForm(self.request, initial={"username": self.name})
        context = self.get_context_data(form=form, lockout=error)
        return self.render_to_response(
            context, status=429, headers={"Retry-After": str(error.seconds)}
        )


class SecondFactor(
    FactorCheckMixin,
    PasskeyOptionsMixin,
    AuthenticateView,  # type: ignore[misc]  # allauth has no types
):
    """Second step of a sign-in: a code or a passkey, for users who have set one up."""

    factor_action = SigninAction.LOGIN
    form_class = CodeForm
    webauthn_form_class = PasskeyForm

    @classmethod
    def render_with_form(cls, request: HttpRequest, pending: PendingForm) -> HttpResponse:
        """Render the page at once, because a redirect would lose the pending form."""
        request.method = "GET"
        request.carried_form = pending  # type: ignore[attr-defined]
        response: HttpResponse = cls.as_view()(request)
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        pending = getattr(self.request, "carried_form", None) or pending_form(self.request)
        return {**super().get_context_data(**kwargs), "pending_form": pending}

    def form_valid(self, form: forms.Form) -> HttpResponse:
        return offer_resume(self.request, super().form_valid(form))

    def factor_user(self) -> User:
        user: User = self.stage.login.user
        return user

    def factor_form(self) -> forms.Form:
        form: forms.Form = self.form
        return form

    def empty_forms(self) -> None:
        self.auth_form = CodeForm(user=self.factor_user())
        self.webauthn_form = PasskeyForm(user=self.factor_user())


class SignOut(LogoutView):
    """Sign-out, by POST only. It works even if its event can't be recorded."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            auth_events.record_logout(request, request.user)
        return super().post(request, *args, **kwargs)


def offer_resume(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Return the page that offers a pending form again, or the response to the sign-in.

    The page needs a successful sign-in and the permission for that form.
    """
    is_signed_in = response.status_code == 302 and request.user.is_authenticated
    pending = pending_form(request)
    if pending is None or not is_signed_in:
        return response
    if not request.user.has_perm(FORM_PERMISSIONS[pending.view]):
        return response
    return render(request, "registration/signed_in_again.html", {"pending_form": pending})
