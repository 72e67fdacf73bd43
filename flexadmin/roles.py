"""The four roles: groups with Django permissions, made after each migration. A person has one role."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group, Permission

READ = ("view_flow", "view_auditevent")
CHANGE = ("add_flow", "change_flow", "delete_flow")
EXPORT = ("export_auditevent",)

ROLES: Final[dict[str, tuple[str, ...]]] = {
    "viewer": READ,
    "operator": (*READ, *CHANGE),
    "auditor": (*READ, *EXPORT),
    "admin": (*READ, *CHANGE, *EXPORT),
}


def ensure_groups(**_signal: Any) -> None:
    """Gives each role's group exactly the permissions of the table. Runs after every migrate."""
    for role, codenames in ROLES.items():
        group, _ = Group.objects.get_or_create(name=role)
        group.permissions.set(
            Permission.objects.filter(content_type__app_label="flows", codename__in=codenames)
        )


def role_of(user: AbstractBaseUser | AnonymousUser) -> str:
    """The person's role, for the record; the empty string if there is none."""
    names = list(Group.objects.filter(user__pk=user.pk or 0, name__in=ROLES).values_list("name", flat=True))
    return ",".join(sorted(names))
