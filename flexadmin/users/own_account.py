"""Somebody's own page: the password, the second factors, the sessions."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.contrib.auth.views import PasswordChangeView
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET, require_POST

from flexadmin.models import OneTimePassword
from flexadmin.signin import auth_events, sessions
from flexadmin.signin.password_rules import refuse_current
from flexadmin.signin.reauthentication import PasswordCheckMixin
from flexadmin.users.forms import get_assigned_roles
from flexadmin.users.views import get_factors
from flows.audit.access import Request
from flows.audit.audit_log import NotRecorded


@require_GET
def profile(request: Request) -> HttpResponse:
    factors = get_factors(request.user)
    context = {
        "factors": factors,
        "has_factor": any(one.type != Authenticator.Type.RECOVERY_CODES for one in factors),
        "has_app": any(one.type == Authenticator.Type.TOTP for one in factors),
        "roles": get_assigned_roles(request.user),
        "sessions": UserSession.objects.purge_and_list(request.user),
        "is_required": settings.SECOND_FACTOR_REQUIRED,
        "idle_minutes": settings.SESSION_IDLE_MINUTES,
        "hours": settings.SESSION_HOURS,
    }
    return render(request, "people/me.html", context)


@require_POST
def end_other_sessions(request: Request) -> HttpResponse:
    """Sign the user out of every session but this one, and end sign-ins that wait for a second factor."""
    here, epochs = request.session.session_key or "", []
    try:
        auth_events.change_own_account(
            request,
            "auth.sessions_end",
            lambda: epochs.append(sessions.end_all(request.user, but=here)),
        )
    except NotRecorded:
        return auth_events.not_recorded_response(request)
    request.session[sessions.EPOCH_KEY] = epochs[0]
    messages.success(request, "You are signed out of your other sessions.")
    return redirect("me")


class PasswordForm(PasswordChangeForm):
    """Django's, with a sentence for its list of rules; what is wrong with the new password stands beside it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        text = "At least 10 characters. Not your name, a common password or your current one."
        self.fields["new_password1"].help_text = text
        self.fields["new_password2"].help_text = ""
        self.fields["new_password2"].label = "New password again"

    @sensitive_variables("password")
    def validate_password_for_user(self, user: Any, password_field_name: str = "") -> None:  # noqa: ARG002
        """Look at the first of the two fields. Whether it is the current password is said only to who has given that
        one: otherwise this would be a second field to guess in."""
        if "old_password" in self.cleaned_data:
            try:
                refuse_current(self.cleaned_data.get("new_password1", ""), user)
            except ValidationError as error:
                self.add_error("new_password1", error)
                return
        super().validate_password_for_user(user, "new_password1")


class PasswordChange(PasswordCheckMixin, PasswordChangeView):
    """Changing the own password. It ends this person's other sessions, as Django has it."""

    action, password_field = auth_events.PASSWORD_CHANGE, "old_password"
    template_name = "people/password.html"
    form_class = PasswordForm
    success_url = reverse_lazy("me")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated and not request.user.has_usable_password():
            raise PermissionDenied("You sign in without a password here.")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(
            **kwargs, is_one_time=sessions.MUST_CHANGE_KEY in self.request.session
        )

    def form_valid(self, form: PasswordChangeForm) -> HttpResponse:
        def change() -> None:
            form.save()
            OneTimePassword.objects.filter(person=form.user).delete()

        try:
            auth_events.change_own_account(self.request, auth_events.PASSWORD_CHANGE, change)
        except NotRecorded:
            return auth_events.not_recorded_response(self.request)
        self.request.session.pop(sessions.MUST_CHANGE_KEY, None)
        update_session_auth_hash(self.request, form.user)
        UserSession.objects.create_from_request(self.request)
        messages.success(
            self.request, "Password changed. You are signed out of your other sessions."
        )
        return redirect("me")

    def form_invalid(self, form: PasswordChangeForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)
