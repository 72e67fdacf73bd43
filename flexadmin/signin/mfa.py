"""Setup and removal of second factors: allauth's pages with audit events.

Each change and its event are one transaction.
"""

from __future__ import annotations

import json
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import GenerateRecoveryCodesView, ViewRecoveryCodesView
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse_lazy
from django.views.decorators.http import require_GET

from flexadmin.signin import auth_events
from flexadmin.signin.actions import SigninAction
from flexadmin.signin.mfa_forms import AddAppForm, AddPasskeyForm
from flexadmin.signin.one_time_codes import mark_used


class PasskeyOptionsMixin:
    """WebAuthn options as JSON for an HTML attribute, because inline scripts are forbidden."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)  # type: ignore[misc]
        return {**context, "options": json.dumps(context.get("js_data", {}))}


class _RecordedChangeMixin:
    """Change of a second factor in the transaction of its event."""

    request: HttpRequest
    action: str
    kind: str
    success_message: str
    success_url = reverse_lazy("me")

    def form_valid(self, form: forms.Form) -> HttpResponse:
        responses: list[HttpResponse] = []

        def change() -> None:
            responses.append(super(_RecordedChangeMixin, self).form_valid(form))  # type: ignore[misc]

        details = {"factor": self.kind}
        auth_events.change_own_account(self.request, self.action, change, details=details)
        messages.success(self.request, self.success_message)
        return responses[0]


class _AddFactorMixin(_RecordedChangeMixin):
    """Setup of a factor. The first one also generates recovery codes, which are shown next."""

    action = SigninAction.ADD_FACTOR
    did_generate_recovery_codes = False

    def get_success_url(self) -> str:
        view_name = "mfa_view_recovery_codes" if self.did_generate_recovery_codes else "me"
        return str(reverse_lazy(view_name))


class _ActivateAppView(ActivateTOTPView):  # type: ignore[misc]  # allauth has no types
    """allauth's page for an app, whose first code then counts as used."""

    form_class = AddAppForm

    def form_valid(self, form: AddAppForm) -> HttpResponse:
        response: HttpResponse = super().form_valid(form)
        app = Authenticator.objects.get(user=self.request.user, type=Authenticator.Type.TOTP)
        if form.step is not None:
            mark_used(app, form.step)
        return response


class AddApp(_AddFactorMixin, _ActivateAppView):
    kind = auth_events.FACTOR_LABELS["totp"]
    success_message = "Authenticator app set up. You will need its codes to sign in."


class RemoveApp(_RecordedChangeMixin, DeactivateTOTPView):  # type: ignore[misc]
    action = SigninAction.REMOVE_FACTOR
    kind = auth_events.FACTOR_LABELS["totp"]
    success_message = "Authenticator app removed."


class AddPasskey(PasskeyOptionsMixin, _AddFactorMixin, AddWebAuthnView):  # type: ignore[misc]
    form_class = AddPasskeyForm
    kind = auth_events.FACTOR_LABELS["webauthn"]
    success_message = "Passkey set up. You can use it to sign in."


class RemovePasskey(_RecordedChangeMixin, RemoveWebAuthnView):  # type: ignore[misc]
    action = SigninAction.REMOVE_FACTOR
    kind = auth_events.FACTOR_LABELS["webauthn"]
    success_message = "Passkey removed."


class GenerateRecoveryCodes(_RecordedChangeMixin, GenerateRecoveryCodesView):  # type: ignore[misc]
    action = SigninAction.ADD_FACTOR
    kind = "recovery codes"
    success_message = "New codes generated. Your previous codes no longer work."
    success_url = reverse_lazy("mfa_view_recovery_codes")


class RecoveryCodes(ViewRecoveryCodesView):  # type: ignore[misc]
    """The unused recovery codes."""


class RecoveryCodesFile(RecoveryCodes):
    """The unused recovery codes as a text file. As their page, it asks for the password first."""

    def render_to_response(self, context: dict[str, Any], **_options: Any) -> HttpResponse:
        lines = [
            f"Recovery codes of {self.request.user.get_username()} at {self.request.get_host()}",
            "Each code works once.",
            "",
            *context["unused_codes"],
        ]
        response = HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
        response["Content-Disposition"] = 'attachment; filename="recovery-codes.txt"'
        response["Cache-Control"] = "no-store"
        return response


@require_GET
def redirect_to_profile(_request: HttpRequest) -> HttpResponse:
    """Redirect allauth's list of factors, which this site shows on the profile page."""
    return redirect("me")
