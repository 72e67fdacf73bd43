"""Adapters that give allauth the rules of this site.

A sign-in is recorded before it takes effect. New users sign up through single sign-on only. The
secrets of authenticator apps are encrypted in the database.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import secrets
from typing import Any, Final

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.socialaccount.providers.base import AuthProcess
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from flexadmin.models import OneTimePassword
from flexadmin.signin import auth_events, sessions
from flexadmin.signin.oidc_provider import IdentityRefused, SsoProvider
from flexadmin.signin.oidc_settings import sso_uid
from flexadmin.signin.sso_views import sso_failed_response
from flexadmin.users import outside_rights
from flexadmin.users.roles import get_site_user
from flexadmin.users.usernames import choose_sso_username
from flows.twilio.pickling import PicklableError

# Causes of a sign-in refused at its last step: text for the log, message for the user.
DEACTIVATED: Final = (
    "user deactivated",
    "Your access is deactivated. Contact an administrator.",
)
INVALIDATED: Final = (
    "password changed or sessions ended during the sign-in",
    "Your password or access changed while you were signing in. Sign in again.",
)
EXPIRED: Final = (
    "temporary password expired",
    "This temporary password has expired. Ask an administrator for a new one.",
)


class _LoginInvalidated(PicklableError):
    """The sign-in became invalid before it was recorded. `refusal` is the cause."""

    def __init__(self, refusal: tuple[str, str]) -> None:
        super().__init__(refusal[0])
        self.refusal = refusal


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Sign-in of existing users. Administrators create users, so there is no sign-up."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        return False

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Remember password and epoch, which must not change until the second factor is checked."""
        sessions.remember_pending_login(request, user)
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response

    def login(self, request: HttpRequest, user: User) -> None:
        """Record the sign-in and sign the user in.

        Respond with a message if it is no longer valid.
        """
        current = get_site_user(user.pk) or user

        def check() -> None:
            sessions.remember_epoch(request, user)
            if refusal := self._find_refusal(request, user):
                raise _LoginInvalidated(refusal)

        try:
            check()
            auth_events.record_login(request, current, check=check)
        except _LoginInvalidated as error:
            response = self._refused_response(request, user, error.refusal)
            raise ImmediateHttpResponse(response) from None
        super().login(request, current)
        outside_rights.try_record_changes()

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return self._refused_response(request, user, DEACTIVATED)

    def _find_refusal(self, request: HttpRequest, user: User) -> tuple[str, str] | None:
        """Return the cause if the sign-in is no longer valid, or None."""
        current = get_site_user(user.pk)
        if current is None or not current.is_active:
            return DEACTIVATED
        if sessions.is_pending_login_invalid(request, current):
            return INVALIDATED
        records = get_authentication_records(request, current)
        by_password = any(record["method"] == "password" for record in records)
        if by_password and OneTimePassword.expired().filter(person_id=current.pk).exists():
            return EXPIRED
        return None

    def _refused_response(
        self, request: HttpRequest, user: User, refusal: tuple[str, str]
    ) -> HttpResponse:
        """Record a refused sign-in and lead back to the sign-in page with a message."""
        cause, message = refusal
        auth_events.record_denial(request, user.get_username(), cause)
        clear_login(request)
        messages.error(request, message)
        return redirect("login")

    def get_client_ip(self, request: HttpRequest) -> str:
        return auth_events.get_client_ip(request) or "::"  # allauth's column can't be empty

    def add_message(self, request: HttpRequest, level: int, *_args: Any, **kwargs: Any) -> None:
        """Show messages given as text. allauth's templates talk about e-mails and accounts."""
        message = kwargs.get("message")
        if message:
            messages.add_message(request, level, message)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Single sign-on: every identity of the provider becomes a user.

    Users are matched by the provider's issuer (`iss`) and its id of the user (`sub`), never by
    e-mail address.
    """

    def list_apps(self, request: Any, provider: Any = None, client_id: Any = None) -> list[Any]:  # noqa: ARG002
        """Return the provider from the settings, without the query for others in the database."""
        by_provider = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in by_provider.values() for app in apps]

    def get_provider(
        self, request: Any, provider: str, client_id: str | None = None
    ) -> SsoProvider:
        """Return the site's only provider."""
        app = self.get_app(request, provider=provider, client_id=client_id)
        return SsoProvider(request, app=app)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """Set the SSO identity before allauth looks up a user by it, and drop e-mail addresses."""
        sociallogin.email_addresses = []
        account = sociallogin.account
        account.uid = sso_uid(account.extra_data["id_token"]["iss"], account.uid)
        user: User = super().populate_user(request, sociallogin, {**data, "email": ""})
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Allow signing in only. allauth could also connect the identity to an existing user."""
        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            name = sociallogin.provider.name
            raise ImmediateHttpResponse(sso_failed_response(request, name, "unsupported request"))

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        """Sign up without allauth's form for more data, which this site doesn't have."""
        return True

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """Create the user of a new SSO identity and record it."""

        def add() -> User:
            user: User = super(SocialAccountAdapter, self).save_user(request, sociallogin, form)
            return user

        name, subject = sociallogin.provider.name, str(sociallogin.account.uid)
        userinfo = sociallogin.account.extra_data["userinfo"]
        claims = ("preferred_username", "given_name", "family_name")
        suggested_names = [userinfo.get(claim) for claim in claims]
        sociallogin.user.username = choose_sso_username(suggested_names, subject)
        auth_events.create_sso_user(request, name, subject, add)
        person: User = sociallogin.user
        return person

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Any = None,
        **_kwargs: Any,
    ) -> None:
        """Lead back to the sign-in page with a message."""
        cause = str(error or "unknown")
        if isinstance(exception, IdentityRefused):
            cause = str(exception)
        raise ImmediateHttpResponse(sso_failed_response(request, provider.name, cause))


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encryption of app secrets with a key outside the database.

    A copy of the database is therefore not enough to generate codes.
    """

    def encrypt(self, text: str) -> str:
        return _build_fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Decrypt a secret, or return a random one if no key fits.

        No key fits after SECRET_KEY was replaced without a fallback. No code is right then.
        """
        try:
            return _build_fernet().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logging.getLogger("flexadmin").error(
                "A 2FA method was set up with another SECRET_KEY. Reset the user's 2FA."
            )
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def get_totp_issuer(self) -> str:
        return "Flex Flows"


def _build_fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(f"flexadmin.mfa{key}".encode()).digest() for key in map(str, keys))
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
