"""Actions of user management."""

from __future__ import annotations

from flows.audit.action_registry import Action


class UserAction(Action):
    CREATE = "people.create", "Added a user", "Add a user"
    ACTIVATE = "people.activate", "Activated a user", "Activate a user"
    DEACTIVATE = "people.deactivate", "Deactivated a user", "Deactivate a user"
    SET_ROLES = "people.role", "Changed a user's role", "Change a user's role"
    SET_PASSWORD = "people.password", "Set a temporary password", "Set a temporary password"
    RESET_FACTORS = "people.mfa_reset", "Reset a user's 2FA", "Reset a user's 2FA"
    UNLINK_SSO = (
        "people.sso_remove",
        "Removed a user's single sign-on",
        "Remove a user's single sign-on",
    )
    FIND_RIGHTS = (
        "people.rights_found",
        "Found external permissions",
        "Find external permissions",
    )
    REMOVE_RIGHTS = (
        "people.rights_remove",
        "Removed external permissions",
        "Remove external permissions",
    )
    CREATE_TOKEN = "people.token_create", "Created an API token", "Create an API token"
    REVOKE_TOKEN = "people.token_revoke", "Revoked an API token", "Revoke an API token"
    USE_TOKEN = "people.token_use", "Used an API token", "Use an API token"
