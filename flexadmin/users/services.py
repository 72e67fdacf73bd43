"""What an administrator does to a person: the verbs. Each stands or falls with its event, is done while nobody else
can append, and leaves at least one administrator who can sign in.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, User
from django.db.models import Q, QuerySet
from django.utils import timezone

from flexadmin.models import AccountRole, OneTimePassword, OutsideRights
from flexadmin.signin import sessions
from flexadmin.signin.oidc_settings import PROVIDER_ID, is_tie_of, issuer_of
from flexadmin.users.roles import ROLES, outside_rights_of
from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import AuditEvent, Result, Stage

CREATE: Final = "people.create"
ROLE: Final = "people.role"
ACTIVATE: Final = "people.activate"
DEACTIVATE: Final = "people.deactivate"
PASSWORD: Final = "people.password"  # noqa: S105 - an action's name
RESET: Final = "people.mfa_reset"
UNTIE: Final = "people.sso_remove"
REMOVE_RIGHTS: Final = "people.rights_remove"
ADMIN: Final = "admin"


class LastAdmin(Exception):
    """Without this person nobody could say who gets in."""


def create(
    *, name: str, password: str, role: str, on_accounts: list[str], actor: Actor, reason: str = ""
) -> User:
    """Adds a person with a role on every account, or on those accounts alone. `NotRecorded`: nobody was added."""
    person = User(username=name)
    person.set_password(password)

    def change() -> None:
        person.save()
        _give(person, "" if on_accounts else role, dict.fromkeys(on_accounts, role))

    _append(CREATE, person, change, actor=actor, reason=reason, is_new=True)
    return person


def invite(
    *, name: str, role: str, on_accounts: dict[str, str], actor: Actor, reason: str
) -> tuple[User, str]:
    """Adds a person with these roles and a one-time password, which is given back. `NotRecorded`: nobody was added."""
    person, password = User(username=name), _one_time()
    person.set_password(password)

    def change() -> None:
        person.save()
        _give(person, role, on_accounts)
        OneTimePassword.objects.create(person=person)

    _append(CREATE, person, change, actor=actor, reason=reason, is_new=True)
    return person, password


def set_roles(
    *, person: User, role: str, on_accounts: dict[str, str], actor: Actor, reason: str
) -> AuditEvent:
    """Gives a role on every account (empty: none), and on single ones. It holds from the next request."""
    return _append(ROLE, person, lambda: _give(person, role, on_accounts), actor=actor, reason=reason)


def set_active(*, person: User, is_active: bool, actor: Actor, reason: str) -> AuditEvent:
    """Let a user sign in, or no more: their sessions and pending sign-ins end for good."""

    def change() -> None:
        person.is_active = is_active
        person.save(update_fields=["is_active"])
        if not is_active:
            sessions.end_all(person)

    return _append(ACTIVATE if is_active else DEACTIVATE, person, change, actor=actor, reason=reason)


def set_one_time_password(*, person: User, actor: Actor, reason: str) -> str:
    """Gives a new password, to be told to the person and changed by them; their sessions end."""
    password = _one_time()
    give_temporary_password(person=person, password=password, actor=actor, reason=reason)
    return password


def give_temporary_password(*, person: User, password: str, actor: Actor, reason: str) -> AuditEvent:
    """Set a password that the user has to change when they sign in; their sessions end."""

    def change() -> None:
        person.set_password(password)
        person.save(update_fields=["password"])
        OneTimePassword.objects.update_or_create(person=person, defaults={"set_at": timezone.now()})
        sessions.end_all(person)

    return _append(PASSWORD, person, change, actor=actor, reason=reason)


def reset_factors(*, person: User, actor: Actor, reason: str) -> AuditEvent:
    """Removes every second factor of a person, who has lost theirs, and ends their sessions."""

    def change() -> None:
        Authenticator.objects.filter(user=person).delete()
        sessions.end_all(person)

    return _append(RESET, person, change, actor=actor, reason=reason)


def untie(*, person: User, actor: Actor, reason: str) -> AuditEvent:
    """Lets a person in by single sign-on no more, and ends their sessions. Whoever comes by it is somebody new."""

    def change() -> None:
        SocialAccount.objects.filter(user=person).delete()
        sessions.end_all(person)

    return _append(UNTIE, person, change, actor=actor, reason=reason)


def ties_of(person: User) -> list[str]:
    """What a person is known by at the provider of single sign-on: `iss` and `sub`."""
    return list(SocialAccount.objects.filter(user=person).order_by("pk").values_list("uid", flat=True))


def state_of(person: User) -> dict[str, Any]:
    """What the log keeps of a person: whether they may sign in, their roles, their second factors, their single
    sign-on."""
    roles = person.groups.filter(name__in=ROLES).order_by("name").values_list("name", flat=True)
    factors = sorted(Authenticator.objects.filter(user=person).values_list("type", flat=True))
    on_accounts = AccountRole.objects.filter(person=person, role__name__in=ROLES).select_related("role")
    return {
        "active": person.is_active,
        "role": ", ".join(roles) or "none",
        **{f"role on {one.account_sid}": one.role.name for one in on_accounts.order_by("account_sid")},
        "second factors": ", ".join(factors) or "none",
        "single sign-on": ", ".join(ties_of(person)) or "none",
        **outside_rights_of(person),
    }


def remove_outside_rights(*, person: User, actor: Actor, reason: str) -> AuditEvent:
    """Take away what a user was given outside this dashboard."""

    def change() -> None:
        User.objects.filter(pk=person.pk).update(is_superuser=False, is_staff=False)
        person.refresh_from_db()
        person.user_permissions.clear()
        person.groups.remove(*person.groups.exclude(name__in=ROLES))
        AccountRole.objects.filter(person=person).exclude(role__name__in=ROLES).delete()
        OutsideRights.objects.filter(person=person).delete()

    return _append(REMOVE_RIGHTS, person, change, actor=actor, reason=reason)


def adopt_superusers(*, superusers: QuerySet[User], actor: Actor, reason: str) -> list[User]:
    """Make those of these superusers who can sign in administrators, if no administrator can; return them."""
    if _admins().exists():
        return []
    adopted = list(_able_to_sign_in(superusers))
    for person in adopted:
        on_accounts = AccountRole.objects.filter(person=person, role__name__in=ROLES)
        roles = dict(on_accounts.values_list("account_sid", "role__name"))
        _append(ROLE, person, partial(_give, person, ADMIN, roles), actor=actor, reason=reason)
    return adopted


def _one_time() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _give(person: User, role: str, on_accounts: dict[str, str]) -> None:
    person.groups.set(Group.objects.filter(name=role))
    AccountRole.objects.filter(person=person).delete()
    groups = {group.name: group for group in Group.objects.filter(name__in=ROLES)}
    AccountRole.objects.bulk_create(
        AccountRole(person=person, account_sid=sid, role=groups[one])
        for sid, one in on_accounts.items()
        if one
    )


def _append(
    action: str, person: User, change: Callable[[], None], *, actor: Actor, reason: str, is_new: bool = False
) -> AuditEvent:
    def changed() -> Payload:
        had_admin = _admins().exists()
        before = None if is_new else state_of(person)
        change()
        if had_admin and not _admins().exists():
            raise LastAdmin
        return Payload(friendly_name=person.get_username(), before=before, after=state_of(person))

    try:
        return audit_log.append(
            action=action,
            stage=Stage.ACCESS,
            result=Result.SUCCEEDED,
            actor=actor,
            account_sid="",  # a person is of the whole site
            reason=reason,
            payload=changed,
        )
    except LastAdmin:
        person.refresh_from_db()
        raise


def _admins() -> QuerySet[User]:
    """The administrators who can get in."""
    return _able_to_sign_in(User.objects.filter(groups__name=ADMIN))


def _able_to_sign_in(users: QuerySet[User]) -> QuerySet[User]:
    """Those of the users who can get in: by a password that has not run out, or by single sign-on where the site has
    it."""
    has_password = ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX) & ~Q(password__in=[""])
    has_password &= ~Q(pk__in=OneTimePassword.over().values("person"))
    return users.filter(has_password | Q(pk__in=_users_of_single_sign_on(users)), is_active=True)


def _users_of_single_sign_on(users: QuerySet[User]) -> list[int]:
    """The ids of those users whom the configured provider lets in. Compared here: a database's LIKE may fold case, and
    another provider's name may begin with this one's."""
    issuer = issuer_of(settings.SOCIALACCOUNT_PROVIDERS)
    if not issuer:
        return []
    known = SocialAccount.objects.filter(provider=PROVIDER_ID, user__in=users.values("pk"))
    return [pk for pk, tie in known.values_list("user_id", "uid") if is_tie_of(issuer, tie)]
