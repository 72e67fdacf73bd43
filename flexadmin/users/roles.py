"""The four roles: groups with Django permissions, made after each migration. A person has one role on every account
(a group), or one on single accounts (`AccountRole`); `user.has_perm(permission, account_sid)` asks about one account,
`user.has_perm(permission)` whether there is any.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from django.apps import apps
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission

from flexadmin.models import AccountRole, SiteUser
from flows.accounts import twilio_accounts

READ = ("view_flow", "view_auditevent")
CHANGE = ("add_flow", "change_flow", "delete_flow")
EXPORT = ("export_auditevent",)
SET_READ_ONLY = ("close_account",)
MANAGE_USERS = ("manage_people",)  # asked for on every account: who has it there can give any role

ROLES: Final[dict[str, tuple[str, ...]]] = {
    "viewer": READ,
    "operator": (*READ, *CHANGE),
    "auditor": (*READ, *EXPORT),
    "admin": (*READ, *CHANGE, *EXPORT, *SET_READ_ONLY, *MANAGE_USERS),
}

AnyUser = AbstractBaseUser | AnonymousUser
PermissionsByAccount = dict[
    str, set[str]
]  # permissions by account SID, accounts.EVERY for those that hold everywhere


class RolesBackend(ModelBackend):
    """Django's own, with the rights of a user's roles alone: neither the superuser flag nor permissions and groups
    given outside this dashboard count."""

    def authenticate(self, request: Any, *args: Any, **kwargs: Any) -> SiteUser | None:
        user = super().authenticate(request, *args, **kwargs)
        found = get_site_user(user.pk) if user else None
        return found if user and found and found.password == user.password else None

    def get_user(self, user_id: int) -> SiteUser | None:
        user = get_site_user(user_id)
        return user if user and self.user_can_authenticate(user) else None

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """`obj` is an account's SID, or `accounts.EVERY`: on each of them, also one that the site has no more."""
        if not user_obj.is_active or user_obj.is_anonymous:
            return False
        return perm in self._on(user_obj, obj)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return (
            self._on(user_obj, obj) if user_obj.is_active and not user_obj.is_anonymous else set()
        )

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(one.startswith(f"{app_label}.") for one in self.get_all_permissions(user_obj))

    def _on(self, user: Any, account_sid: str | None) -> set[str]:
        granted = self._granted(user)
        if account_sid is None:
            return set().union(*granted.values())
        return granted.get(twilio_accounts.ALL_ACCOUNTS, set()) | granted.get(account_sid, set())

    def _granted(self, user: Any) -> PermissionsByAccount:
        """Asked for once a request: a person is read anew with each."""
        found: PermissionsByAccount | None = getattr(user, "_granted", None)
        if found is None:
            found = user._granted = get_permissions_by_account(user)
        return found


def get_site_user(user_id: int) -> SiteUser | None:
    """The user with this id as the site knows them, with what their sessions are checked against."""
    return SiteUser.objects.select_related("ended_sessions").filter(pk=user_id).first()


def get_permissions_by_account(user: Any) -> PermissionsByAccount:
    """Permissions by account, from the roles and the table above."""
    found: PermissionsByAccount = defaultdict(set)
    for name in Group.objects.filter(user=user, name__in=ROLES).values_list("name", flat=True):
        found[twilio_accounts.ALL_ACCOUNTS] |= get_role_permissions(name)
    on_accounts = AccountRole.objects.filter(person=user, role__name__in=ROLES)
    for account_sid, name in on_accounts.values_list("account_sid", "role__name"):
        found[account_sid] |= get_role_permissions(name)
    return found


def get_role_permissions(role: str) -> set[str]:
    """A role's permissions, as Django names them: app.codename."""
    return {
        f"{'flexadmin' if codename in MANAGE_USERS else 'flows'}.{codename}"
        for codename in ROLES[role]
    }


def find_outside_rights(person: Any) -> dict[str, str]:
    """What a user was given outside this dashboard, by kind; it has no effect here. Empty: nothing."""
    direct = person.user_permissions.select_related("content_type").order_by(
        "content_type__app_label", "codename"
    )
    permissions = [f"{one.content_type.app_label}.{one.codename}" for one in direct]
    groups = list(
        person.groups.exclude(name__in=ROLES).order_by("name").values_list("name", flat=True)
    )
    on_accounts = AccountRole.objects.filter(person=person).exclude(role__name__in=ROLES)
    groups += [
        f"{one.role.name} on {one.account_sid}" for one in on_accounts.select_related("role")
    ]
    found = {
        "superuser flag": "set" if person.is_superuser else "",
        "staff flag": "set" if person.is_staff else "",
        "direct permissions": ", ".join(permissions),
        "other groups": ", ".join(groups),
    }
    return {name: value for name, value in found.items() if value}


def get_scope(user: Any, permission: str) -> twilio_accounts.Scope:
    """The accounts where the person may do that; None: everywhere, whatever the account."""
    if user.has_perm(permission, twilio_accounts.ALL_ACCOUNTS):
        return None
    known = {account.sid for account in twilio_accounts.all_accounts()} | {
        row.account_sid for row in AccountRole.objects.filter(person=user)
    }
    return frozenset(sid for sid in known if user.has_perm(permission, sid))


def after_migrate(*, using: str = "default", **_signal: Any) -> None:
    """Make the roles' groups. Django makes an app's permissions in a handler that may come after this one."""
    for label in ("flows", "flexadmin"):
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    ensure_groups()


def ensure_groups() -> None:
    """Give each role's group exactly the permissions of the table, for whoever looks at the groups."""
    for role, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(
            Permission.objects.filter(
                content_type__app_label__in=("flows", "flexadmin"), codename__in=codenames
            )
        )


def get_role(user: AnyUser, account_sid: str = "") -> str:
    """The person's role on that account (or on every one), for the record; the empty string if there is none."""
    names = set(
        Group.objects.filter(user__pk=user.pk or 0, name__in=ROLES).values_list("name", flat=True)
    )
    on_accounts = AccountRole.objects.filter(person_id=user.pk or 0, role__name__in=ROLES)
    on_accounts = on_accounts.select_related("role")
    names |= {one.role.name for one in on_accounts if account_sid in ("", one.account_sid)}
    return ",".join(sorted(names))
