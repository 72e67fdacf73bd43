"""Models of the site: roles on single Twilio accounts, and the state that signing in needs.

A role on every account is a membership of the role's group, and so has no model here.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth import get_backends
from django.contrib.auth.models import Group, User
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone

from flows.accounts.twilio_accounts import Scope


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """The limits of an API token. `accounts` is None for all accounts of its user."""

    is_read_only: bool
    accounts: frozenset[str] | None


class SiteUser(User):
    """A user with the permissions of their roles only.

    `roles_by_account` is set where the user was loaded with their roles (users/roles.py).
    """

    roles_by_account: dict[str, set[str]]
    token_limits: TokenLimits | None = None  # set where a request came with an API token

    class Meta:
        proxy = True
        default_permissions = ()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Ask the backends only. Django's own method grants a superuser everything first."""
        return any(backend.has_perm(self, perm, obj=obj) for backend in get_backends())

    def has_module_perms(self, app_label: str) -> bool:
        return any(backend.has_module_perms(self, app_label) for backend in get_backends())  # type: ignore[attr-defined]

    def role_on(self, account_sid: str) -> str:
        """Return the name of this user's role on the account, or ""."""
        from flexadmin.users import roles  # which imports these models

        return roles.get_role(self, account_sid)

    def role_on_any_account(self) -> str:
        """Return the names of this user's roles on all accounts, or ""."""
        from flexadmin.users import roles  # which imports these models

        return roles.get_role_on_any_account(self)

    def scope_of(self, permission: str) -> Scope:
        """Return the accounts where this user has the permission; None for every account."""
        from flexadmin.users import roles  # which imports these models

        return roles.get_scope(self, permission)

    @property
    def session_epoch(self) -> int:
        """Number of times that all sessions of this user were ended."""
        epoch: SessionEpoch | None = getattr(self, "ended_sessions", None)
        return epoch.number if epoch else 0

    @property
    def own_profile(self) -> Profile:
        """The user's profile, or one with the defaults if they have not saved any."""
        profile: Profile | None = getattr(self, "profile", None)
        return profile or Profile(person=self)


class Profile(models.Model):
    """The display name and the preferences that a user has chosen.

    Their e-mail address is `User.email`.
    """

    class Theme(models.TextChoices):
        SYSTEM = "system", "Same as the device"
        LIGHT = "light", "Light"
        DARK = "dark", "Dark"

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="profile",
        primary_key=True,
    )
    display_name = models.CharField(max_length=60, blank=True)
    time_zone = models.CharField(max_length=64, blank=True)  # empty for the site's
    theme = models.CharField(max_length=6, choices=Theme, default=Theme.SYSTEM)

    def __str__(self) -> str:
        return f"profile of {self.person}"

    @property
    def zone(self) -> tzinfo:
        """The user's time zone. It is the site's if they chose none, or one that was abolished."""
        try:
            return ZoneInfo(self.time_zone or settings.TIME_ZONE)
        except (KeyError, OSError, ValueError):
            return timezone.get_default_timezone()


class AccountRole(models.Model):
    """A user's role on one account, in addition to their role on every account."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="account_roles"
    )
    account_sid = models.CharField(max_length=34)
    role = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["person", "account_sid"], name="one_role_a_person_and_account"
            )
        ]
        permissions = [("manage_people", "Can say who gets in, and with which role")]

    def __str__(self) -> str:
        return f"{self.role} on {self.account_sid}"


class OneTimePassword(models.Model):
    """Mark of a temporary password, which the user must change before anything else.

    It expires `ONE_TIME_PASSWORD_HOURS` after `set_at`.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="one_time_password",
        primary_key=True,
    )
    set_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"temporary password of {self.person}"

    @classmethod
    def expired(cls) -> QuerySet[OneTimePassword]:
        """Return the temporary passwords that have expired. Nobody can sign in with them."""
        return cls.objects.filter(
            set_at__lte=timezone.now() - timedelta(hours=settings.ONE_TIME_PASSWORD_HOURS)
        )


class SessionEpoch(models.Model):
    """Number of times that all sessions of a user were ended.

    A session or a pending sign-in that started under a lower number is invalid.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="ended_sessions",
        primary_key=True,
    )
    number = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"sessions of {self.person}, ended {self.number} times"


class OutsideRights(models.Model):
    """Rights granted to a user outside this dashboard, as last recorded in the audit log.

    They have no effect here.
    """

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="outside_rights",
        primary_key=True,
    )
    rights = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"rights from outside of {self.person}"


class SignInTry(models.Model):
    """A failed or pending sign-in attempt of one kind. `signin/login_throttle.py` counts them."""

    kind = models.CharField(max_length=12, default="password")
    address = models.CharField(max_length=45)
    name_hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    is_refused = models.BooleanField(default=False)  # marks a limit as recorded; never counted

    class Meta:
        indexes = [
            models.Index(fields=["address", "name_hash"], name="try_pair"),
            models.Index(fields=["name_hash"], name="try_name"),
            models.Index(fields=["at"], name="try_at"),
        ]

    def __str__(self) -> str:
        return f"{self.address} at {self.at}"


class ApiToken(models.Model):
    """A user's token for the API. The client has `key.secret`; the secret is stored as an HMAC.

    `key` finds the token and is no secret. `accounts` and `networks` are empty without a limit.
    """

    class Scope(models.TextChoices):
        READ = "read", "Read"
        WRITE = "write", "Read and write"

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens"
    )
    name = models.CharField(max_length=60, blank=True)
    key = models.CharField(max_length=32, unique=True)
    digest = models.CharField(max_length=64)
    scope = models.CharField(max_length=5, choices=Scope)
    accounts = models.JSONField(default=list)
    networks = models.JSONField(default=list)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)  # to the minute
    last_used_ip = models.CharField(max_length=45, blank=True)

    class Meta:
        default_permissions = ()
        ordering = ["-created_at", "-pk"]

    def __str__(self) -> str:
        return self.name or self.key

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()

    @property
    def limits(self) -> TokenLimits:
        accounts = frozenset(self.accounts) if self.accounts else None
        return TokenLimits(is_read_only=self.scope == self.Scope.READ, accounts=accounts)
