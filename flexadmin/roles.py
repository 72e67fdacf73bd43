"""The four roles: groups with Django permissions, made after each migration. A person has one role on every account
(a group), or one on single accounts (`AccountRole`); `user.has_perm(permission, account_sid)` asks about one account,
`user.has_perm(permission)` whether there is any.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission
from django.db.models import Q

from flexadmin.models import AccountRole
from flows import accounts

READ = ("view_flow", "view_auditevent")
CHANGE = ("add_flow", "change_flow", "delete_flow")
EXPORT = ("export_auditevent",)
CLOSE = ("close_account",)
PEOPLE = ("manage_people",)  # asked for on every account: who has it there can give any role

ROLES: Final[dict[str, tuple[str, ...]]] = {
    "viewer": READ,
    "operator": (*READ, *CHANGE),
    "auditor": (*READ, *EXPORT),
    "admin": (*READ, *CHANGE, *EXPORT, *CLOSE, *PEOPLE),
}

Person = AbstractBaseUser | AnonymousUser
Granted = dict[str, set[str]]  # permissions by account SID, accounts.EVERY for those that hold everywhere


class RolesBackend(ModelBackend):
    """Django's own, with permissions that can hold on one account."""

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """`obj` is an account's SID, or `accounts.EVERY`: on each of them, also one that the site has no more."""
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        return perm in self._on(user_obj, obj)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return self._on(user_obj, obj) if user_obj.is_active and not user_obj.is_anonymous else set()

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(one.startswith(f"{app_label}.") for one in self.get_all_permissions(user_obj))

    def _on(self, user: Any, account_sid: str | None) -> set[str]:
        granted = self._granted(user)
        if account_sid is None:
            return set().union(*granted.values())
        return granted.get(accounts.EVERY, set()) | granted.get(account_sid, set())

    def _granted(self, user: Any) -> Granted:
        """Asked for once a request: a person is read anew with each."""
        found: Granted | None = getattr(user, "_granted", None)
        if found is None:
            found = user._granted = granted_to(user)
        return found


def granted_to(user: Any) -> Granted:
    """What the person may do, by account."""
    found: Granted = defaultdict(set)
    everywhere = Permission.objects.filter(Q(group__user=user) | Q(user=user))
    for app, codename in everywhere.values_list("content_type__app_label", "codename"):
        found[accounts.EVERY].add(f"{app}.{codename}")
    on_accounts = AccountRole.objects.filter(person=user).values_list(
        "account_sid", "role__permissions__content_type__app_label", "role__permissions__codename"
    )
    for account_sid, app, codename in on_accounts:
        found[account_sid].add(f"{app}.{codename}")
    return found


def scope_of(user: Any, permission: str) -> accounts.Scope:
    """The accounts where the person may do that; None: everywhere, whatever the account."""
    if user.has_perm(permission, accounts.EVERY):
        return None
    known = {account.sid for account in accounts.every()} | {
        row.account_sid for row in AccountRole.objects.filter(person=user)
    }
    return frozenset(sid for sid in known if user.has_perm(permission, sid))


def ensure_groups(**_signal: Any) -> None:
    """Gives each role's group exactly the permissions of the table. Runs after every migrate."""
    for role, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(
            Permission.objects.filter(
                content_type__app_label__in=("flows", "flexadmin"), codename__in=codenames
            )
        )


def role_of(user: Person, account_sid: str = "") -> str:
    """The person's role on that account (or on every one), for the record; the empty string if there is none."""
    names = set(Group.objects.filter(user__pk=user.pk or 0, name__in=ROLES).values_list("name", flat=True))
    on_accounts = AccountRole.objects.filter(person_id=user.pk or 0).select_related("role")
    names |= {one.role.name for one in on_accounts if account_sid in ("", one.account_sid)}
    return ",".join(sorted(names))
