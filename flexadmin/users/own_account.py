"""Views of a user's own account: profile, password and sessions."""

from __future__ import annotations

from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from flexadmin.models import ApiToken, OneTimePassword, SiteUser
from flexadmin.signin import auth_events, sessions
from flexadmin.signin.actions import SigninAction
from flexadmin.signin.password_rules import refuse_current
from flexadmin.signin.reauthentication import PasswordCheckMixin
from flexadmin.signin.session_list import list_sessions
from flexadmin.signin.user_agents import describe_user_agent
from flexadmin.users.profiles import ProfileForm
from flexadmin.users.views import NOT_RECORDED_MESSAGE, get_factors, get_role_labels
from flows.audit.access import Request
from flows.audit.views.unrecorded import page_if_unrecorded


@require_GET
def profile(request: Request) -> HttpResponse:
    """Show the user's profile, second factors and sessions."""
    return _profile_page(request)


@require_POST
def edit_profile(request: Request) -> HttpResponse:
    """Save the user's display name, e-mail address, time zone and theme."""
    form = ProfileForm(request.POST, person=_site_user(request))
    if not form.is_valid():
        return _profile_page(request, form, status=422)
    with page_if_unrecorded(lambda: _profile_page(request, form, NOT_RECORDED_MESSAGE, 503)):
        form.save(request)
    messages.success(request, "Profile saved.")
    return redirect("me")


def _profile_page(
    request: Request, form: ProfileForm | None = None, error: str = "", status: int = 200
) -> HttpResponse:
    factors = get_factors(request.user)
    context = {
        "form": form or ProfileForm(person=_site_user(request)),
        "error": error,
        "factors": factors,
        "has_factor": any(one.type != Authenticator.Type.RECOVERY_CODES for one in factors),
        "has_app": any(one.type == Authenticator.Type.TOTP for one in factors),
        "roles": get_role_labels(request.user),
        "sessions": list_sessions(request.user, request.session.session_key or ""),
        "tokens": list(ApiToken.objects.filter(person=request.user)),
        "is_required": settings.SECOND_FACTOR_REQUIRED,
        "idle_minutes": settings.SESSION_IDLE_MINUTES,
        "hours": settings.SESSION_HOURS,
    }
    return render(request, "people/me.html", context, status=status)


def _site_user(request: Request) -> SiteUser:
    return cast("SiteUser", request.user)


@require_POST
def end_other_sessions(request: Request) -> HttpResponse:
    """End the user's other sessions and their sign-ins that wait for a second factor."""
    current_key = request.session.session_key or ""
    epochs = []

    def end_sessions() -> None:
        epochs.append(sessions.end_all(request.user, except_key=current_key))

    auth_events.change_own_account(request, SigninAction.END_SESSIONS, end_sessions)
    request.session[sessions.EPOCH_KEY] = epochs[0]
    messages.success(request, "You are signed out of your other sessions.")
    return redirect("me")


@require_POST
def end_session(request: Request, session_id: int) -> HttpResponse:
    """End one of the user's other sessions."""
    other_sessions = UserSession.objects.filter(user=request.user)
    other_sessions = other_sessions.exclude(session_key=request.session.session_key or "")
    session = get_object_or_404(other_sessions, pk=session_id)
    device = describe_user_agent(session.user_agent)
    auth_events.change_own_account(
        request,
        SigninAction.END_SESSION,
        session.end,
        details={"browser": device, "address": session.ip},
    )
    messages.success(request, f"Signed out of {device}.")
    return redirect("me")


class PasswordForm(PasswordChangeForm):
    """Django's form with the rules in one sentence, and errors at the first new password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = "At least 10 characters. Not your name, a common password or your current one."
        self.fields["new_password1"].help_text = text
        self.fields["new_password2"].help_text = ""
        self.fields["new_password2"].label = "New password again"

    @sensitive_variables("password")
    def validate_password_for_user(self, user: Any, password_field_name: str = "") -> None:  # noqa: ARG002
        """Validate the new password and put errors at the first of its two fields.

        Compare it with the current password only if that one was entered correctly. Otherwise this
        field would be a second place to guess the current password.
        """
        if "old_password" in self.cleaned_data:
            try:
                refuse_current(self.cleaned_data.get("new_password1", ""), user)
            except ValidationError as error:
                self.add_error("new_password1", error)
                return
        super().validate_password_for_user(user, "new_password1")


class PasswordChange(PasswordCheckMixin, PasswordChangeView):
    """Change of the user's own password. Django then ends their other sessions."""

    action = SigninAction.CHANGE_PASSWORD
    password_field = "old_password"  # noqa: S105 - a field's name
    template_name = "people/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("me")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.has_usable_password():
            raise PermissionDenied("You sign in without a password here.")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs, is_temporary=sessions.MUST_CHANGE_KEY in self.request.session
        )

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        def change() -> None:
            form.save()
            OneTimePassword.objects.filter(person=form.user).delete()

        auth_events.change_own_account(self.request, SigninAction.CHANGE_PASSWORD, change)
        self.request.session.pop(sessions.MUST_CHANGE_KEY, None)
        update_session_auth_hash(self.request, form.user)
        UserSession.objects.create_from_request(self.request)
        messages.success(
            self.request, "Password changed. You are signed out of your other sessions."
        )
        return redirect("me")

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)
