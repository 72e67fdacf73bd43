"""The four roles and the permissions that they grant.

A role is a Django group, created after each migration. A user has a role on every account (the
group) or on single accounts (`AccountRole`). `user.has_perm(permission, account_sid)` checks one
account, `user.has_perm(permission)` any account.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from django.apps import apps
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db.models import F, QuerySet, Value

from flexadmin.models import AccountRole, SiteUser, TokenLimits
from flows.accounts import twilio_accounts
from flows.core.prepared_queries import PreparedQuery
from flows.resources.models import ResourceRefusal
from flows.twilio.description import READ_OPERATIONS
from flows.twilio.flex_resources import FLEX_RESOURCES

VIEW_RESOURCES = tuple(f"view_{resource.name}" for resource in FLEX_RESOURCES)
CHANGE_RESOURCES = tuple(
    f"change_{resource.name}"
    for resource in FLEX_RESOURCES
    if not resource.operations <= READ_OPERATIONS and not resource.is_for_administrators
)
CHANGE_ADMIN_RESOURCES = tuple(
    f"change_{resource.name}" for resource in FLEX_RESOURCES if resource.is_for_administrators
)
READ = ("view_flow", "view_auditevent", *VIEW_RESOURCES)
CHANGE = ("add_flow", "change_flow", "delete_flow", *CHANGE_RESOURCES)
EXPORT = ("export_auditevent",)
SET_READ_ONLY = ("close_account",)
SET_POLICY = ("set_policy", "bypass_policy")
ERASE = ("erase_auditevent",)  # required on every account, because the search covers all of them
MANAGE_NOTIFICATIONS = ("manage_subscription",)  # on every account: they are the site's
MANAGE_USERS = ("manage_people",)  # required on every account, because it allows any role

ROLES: Final[dict[str, tuple[str, ...]]] = {
    "viewer": READ,
    "operator": (*READ, *CHANGE),
    "auditor": (*READ, *EXPORT),
    "admin": (
        *READ,
        *CHANGE,
        *CHANGE_ADMIN_RESOURCES,
        *EXPORT,
        *SET_READ_ONLY,
        *SET_POLICY,
        *ERASE,
        *MANAGE_NOTIFICATIONS,
        *MANAGE_USERS,
    ),
}

# What an API token that only reads may do, if its user may.
READ_PERMISSIONS: Final = frozenset(f"flows.{codename}" for codename in (*READ, *EXPORT))

# What each role allows, for the forms that give it.
ROLE_DESCRIPTIONS: Final = {
    "viewer": "sees flows, the Flex API and the audit log, and changes nothing.",
    "operator": "also creates, changes and deletes flows, addresses, channels, plugins and "
    "questionnaires.",
    "auditor": "sees what a viewer sees, and exports and verifies the audit log.",
    "admin": "does all of this, changes the Flex configuration, releases plugins, makes accounts "
    "read-only, sets their policies, erases personal data and manages notifications and users.",
}

AnyUser = AbstractBaseUser | AnonymousUser
# By account SID, or `twilio_accounts.ALL_ACCOUNTS` for those that hold on every account.
RolesByAccount = dict[str, set[str]]


class RolesBackend(ModelBackend):
    """Django's backend, restricted to the permissions of a user's roles.

    The superuser flag, and permissions and groups granted outside this dashboard, have no effect.
    """

    def authenticate(self, request: Any, *args: Any, **kwargs: Any) -> SiteUser | None:
        """Authenticate as Django does; None if the password changed meanwhile."""
        user = super().authenticate(request, *args, **kwargs)
        if user is None:
            return None
        site_user = get_site_user(user.pk)
        if site_user is None or site_user.password != user.password:
            return None
        return site_user

    def get_user(self, user_id: int) -> SiteUser | None:
        user = get_site_user(user_id)
        return user if user and self.user_can_authenticate(user) else None

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Tell whether the user has the permission on `obj`.

        `obj` is an account's SID, `ALL_ACCOUNTS`, or None for any account. `ALL_ACCOUNTS` includes
        accounts that the site no longer has.
        """
        return perm in _permissions_of(user_obj, obj)

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set(_permissions_of(user_obj, obj))

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        prefix = f"{app_label}."
        return any(name.startswith(prefix) for name in self.get_all_permissions(user_obj))


def _build_user_query() -> QuerySet[SiteUser]:
    """Return one row for each pair of a group and a role on an account of a user."""
    users = SiteUser.objects.select_related("ended_sessions", "profile", "list_preferences")
    users = users.filter(pk=0).annotate(
        group_name=F("groups__name"),
        role_account_sid=F("account_roles__account_sid"),
        role_name=F("account_roles__role__name"),
    )
    return users.order_by()


_USER_QUERY: Final = PreparedQuery(_build_user_query)


def get_site_user(user_id: int) -> SiteUser | None:
    """Return the user with this id, with what each page needs of them, in one query.

    That is the epoch that their sessions are checked against, their profile, their preferences and
    their roles.
    """
    pairs: set[tuple[str, str]] = set()
    user: SiteUser | None = None
    for user in _USER_QUERY.run(user_id):
        pairs.add((twilio_accounts.ALL_ACCOUNTS, user.group_name))  # type: ignore[attr-defined]
        pairs.add((user.role_account_sid, user.role_name))  # type: ignore[attr-defined]
    if user is not None:
        user.roles_by_account = _group_roles(pairs)
    return user


def get_roles(user: AnyUser) -> RolesByAccount:
    """Return the names of a user's roles by account, read once for each user object.

    Each request loads its own user object, and so does each flow of a bulk change.
    """
    roles: RolesByAccount | None = getattr(user, "roles_by_account", None)
    if roles is None:
        roles = _read_roles(user)
        setattr(user, "roles_by_account", roles)  # noqa: B010 - no attribute of Django's
    return roles


def _read_roles(user: AnyUser) -> RolesByAccount:
    """Return the names of a user's roles by account, with one query."""
    groups = Group.objects.filter(user__pk=user.pk or 0)
    everywhere = groups.values_list(Value(twilio_accounts.ALL_ACCOUNTS), "name")
    account_roles = AccountRole.objects.filter(person_id=user.pk or 0)
    on_accounts = account_roles.values_list("account_sid", "role__name")
    return _group_roles(everywhere.union(on_accounts))


def _group_roles(pairs: Iterable[tuple[str, str]]) -> RolesByAccount:
    """Return the roles among these pairs of an account SID and a group's name."""
    roles: RolesByAccount = defaultdict(set)
    for account_sid, name in pairs:
        if name in ROLES:
            roles[account_sid].add(name)
    return dict(roles)


def _permissions_of(user: Any, account_sid: str | None) -> frozenset[str]:
    """Return the user's permissions on an account, or without one those on any account."""
    if not user.is_active or user.is_anonymous:
        return frozenset()
    limits: TokenLimits | None = getattr(user, "token_limits", None)
    if limits is not None:
        return _permissions_of_token(user, limits, account_sid)
    names = _names_on_any_account(user) if account_sid is None else _names_on(user, account_sid)
    return _join_permissions(frozenset(names))


def _permissions_of_token(
    user: Any, limits: TokenLimits, account_sid: str | None
) -> frozenset[str]:
    """Return those of the user's permissions that the limits of their API token leave."""
    if limits.accounts is None:
        names = _names_on_any_account(user) if account_sid is None else _names_on(user, account_sid)
    elif account_sid is None:
        names = set().union(*(_names_on(user, sid) for sid in limits.accounts))
    else:
        names = _names_on(user, account_sid) if account_sid in limits.accounts else set()
    permissions = _join_permissions(frozenset(names))
    return permissions & READ_PERMISSIONS if limits.is_read_only else permissions


@functools.cache
def _join_permissions(roles: frozenset[str]) -> frozenset[str]:
    return frozenset[str]().union(*map(get_role_permissions, roles))


@functools.cache
def get_role_permissions(role: str) -> frozenset[str]:
    """Return a role's permissions as Django names them: app_label.codename."""
    return frozenset(
        f"{'flexadmin' if codename in MANAGE_USERS else 'flows'}.{codename}"
        for codename in ROLES[role]
    )


def find_outside_rights(person: Any) -> dict[str, str]:
    """Return the rights that a user was granted outside this dashboard, by kind.

    They have no effect here.
    """
    rights = {
        "superuser flag": "set" if person.is_superuser else "",
        "staff flag": "set" if person.is_staff else "",
        "direct permissions": ", ".join(_direct_permissions(person)),
        "other groups": ", ".join(_other_groups(person)),
    }
    return {kind: value for kind, value in rights.items() if value}


def _direct_permissions(person: Any) -> list[str]:
    permissions = person.user_permissions.select_related("content_type")
    permissions = permissions.order_by("content_type__app_label", "codename")
    return [f"{one.content_type.app_label}.{one.codename}" for one in permissions]


def _other_groups(person: Any) -> list[str]:
    """Return the user's groups that are no role, on every account and then on single accounts."""
    groups = person.groups.exclude(name__in=ROLES).order_by("name")
    account_groups = AccountRole.objects.filter(person=person).exclude(role__name__in=ROLES)
    account_groups = account_groups.select_related("role")
    return [
        *groups.values_list("name", flat=True),
        *(f"{one.role.name} on {one.account_sid}" for one in account_groups),
    ]


def get_scope(user: Any, permission: str) -> twilio_accounts.Scope:
    """Return the accounts where the user has the permission; None for every account."""
    if user.has_perm(permission, twilio_accounts.ALL_ACCOUNTS):
        return None
    sids = {account.sid for account in twilio_accounts.all_accounts()}
    sids |= get_roles(user).keys() - {twilio_accounts.ALL_ACCOUNTS}
    return frozenset(sid for sid in sids if user.has_perm(permission, sid))


def after_migrate(*, using: str = "default", **_signal: Any) -> None:
    """Create the roles' groups, and first their permissions.

    Django's own handler for permissions may run after this one.
    """
    for label in ("flows", "flexadmin"):
        create_permissions(apps.get_app_config(label), verbosity=0, using=using)
    create_resource_permissions()
    ensure_groups()


def create_resource_permissions() -> None:
    """Create the permissions on the resources of the Flex API, which have no models."""
    content_type = ContentType.objects.get_for_model(ResourceRefusal)
    for codename in (*VIEW_RESOURCES, *CHANGE_RESOURCES, *CHANGE_ADMIN_RESOURCES):
        verb, _, name = codename.partition("_")
        Permission.objects.get_or_create(
            content_type=content_type,
            codename=codename,
            defaults={"name": f"Can {verb} {name.replace('_', ' ')}s"},
        )


def ensure_groups() -> None:
    """Give each role's group the permissions of the table. Only readers of the groups need them."""
    our_permissions = Permission.objects.filter(content_type__app_label__in=("flows", "flexadmin"))
    for role, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(our_permissions.filter(codename__in=codenames))


def get_role(user: AnyUser, account_sid: str) -> str:
    """Return the user's role on the account, as the audit log records it.

    It includes roles on every account. Several roles are joined by commas; "" means none.
    """
    return ",".join(sorted(_names_on(user, account_sid)))


def get_role_on_any_account(user: AnyUser) -> str:
    """Return the user's roles on all accounts, in the form of `get_role`."""
    return ",".join(sorted(_names_on_any_account(user)))


def _names_on(user: AnyUser, account_sid: str) -> set[str]:
    """Return the names of the user's roles on an account, with those on every account."""
    roles = get_roles(user)
    return roles.get(twilio_accounts.ALL_ACCOUNTS, set()) | roles.get(account_sid, set())


def _names_on_any_account(user: AnyUser) -> set[str]:
    return set().union(*get_roles(user).values())
