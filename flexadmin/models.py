"""Who has which role on one Twilio account (a role on every account is a membership of the role's group, as Django
has it), and what signing in needs to remember."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_backends
from django.contrib.auth.models import Group, User
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone


class SiteUser(User):
    """A user as the site's backend reads them: with the rights of their roles, and no others."""

    class Meta:
        proxy = True
        default_permissions = ()

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Ask the backends only: Django itself says yes to every superuser before it asks one."""
        return any(backend.has_perm(self, perm, obj=obj) for backend in get_backends())

    def has_module_perms(self, app_label: str) -> bool:
        return any(backend.has_module_perms(self, app_label) for backend in get_backends())  # type: ignore[attr-defined]

    @property
    def session_epoch(self) -> int:
        """Number of times that all sessions of this user were ended."""
        ended: SessionEpoch | None = getattr(self, "ended_sessions", None)
        return ended.number if ended else 0


class AccountRole(models.Model):
    """A person's role on one account. It adds to what they may do on every account."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="account_roles"
    )
    account_sid = models.CharField(max_length=34)
    role = models.ForeignKey(Group, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "account_sid"], name="one_role_a_person_and_account")
        ]
        permissions = [("manage_people", "Can say who gets in, and with which role")]

    def __str__(self) -> str:
        return f"{self.role} on {self.account_sid}"


class OneTimePassword(models.Model):
    """An administrator set this person's password: it has to be changed before anything else, and in time."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="one_time_password", primary_key=True
    )
    set_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"temporary password of {self.person}"

    @classmethod
    def over(cls) -> QuerySet[OneTimePassword]:
        """Those that have run out: they let nobody in."""
        return cls.objects.filter(
            set_at__lte=timezone.now() - timedelta(hours=settings.ONE_TIME_PASSWORD_HOURS)
        )


class SessionEpoch(models.Model):
    """Number of times that all sessions of a user were ended. A session or a pending sign-in that began under an
    earlier number is over, whatever becomes of the user later."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="ended_sessions", primary_key=True
    )
    number = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"sessions of {self.person}, ended {self.number} times"


class OutsideRights(models.Model):
    """Rights that a user was given outside this dashboard, as they were last recorded in the audit log. They have no
    effect here."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="outside_rights", primary_key=True
    )
    rights = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"rights from outside of {self.person}"


class SignInTry(models.Model):
    """A failed or pending attempt to sign in, of one kind; `limits.py` counts them."""

    kind = models.CharField(max_length=12, default="password")
    address = models.CharField(max_length=45)
    name_hash = models.CharField(max_length=64)
    at = models.DateTimeField()
    is_refused = models.BooleanField(default=False)  # one too many: it was not looked at

    class Meta:
        indexes = [
            models.Index(fields=["address", "name_hash"], name="try_pair"),
            models.Index(fields=["name_hash"], name="try_name"),
            models.Index(fields=["at"], name="try_at"),
        ]

    def __str__(self) -> str:
        return f"{self.address} at {self.at}"
