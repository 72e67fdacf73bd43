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
from flexadmin.signin.oidc_settings import PROVIDER_ID, configured_issuer, is_uid_of_issuer
from flexadmin.users.roles import ROLES, find_outside_rights
from flows.audit import audit_log
from flows.audit.audit_log import Actor, Payload
from flows.audit.models import AuditEvent, Result, Stage

CREATE: Final = "people.create"
SET_ROLES: Final = "people.role"
ACTIVATE: Final = "people.activate"
DEACTIVATE: Final = "people.deactivate"
SET_PASSWORD: Final = "people.password"  # noqa: S105 - an action's name
RESET_FACTORS: Final = "people.mfa_reset"
UNLINK_SSO: Final = "people.sso_remove"
REMOVE_RIGHTS: Final = "people.rights_remove"
ADMIN_ROLE: Final = "admin"


class LastAdmin(Exception):
    """Without this person nobody could say who gets in."""


def create_user(
    *, name: str, password: str, role: str, on_accounts: list[str], actor: Actor, reason: str = ""
) -> User:
    """Adds a person with a role on every account, or on those accounts alone. `NotRecorded`: nobody was added."""
    person = User(username=name)
    person.set_password(password)

    def change() -> None:
        person.save()
        _assign_roles(person, "" if on_accounts else role, dict.fromkeys(on_accounts, role))

    _append_event(CREATE, person, change, actor=actor, reason=reason, is_new=True)
    return person


def invite_user(
    *, name: str, role: str, on_accounts: dict[str, str], actor: Actor, reason: str
) -> tuple[User, str]:
    """Adds a person with these roles and a one-time password, which is given back. `NotRecorded`: nobody was added."""
    person, password = User(username=name), _generate_password()
    person.set_password(password)

    def change() -> None:
        person.save()
        _assign_roles(person, role, on_accounts)
        OneTimePassword.objects.create(person=person)

    _append_event(CREATE, person, change, actor=actor, reason=reason, is_new=True)
    return person, password


def set_roles(
    *, person: User, role: str, on_accounts: dict[str, str], actor: Actor, reason: str
) -> AuditEvent:
    """Gives a role on every account (empty: none), and on single ones. It holds from the next request."""
    return _append_event(
        SET_ROLES,
        person,
        lambda: _assign_roles(person, role, on_accounts),
        actor=actor,
        reason=reason,
    )


def set_active(*, person: User, is_active: bool, actor: Actor, reason: str) -> AuditEvent:
    """Let a user sign in, or no more: their sessions and pending sign-ins end for good."""

    def change() -> None:
        person.is_active = is_active
        person.save(update_fields=["is_active"])
        if not is_active:
            sessions.end_all(person)

    return _append_event(
        ACTIVATE if is_active else DEACTIVATE, person, change, actor=actor, reason=reason
    )


def generate_temporary_password(*, person: User, actor: Actor, reason: str) -> str:
    """Gives a new password, to be told to the person and changed by them; their sessions end."""
    password = _generate_password()
    set_temporary_password(person=person, password=password, actor=actor, reason=reason)
    return password


def set_temporary_password(*, person: User, password: str, actor: Actor, reason: str) -> AuditEvent:
    """Set a password that the user has to change when they sign in; their sessions end."""

    def change() -> None:
        person.set_password(password)
        person.save(update_fields=["password"])
        OneTimePassword.objects.update_or_create(person=person, defaults={"set_at": timezone.now()})
        sessions.end_all(person)

    return _append_event(SET_PASSWORD, person, change, actor=actor, reason=reason)


def reset_factors(*, person: User, actor: Actor, reason: str) -> AuditEvent:
    """Removes every second factor of a person, who has lost theirs, and ends their sessions."""

    def change() -> None:
        Authenticator.objects.filter(user=person).delete()
        sessions.end_all(person)

    return _append_event(RESET_FACTORS, person, change, actor=actor, reason=reason)


def unlink_sso(*, person: User, actor: Actor, reason: str) -> AuditEvent:
    """Lets a person in by single sign-on no more, and ends their sessions. Whoever comes by it is somebody new."""

    def change() -> None:
        SocialAccount.objects.filter(user=person).delete()
        sessions.end_all(person)

    return _append_event(UNLINK_SSO, person, change, actor=actor, reason=reason)


def sso_identities(person: User) -> list[str]:
    """What a person is known by at the provider of single sign-on: `iss` and `sub`."""
    return list(
        SocialAccount.objects.filter(user=person).order_by("pk").values_list("uid", flat=True)
    )


def snapshot_user(person: User) -> dict[str, Any]:
    """What the log keeps of a person: whether they may sign in, their roles, their second factors, their single
    sign-on."""
    roles = person.groups.filter(name__in=ROLES).order_by("name").values_list("name", flat=True)
    factors = sorted(Authenticator.objects.filter(user=person).values_list("type", flat=True))
    on_accounts = AccountRole.objects.filter(person=person, role__name__in=ROLES).select_related(
        "role"
    )
    return {
        "active": person.is_active,
        "role": ", ".join(roles) or "none",
        **{
            f"role on {one.account_sid}": one.role.name
            for one in on_accounts.order_by("account_sid")
        },
        "second factors": ", ".join(factors) or "none",
        "single sign-on": ", ".join(sso_identities(person)) or "none",
        **find_outside_rights(person),
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

    return _append_event(REMOVE_RIGHTS, person, change, actor=actor, reason=reason)


def promote_superusers(*, superusers: QuerySet[User], actor: Actor, reason: str) -> list[User]:
    """Make those of these superusers who can sign in administrators, if no administrator can; return them."""
    if _active_admins().exists():
        return []
    adopted = list(_filter_can_sign_in(superusers))
    for person in adopted:
        on_accounts = AccountRole.objects.filter(person=person, role__name__in=ROLES)
        roles = dict(on_accounts.values_list("account_sid", "role__name"))
        _append_event(
            SET_ROLES,
            person,
            partial(_assign_roles, person, ADMIN_ROLE, roles),
            actor=actor,
            reason=reason,
        )
    return adopted


def _generate_password() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _assign_roles(person: User, role: str, on_accounts: dict[str, str]) -> None:
    person.groups.set(Group.objects.filter(name=role))
    AccountRole.objects.filter(person=person).delete()
    groups = {group.name: group for group in Group.objects.filter(name__in=ROLES)}
    AccountRole.objects.bulk_create(
        AccountRole(person=person, account_sid=sid, role=groups[one])
        for sid, one in on_accounts.items()
        if one
    )


def _append_event(
    action: str,
    person: User,
    change: Callable[[], None],
    *,
    actor: Actor,
    reason: str,
    is_new: bool = False,
) -> AuditEvent:
    def changed() -> Payload:
        had_admin = _active_admins().exists()
        before = None if is_new else snapshot_user(person)
        change()
        if had_admin and not _active_admins().exists():
            raise LastAdmin
        return Payload(
            friendly_name=person.get_username(), before=before, after=snapshot_user(person)
        )

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


def _active_admins() -> QuerySet[User]:
    """The administrators who can get in."""
    return _filter_can_sign_in(User.objects.filter(groups__name=ADMIN_ROLE))


def _filter_can_sign_in(users: QuerySet[User]) -> QuerySet[User]:
    """Those of the users who can get in: by a password that has not run out, or by single sign-on where the site has
    it."""
    has_password = ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX) & ~Q(password__in=[""])
    has_password &= ~Q(pk__in=OneTimePassword.over().values("person"))
    return users.filter(has_password | Q(pk__in=_sso_user_ids(users)), is_active=True)


def _sso_user_ids(users: QuerySet[User]) -> list[int]:
    """The ids of those users whom the configured provider lets in. Compared here: a database's LIKE may fold case, and
    another provider's name may begin with this one's."""
    issuer = configured_issuer(settings.SOCIALACCOUNT_PROVIDERS)
    if not issuer:
        return []
    known = SocialAccount.objects.filter(provider=PROVIDER_ID, user__in=users.values("pk"))
    return [pk for pk, tie in known.values_list("user_id", "uid") if is_uid_of_issuer(issuer, tie)]
