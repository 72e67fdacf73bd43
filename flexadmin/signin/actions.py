"""Actions of signing in and out, and of a user's own account."""

from __future__ import annotations

from flows.audit.action_registry import Action


class SigninAction(Action):
    LOGIN = "auth.login", "Signed in", "Sign in"
    LOGOUT = "auth.logout", "Signed out", "Sign out"
    LOCKOUT = "auth.lockout", "Locked out", "Lock out"
    CHANGE_PASSWORD = "auth.password_change", "Changed password", "Change password"
    REAUTHENTICATE = "auth.confirm", "Confirmed identity", "Confirm identity"
    CHANGE_PROFILE = "auth.profile", "Changed own name or e-mail", "Change own name or e-mail"
    ADD_FACTOR = "auth.mfa_add", "Added a 2FA method", "Add a 2FA method"
    REMOVE_FACTOR = "auth.mfa_remove", "Removed a 2FA method", "Remove a 2FA method"
    END_SESSION = "auth.session_end", "Signed out of one session", "Sign out of one session"
    END_SESSIONS = (
        "auth.sessions_end",
        "Signed out of other sessions",
        "Sign out of other sessions",
    )
