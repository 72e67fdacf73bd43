"""Where allauth asks the site: a sign-in goes on record before it counts, nobody signs up but by way of single
sign-on, and the secrets of authenticator apps are encrypted in the database.
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

from flexadmin import access, outside_rights, sessions
from flexadmin.models import OneTimePassword
from flexadmin.names import name_for_sso
from flexadmin.oidc import tie_of
from flexadmin.roles import site_user
from flexadmin.sso import IdentityRefused, SsoProvider
from flows.flexapi.pickling import Picklable
from flows.services.audit import NotRecorded

# What is recorded of a sign-in that is refused at its end, and what the user is told.
DEACTIVATED: Final = (
    "user deactivated",
    "Your access is deactivated. Contact an administrator.",
)
OVERTAKEN: Final = (
    "password changed or sessions ended during the sign-in",
    "Your password or access changed while you were signing in. Sign in again.",
)
EXPIRED: Final = (
    "temporary password expired",
    "This temporary password has expired. Ask an administrator for a new one.",
)


class _Overtaken(Picklable):
    """Something ended this sign-in before it was recorded. `objection` says what."""

    def __init__(self, objection: tuple[str, str]) -> None:
        super().__init__(objection[0])
        self.objection = objection


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Passwords are set by an administrator, or changed by whoever has one."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002 - allauth's signature
        return False

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        """Before a second factor is asked for: what this sign-in rests on has to hold until it is there."""
        sessions.hold_pending(request, user)
        answer: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return answer

    def login(self, request: HttpRequest, user: User) -> None:
        """Let a user in who still may, and whose sign-in is recorded: else it is refused, with 503 if it can't be."""
        current = site_user(user.pk) or user

        def check() -> None:
            sessions.hold_epoch(request, user)
            if objection := self._objection(request, user):
                raise _Overtaken(objection)

        try:
            check()
            access.signed_in(request, current, check=check)
        except NotRecorded:
            raise ImmediateHttpResponse(access.not_recorded(request)) from None
        except _Overtaken as overtaken:
            raise ImmediateHttpResponse(self._refused(request, user, *overtaken.objection)) from None
        super().login(request, current)
        outside_rights.record_if_possible()

    def respond_user_inactive(self, request: HttpRequest, user: User) -> HttpResponse:
        return self._refused(request, user, *DEACTIVATED)

    def _objection(self, request: HttpRequest, user: User) -> tuple[str, str] | None:
        """What has changed since the password was checked and ends the sign-in: for the log, and for the user."""
        current = site_user(user.pk)
        if current is None or not current.is_active:
            return DEACTIVATED
        if sessions.is_pending_over(request, current):
            return OVERTAKEN
        by_password = any(
            record["method"] == "password" for record in get_authentication_records(request, current)
        )
        if by_password and OneTimePassword.over().filter(person_id=current.pk).exists():
            return EXPIRED
        return None

    def _refused(self, request: HttpRequest, user: User, why: str, sentence: str) -> HttpResponse:
        access.denied(request, user.get_username(), why)
        clear_login(request)
        messages.error(request, sentence)
        return redirect("login")

    def get_client_ip(self, request: HttpRequest) -> str:
        return access.address_of(request) or "::"  # no place, for a column that wants one

    def add_message(self, request: HttpRequest, level: int, *_args: Any, **said: Any) -> None:
        """Only what is said in so many words: allauth's templates speak of e-mails and accounts."""
        if message := said.get("message"):
            messages.add_message(request, level, message)


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Whoever the provider knows becomes a person, found again by the provider's own id of them (`sub`) and the
    provider's own name (`iss`) alone. An e-mail address is not matched."""

    def list_apps(self, request: Any, provider: Any = None, client_id: Any = None) -> list[Any]:  # noqa: ARG002
        """The provider stands in the settings; the sign-in page asks no database for more."""
        known = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in known.values() for app in apps]

    def get_provider(self, request: Any, provider: str, client_id: str | None = None) -> SsoProvider:
        """The site's own kind of provider, which is the only one that it has."""
        return SsoProvider(request, app=self.get_app(request, provider=provider, client_id=client_id))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        return True

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        sociallogin.email_addresses = []
        known = sociallogin.account
        known.uid = tie_of(
            known.extra_data["id_token"]["iss"], known.uid
        )  # before anybody is looked up by it
        user: User = super().populate_user(request, sociallogin, {**data, "email": ""})
        return user

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Whom the provider knows signs in, and that is all: nobody is tied to a person who is there already."""
        from flexadmin.signin import not_by_single_sign_on  # its views ask for this adapter

        if sociallogin.state.get("process") != AuthProcess.LOGIN:
            name = sociallogin.provider.name
            raise ImmediateHttpResponse(not_by_single_sign_on(request, name, "unsupported request"))

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:  # noqa: ARG002
        """Nobody is asked for more: there is no such page."""
        return True

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        def add() -> User:
            user: User = super(SocialAccountAdapter, self).save_user(request, sociallogin, form)
            return user

        name, subject = sociallogin.provider.name, str(sociallogin.account.uid)
        said = sociallogin.account.extra_data["userinfo"]
        suggested = [said.get(claim) for claim in ("preferred_username", "given_name", "family_name")]
        sociallogin.user.username = name_for_sso(suggested, subject)
        try:
            access.came_by_single_sign_on(request, name, subject, add)
        except NotRecorded:
            raise ImmediateHttpResponse(access.not_recorded(request)) from None
        person: User = sociallogin.user
        return person

    def on_authentication_error(
        self, request: HttpRequest, provider: Any, error: Any = None, exception: Any = None, **_said: Any
    ) -> None:
        """Whatever went wrong over there leads back to the sign-in page, which says so."""
        from flexadmin.signin import not_by_single_sign_on  # its views ask for this adapter

        why = str(exception) if isinstance(exception, IdentityRefused) else str(error or "unknown")
        raise ImmediateHttpResponse(not_by_single_sign_on(request, provider.name, why))


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Encrypts with a key that is not in the database: whoever reads a backup can't make anybody's codes."""

    def encrypt(self, text: str) -> str:
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """What no key opens (SECRET_KEY was changed, and is no fallback) becomes a secret that nobody has."""
        try:
            return _fernet().decrypt(encrypted_text.encode()).decode()
        except InvalidToken:
            logging.getLogger("flexadmin").error(
                "A 2FA method was set up with another SECRET_KEY. Reset the user's 2FA."
            )
            return base64.b32encode(secrets.token_bytes(20)).decode()

    def get_totp_issuer(self) -> str:
        return "Flex Flows"


def _fernet() -> MultiFernet:
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    digests = (hashlib.sha256(f"flexadmin.mfa{key}".encode()).digest() for key in map(str, keys))
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
