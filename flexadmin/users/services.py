"""Changes that an administrator makes to users.

Each change and its audit event are one transaction, under the log's lock. At least one
administrator who can sign in remains. Each function raises `NotRecorded` if the event can't be
written; nothing is changed then. Changes of roles and access take effect on the next request.
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

from flexadmin.models import AccountRole, ApiToken, OneTimePassword, OutsideRights
from flexadmin.signin import sessions
from flexadmin.signin.oidc_settings import PROVIDER_ID, configured_issuer, is_uid_of_issuer
from flexadmin.users.actions import UserAction
from flexadmin.users.api_tokens import revoke_tokens
from flexadmin.users.roles import ROLES, find_outside_rights
from flows.approvals.validity import review_requests_of
from flows.audit import audit_log
from flows.audit.audit_log import Actor, LogTransaction, Payload
from flows.audit.models import AuditEvent, Result, Stage
from flows.redaction.redacted import redact_fields

ADMIN_ROLE: Final = "admin"


class LastAdmin(Exception):
    """The change would leave no administrator who can sign in."""


def create_user(
    *, name: str, password: str, role: str, on_accounts: list[str], actor: Actor, reason: str = ""
) -> User:
    """Create a user with a role on the given accounts, or on every account if none is given."""
    person = User(username=name)
    person.set_password(password)

    def change() -> None:
        person.save()
        _assign_roles(person, "" if on_accounts else role, dict.fromkeys(on_accounts, role))

    _append_event(UserAction.CREATE, person, change, actor=actor, reason=reason, is_new=True)
    return person


def invite_user(
    *, name: str, role: str, on_accounts: dict[str, str], actor: Actor, reason: str
) -> tuple[User, str]:
    """Create a user with a temporary password; return the user and the password.

    `role` is the role on every account or "", `on_accounts` the roles by account SID.
    """
    person, password = User(username=name), _generate_password()
    person.set_password(password)

    def change() -> None:
        person.save()
        _assign_roles(person, role, on_accounts)
        OneTimePassword.objects.create(person=person)

    _append_event(UserAction.CREATE, person, change, actor=actor, reason=reason, is_new=True)
    return person, password


def set_roles(
    *, person: User, role: str, on_accounts: dict[str, str], actor: Actor, reason: str
) -> AuditEvent:
    """Replace a user's role on every account ("" for none) and their roles by account SID."""
    return _append_event(
        UserAction.SET_ROLES,
        person,
        lambda: _assign_roles(person, role, on_accounts),
        actor=actor,
        reason=reason,
    )


def set_active(*, person: User, is_active: bool, actor: Actor, reason: str) -> AuditEvent:
    """Activate or deactivate a user. Deactivation ends their sessions and revokes their API tokens."""

    def change() -> None:
        person.is_active = is_active
        person.save(update_fields=["is_active"])
        if not is_active:
            sessions.end_all(person)

    def revoke(log: LogTransaction) -> None:
        if not is_active:
            revoke_tokens(log, ApiToken.objects.filter(person=person), actor=actor, reason=reason)

    return _append_event(
        UserAction.ACTIVATE if is_active else UserAction.DEACTIVATE,
        person,
        change,
        actor=actor,
        reason=reason,
        follow_up=revoke,
    )


def revoke_all_tokens(*, person: User, actor: Actor, reason: str) -> None:
    """Revoke every API token of a user. Raise `NotRecorded`; they work then."""
    with audit_log.transaction() as log:
        revoke_tokens(log, ApiToken.objects.filter(person=person), actor=actor, reason=reason)


def generate_temporary_password(*, person: User, actor: Actor, reason: str) -> str:
    """Set a random temporary password and return it. The user's sessions end."""
    password = _generate_password()
    set_temporary_password(person=person, password=password, actor=actor, reason=reason)
    return password


def set_temporary_password(*, person: User, password: str, actor: Actor, reason: str) -> AuditEvent:
    """Set a password that the user must change at sign-in. Their sessions end."""

    def change() -> None:
        person.set_password(password)
        person.save(update_fields=["password"])
        OneTimePassword.objects.update_or_create(person=person, defaults={"set_at": timezone.now()})
        sessions.end_all(person)

    return _append_event(UserAction.SET_PASSWORD, person, change, actor=actor, reason=reason)


def reset_factors(*, person: User, actor: Actor, reason: str) -> AuditEvent:
    """Remove every second factor of a user and end their sessions."""

    def change() -> None:
        Authenticator.objects.filter(user=person).delete()
        sessions.end_all(person)

    return _append_event(UserAction.RESET_FACTORS, person, change, actor=actor, reason=reason)


def unlink_sso(*, person: User, actor: Actor, reason: str) -> AuditEvent:
    """Remove a user's SSO identity and end their sessions.

    The same SSO identity becomes a new user at its next sign-in.
    """

    def change() -> None:
        SocialAccount.objects.filter(user=person).delete()
        sessions.end_all(person)

    return _append_event(UserAction.UNLINK_SSO, person, change, actor=actor, reason=reason)


def sso_identities(person: User) -> list[str]:
    """Return the user's SSO identities, each as `iss` and `sub` of the provider."""
    return list(
        SocialAccount.objects.filter(user=person).order_by("pk").values_list("uid", flat=True)
    )


def snapshot_user(person: User) -> dict[str, Any]:
    """Return the state of a user for the audit log: status, roles, factors, SSO identities."""
    roles = person.groups.filter(name__in=ROLES).order_by("name").values_list("name", flat=True)
    factors = sorted(Authenticator.objects.filter(user=person).values_list("type", flat=True))
    account_roles = AccountRole.objects.filter(person=person, role__name__in=ROLES)
    account_roles = account_roles.select_related("role").order_by("account_sid")
    return {
        "active": person.is_active,
        "role": ", ".join(roles) or "none",
        **{f"role on {one.account_sid}": one.role.name for one in account_roles},
        "second factors": ", ".join(factors) or "none",
        "single sign-on": ", ".join(sso_identities(person)) or "none",
        **find_outside_rights(person),
    }


def remove_outside_rights(*, person: User, actor: Actor, reason: str) -> AuditEvent:
    """Remove the rights that a user was granted outside this dashboard."""

    def change() -> None:
        User.objects.filter(pk=person.pk).update(is_superuser=False, is_staff=False)
        person.refresh_from_db()
        person.user_permissions.clear()
        person.groups.remove(*person.groups.exclude(name__in=ROLES))
        AccountRole.objects.filter(person=person).exclude(role__name__in=ROLES).delete()
        OutsideRights.objects.filter(person=person).delete()

    return _append_event(UserAction.REMOVE_RIGHTS, person, change, actor=actor, reason=reason)


def promote_superusers(*, superusers: QuerySet[User], actor: Actor, reason: str) -> list[User]:
    """Make superusers administrators if no administrator can sign in; return those promoted.

    Superusers who can't sign in themselves are omitted.
    """
    if _active_admins().exists():
        return []
    promoted = list(_filter_can_sign_in(superusers))
    for person in promoted:
        on_accounts = AccountRole.objects.filter(person=person, role__name__in=ROLES)
        roles = dict(on_accounts.values_list("account_sid", "role__name"))
        _append_event(
            UserAction.SET_ROLES,
            person,
            partial(_assign_roles, person, ADMIN_ROLE, roles),
            actor=actor,
            reason=reason,
        )
    return promoted


def _generate_password() -> str:
    return "-".join(secrets.token_hex(2) for _ in range(4))


def _assign_roles(person: User, role: str, on_accounts: dict[str, str]) -> None:
    person.groups.set(Group.objects.filter(name=role))
    AccountRole.objects.filter(person=person).delete()
    groups = {group.name: group for group in Group.objects.filter(name__in=ROLES)}
    AccountRole.objects.bulk_create(
        AccountRole(person=person, account_sid=sid, role=groups[name])
        for sid, name in on_accounts.items()
        if name
    )


def _append_event(
    action: str,
    person: User,
    change: Callable[[], None],
    *,
    actor: Actor,
    reason: str,
    is_new: bool = False,
    follow_up: Callable[[LogTransaction], None] | None = None,
) -> AuditEvent:
    """Make a change and append its event, with the user's state before and after.

    `follow_up` appends further events in the same transaction.

    Raises `LastAdmin` if the change would leave no administrator; nothing is changed then.
    """
    try:
        with audit_log.transaction() as log:
            had_admin = _active_admins().exists()
            before = None if is_new else snapshot_user(person)
            change()
            if had_admin and not _active_admins().exists():
                raise LastAdmin
            name, after = person.get_username(), snapshot_user(person)
            event = log.append(
                action=action,
                stage=Stage.ACCESS,
                result=Result.SUCCEEDED,
                actor=actor,
                account_sid="",  # users belong to the site, not to an account
                reason=reason,
                payload=Payload(
                    friendly_name=name, before=redact_fields(before), after=redact_fields(after)
                ),
            )
            if follow_up is not None:
                follow_up(log)
    except LastAdmin:
        person.refresh_from_db()
        raise
    # Approvals of a user who lost the role are void. Sending checks that again.
    review_requests_of(str(person.pk))
    return event


def _active_admins() -> QuerySet[User]:
    """Return the administrators who can sign in."""
    return _filter_can_sign_in(User.objects.filter(groups__name=ADMIN_ROLE))


def _filter_can_sign_in(users: QuerySet[User]) -> QuerySet[User]:
    """Filter users for those who can sign in: by a valid password or by single sign-on."""
    has_password = ~Q(password__startswith=UNUSABLE_PASSWORD_PREFIX) & ~Q(password__in=[""])
    has_password &= ~Q(pk__in=OneTimePassword.expired().values("person"))
    return users.filter(has_password | Q(pk__in=_sso_user_ids(users)), is_active=True)


def _sso_user_ids(users: QuerySet[User]) -> list[int]:
    """Return the ids of the users who have an identity at the configured provider.

    Issuers are compared in Python. A database's LIKE may ignore case, and one issuer's name may be
    the prefix of another's.
    """
    issuer = configured_issuer(settings.SOCIALACCOUNT_PROVIDERS)
    if not issuer:
        return []
    identities = SocialAccount.objects.filter(provider=PROVIDER_ID, user__in=users.values("pk"))
    rows = identities.values_list("user_id", "uid")
    return [user_id for user_id, uid in rows if is_uid_of_issuer(issuer, uid)]
