"""Permissions of a user on one account, on any account, or on every account.

Users come from the site's authentication backend. They have Django's `has_perm(permission,
account_sid)` and three methods of this site: `role_on(account_sid)`, `role_on_any_account()` and
`scope_of(permission)`. So the product knows permissions but no roles.
"""

from __future__ import annotations

from typing import Any, Literal

from django.contrib.auth import get_backends

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Scope
from flows.twilio.resource import Resource


def has_permission(user: Any, permission: str, account_sid: str) -> bool:
    """Return True if the user has the permission on the account."""
    return bool(user.has_perm(permission, account_sid))


def has_permission_everywhere(user: Any, permission: str) -> bool:
    """Return True if the user has the permission on every account, also on removed ones."""
    return bool(user.has_perm(permission, twilio_accounts.ALL_ACCOUNTS))


def has_permission_anywhere(user: Any, permission: str) -> bool:
    """Return True if the user has the permission on at least one account."""
    return bool(user.has_perm(permission))


def scope_of(user: Any, permission: str) -> Scope:
    """Return the accounts where the user has the permission; None for every account."""
    scope: Scope = user.scope_of(permission)
    return scope


def resource_permission(resource: Resource, kind: Literal["view", "change"]) -> str:
    """Return the permission to see objects of a resource, or to create, change and delete them.

    What belongs to an object has the permissions of that object, unless it names another owner.
    """
    owner = resource.permission_owner or (resource.parent or resource).name
    return f"flows.{kind}_{owner}"


def can_decide(user: Any, resource: Resource, account_sid: str) -> bool:
    """Return True if the user may decide the unknown outcome of a change of this resource."""
    return has_permission(user, resource_permission(resource, "change"), account_sid)


def role_of(user: Any, account_sid: str) -> str:
    """Return the name of the user's role on the account for the audit log, or ""."""
    return str(user.role_on(account_sid))


def role_on_any_account(user: Any) -> str:
    """Return the names of the user's roles on all accounts for the audit log, or ""."""
    return str(user.role_on_any_account())


def active_user(user_id: str) -> Any | None:
    """Return the user from the site's backends, or None if they can no longer sign in."""
    if not user_id.isdigit():
        return None
    users = (backend.get_user(int(user_id)) for backend in get_backends())
    return next((user for user in users if user is not None), None)
