"""Pages of single sign-on: the way to the provider and back."""

from __future__ import annotations

import logging
from collections.abc import Callable

from allauth.socialaccount.adapter import get_adapter as social_adapter
from allauth.socialaccount.internal.statekit import STATE_TTL
from allauth.socialaccount.providers.base import AuthProcess
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView, OAuth2LoginView
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from flexadmin.ops import housekeeping
from flexadmin.signin import auth_events, login_throttle, sessions
from flexadmin.signin.oidc_provider import SsoAdapter
from flexadmin.signin.sign_in_form import SignInForm


def sso_failed_response(request: HttpRequest, name: str, cause: str) -> HttpResponse:
    """Record a failed single sign-on and lead back to the sign-in page with a message."""
    _record_sso_failure(request, cause)
    messages.error(request, f"Couldn't sign you in with {name}. Nothing was changed. Try again.")
    return redirect("login")


def _record_sso_failure(request: HttpRequest, cause: str) -> None:
    """Record a failure, up to a limit by address.

    Beyond the limit, one event says that further failures aren't logged.
    """
    try:
        login_throttle.start_attempt(
            request, login_throttle.SSO_USERNAME, login_throttle.SSO_FAILURE_LIMIT
        )
        auth_events.record_denial(request, "", f"single sign-on: {cause}", user=request.user)
    except login_throttle.Throttled as error:
        if error.is_first:
            limit_note = "single sign-on: further failures are not logged"
            auth_events.record_lockout(request, "", limit_note)


@require_GET
@login_not_required
def start_sso(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Redirect to the provider if it responds. Starts are limited, because each is stored."""

    def start(adapter: SsoAdapter) -> HttpResponse:
        login_throttle.start_attempt(
            request, login_throttle.SSO_USERNAME, login_throttle.SSO_START_LIMIT
        )
        adapter.openid_config  # noqa: B018 - fails before a session is created for the visitor
        if request.session.session_key is None:
            request.session.set_expiry(STATE_TTL)
        response: HttpResponse = OAuth2LoginView.adapter_view(adapter)(request)
        housekeeping.run_if_due()
        return response

    return _run_sso_step(start, request, provider_id)


@require_GET
@login_not_required
def finish_sso(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Sign in the user who comes back from the provider."""

    def finish(adapter: SsoAdapter) -> HttpResponse:
        response: HttpResponse = OAuth2CallbackView.adapter_view(adapter)(request)
        if request.user.is_authenticated:
            login_throttle.clear_attempts(
                request, login_throttle.SSO_USERNAME, login_throttle.SSO_START_LIMIT
            )
        return response

    return _run_sso_step(finish, request, provider_id)


def _run_sso_step(
    step: Callable[[SsoAdapter], HttpResponse], request: HttpRequest, provider_id: str
) -> HttpResponse:
    """Run a step of single sign-on for a visitor who isn't signed in.

    allauth would also connect an identity to a signed-in user, which this site doesn't allow.
    If the provider fails, lead back to the sign-in page.
    """
    if provider_id not in {app.provider_id for app in social_adapter().list_apps(request)}:
        raise Http404
    if request.GET.get("process", AuthProcess.LOGIN) != AuthProcess.LOGIN:
        return sso_failed_response(request, "single sign-on", "unsupported request")
    if request.user.is_authenticated:
        sessions.end_if_expired(request)
    if request.user.is_authenticated:
        return redirect(settings.LOGIN_REDIRECT_URL)
    try:
        return step(SsoAdapter(request, provider_id))
    except login_throttle.Throttled as error:
        return _sso_throttled_response(request, error)
    except (OSError, KeyError, ValueError) as error:
        # No connection, an error status, a body that isn't JSON, or a missing value in it.
        cause = "unexpected response from the provider"
        logging.getLogger("flexadmin").warning(
            "Single sign-on: %s (%s)", cause, type(error).__name__
        )
        return sso_failed_response(request, "single sign-on", cause)


def _sso_throttled_response(request: HttpRequest, error: login_throttle.Throttled) -> HttpResponse:
    if error.is_first:
        auth_events.record_lockout(request, "", "too many unfinished single sign-ons")
    providers = social_adapter().list_providers(request)
    context = {"form": SignInForm(request), "sso_lockout": error, "providers": providers}
    response = render(request, "registration/login.html", context, status=429)
    response["Retry-After"] = str(error.seconds)
    return response
