"""The pages of signing in and out: name and password, the second factor, single sign-on's way back. What was typed
before a session ended goes along through all of them, and is offered back afterwards (typed.py).
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from allauth.mfa.base.views import AuthenticateView
from allauth.socialaccount.adapter import get_adapter as social_adapter
from allauth.socialaccount.internal.statekit import STATE_TTL
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView, LogoutView
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_GET

from flexadmin import access, housekeeping, limits, sessions
from flexadmin.factor_forms import CodeForm, PasskeyForm
from flexadmin.factors import WithPasskey
from flexadmin.models import OneTimePassword
from flexadmin.second_factor import AsksForFactor
from flexadmin.sso import SsoAdapter
from flexadmin.typed import FORMS, Typed, sent
from flows.services.audit import NotRecorded


class SignInForm(AuthenticationForm):
    """Django's; a temporary password is good for a time only."""

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if OneTimePassword.over().filter(person_id=user.pk).exists():
            raise ValidationError(
                "This temporary password has expired. Ask an administrator for a new one.", code="run_out"
            )


@method_decorator(login_not_required, name="dispatch")
class SignIn(LoginView):
    """Signing in with name and password. What was typed before the session ended is offered back to whoever signs in
    and may use that form: a change is made, and put on record, in the name of who saves it."""

    redirect_authenticated_user = True
    form_class = SignInForm

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            sessions.end_if_over(request)
        return super().dispatch(request, *args, **kwargs)

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        self.name = access.name_of(request.POST.get("username", ""))
        try:
            self.tried = limits.begin(request, self.name)
            return super().post(request, *args, **kwargs)
        except limits.TooMany as error:
            return self.too_many(error)
        except NotRecorded:
            return access.not_recorded(request)

    def get_form_kwargs(self) -> dict[str, Any]:
        """The name is looked up as it was counted."""
        kwargs = super().get_form_kwargs()
        if "data" in kwargs:
            kwargs["data"] = {**kwargs["data"].dict(), "username": self.name}
        return kwargs

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        providers = social_adapter().list_providers(self.request)
        return super().get_context_data(**kwargs, typed=sent(self.request), providers=providers)

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        user = form.get_user()
        limits.forget(self.tried)
        housekeeping.run_if_due()
        login = Login(user=user, redirect_url=self.get_success_url())
        answer = perform_password_login(self.request, {"username": user.get_username()}, login)
        typed = sent(self.request)
        if answer.status_code == 302 and not self.request.user.is_authenticated and typed:
            return SecondFactor.shown(self.request, typed)
        return offered(self.request, answer)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        is_over = form.has_error("__all__", "run_out")
        why = "temporary password expired" if is_over else "wrong username or password"
        access.denied(self.request, self.name, why)
        return super().form_invalid(form)

    def too_many(self, error: limits.TooMany) -> HttpResponse:
        if error.is_news:
            access.locked_out(self.request, self.name, "too many failed sign-ins")
        form = SignInForm(self.request, initial={"username": self.name})
        context = self.get_context_data(form=form, too_many=error)
        return self.render_to_response(context, status=429, headers={"Retry-After": str(error.seconds)})


class SecondFactor(AsksForFactor, WithPasskey, AuthenticateView):  # type: ignore[misc]  # allauth has no types
    """A code or a passkey, after the password, of whoever has set one up."""

    factor_action = access.LOGIN
    form_class = CodeForm
    webauthn_form_class = PasskeyForm

    @classmethod
    def shown(cls, request: HttpRequest, typed: Typed) -> HttpResponse:
        """The page in the place of a redirect to it: what was typed travels within answers only."""
        request.method = "GET"
        request.carried = typed  # type: ignore[attr-defined]
        answer: HttpResponse = cls.as_view()(request)
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        typed = getattr(self.request, "carried", None) or sent(self.request)
        return {**super().get_context_data(**kwargs), "typed": typed}

    def form_valid(self, form: forms.Form) -> HttpResponse:
        return offered(self.request, super().form_valid(form))

    def factor_user(self) -> User:
        user: User = self.stage.login.user
        return user

    def factor_form(self) -> forms.Form:
        form: forms.Form = self.form
        return form

    def empty_forms(self) -> None:
        self.auth_form = CodeForm(user=self.factor_user())
        self.webauthn_form = PasskeyForm(user=self.factor_user())


def not_by_single_sign_on(request: HttpRequest, name: str, why: str) -> HttpResponse:
    """Lead back to the sign-in page, which says that it did not work. It is recorded, but not each time for whoever
    calls this again and again: the first that is left out says so."""
    try:
        limits.begin(request, limits.SINGLE_SIGN_ON, limits.SSO_FAILURES)
        access.denied(request, "", f"single sign-on: {why}", by=request.user)
    except limits.TooMany as error:
        if error.is_news and not _is_recorded(request, "single sign-on: further failures are not logged"):
            return access.not_recorded(request)
    except NotRecorded:
        return access.not_recorded(request)
    messages.error(request, f"Couldn't sign you in with {name}. Nothing was changed. Try again.")
    return redirect("login")


@require_GET
@login_not_required
def to_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Lead to the provider, if it answers. Starts are counted, for each of them is kept until it ends."""

    def start(adapter: SsoAdapter) -> HttpResponse:
        limits.begin(request, limits.SINGLE_SIGN_ON, limits.SSO_STARTS)
        adapter.openid_config  # noqa: B018 - asked for before anything is kept of this visitor
        if request.session.session_key is None:
            request.session.set_expiry(STATE_TTL)
        answer: HttpResponse = OAuth2LoginView.adapter_view(adapter)(request)
        housekeeping.run_if_due()
        return answer

    return _asked(start, request, provider_id)


@require_GET
@login_not_required
def from_provider(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Take back who comes from the provider."""

    def finish(adapter: SsoAdapter) -> HttpResponse:
        answer: HttpResponse = OAuth2CallbackView.adapter_view(adapter)(request)
        if request.user.is_authenticated:
            limits.forget_all(request, limits.SINGLE_SIGN_ON, limits.SSO_STARTS)
        return answer

    return _asked(finish, request, provider_id)


def _asked(ask: Callable[[SsoAdapter], HttpResponse], request: HttpRequest, provider_id: str) -> HttpResponse:
    """For signing in alone: allauth would also tie whom the provider knows to whoever is signed in. A provider that
    does not answer, or not as it should, leads back to the sign-in page."""
    if provider_id not in {app.provider_id for app in social_adapter().list_apps(request)}:
        raise Http404
    if request.GET.get("process", AuthProcess.LOGIN) != AuthProcess.LOGIN:
        return not_by_single_sign_on(request, "single sign-on", "unsupported request")
    if request.user.is_authenticated:
        sessions.end_if_over(request)
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    try:
        return ask(SsoAdapter(request, provider_id))
    except limits.TooMany as error:
        return _too_many_starts(request, error)
    except (
        OSError,
        KeyError,
        ValueError,
    ) as error:  # no connection, an error, no JSON, something missing in it
        log = logging.getLogger("flexadmin")
        log.warning("Single sign-on: unexpected response from the provider (%s)", type(error).__name__)
        return not_by_single_sign_on(request, "single sign-on", "unexpected response from the provider")


def _too_many_starts(request: HttpRequest, error: limits.TooMany) -> HttpResponse:
    if error.is_news and not _is_recorded(request, "too many unfinished single sign-ons"):
        return access.not_recorded(request)
    providers = social_adapter().list_providers(request)
    context = {"form": SignInForm(request), "too_many_starts": error, "providers": providers}
    answer = render(request, "registration/login.html", context, status=429)
    answer["Retry-After"] = str(error.seconds)
    return answer


def _is_recorded(request: HttpRequest, why: str) -> bool:
    """Record a lockout that is about no user; False if it can't be."""
    try:
        access.locked_out(request, "", why)
    except NotRecorded:
        return False
    return True


class SignOut(LogoutView):
    """By POST alone. Nobody is kept in because it could not be put on record."""

    http_method_names = ["post", "options"]

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if isinstance(request.user, User):
            access.signed_out(request, request.user)
        return super().post(request, *args, **kwargs)


def offered(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """The answer to a sign-in; where something had been typed, and they may use that form, the way back to it."""
    typed = sent(request)
    if typed is None or answer.status_code != 302 or not request.user.is_authenticated:
        return answer
    if not request.user.has_perm(FORMS[typed.view]):
        return answer
    return render(request, "registration/signed_in_again.html", {"typed": typed})
