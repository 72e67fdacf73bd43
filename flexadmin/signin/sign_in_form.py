"""The form for username and password."""

from __future__ import annotations

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from flexadmin.models import OneTimePassword


class SignInForm(AuthenticationForm):
    """Django's form, which also refuses expired temporary passwords."""

    error_messages = {
        **AuthenticationForm.error_messages,
        "invalid_login": "Wrong username or password. Both are case-sensitive.",
    }

    def confirm_login_allowed(self, user: User) -> None:
        super().confirm_login_allowed(user)
        if OneTimePassword.expired().filter(person_id=user.pk).exists():
            raise ValidationError(
                "This temporary password has expired. Ask an administrator for a new one.",
                code="run_out",
            )
