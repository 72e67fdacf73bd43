"""The changes that the pages offer: those that a user may make in an account and that can be made there just
now."""

from __future__ import annotations

from typing import Final

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission
from flows.audit.access import Request
from flows.availability import restrictions

PERMISSIONS: Final = {
    "create": "flows.add_flow",
    "update": "flows.change_flow",
    "delete": "flows.delete_flow",
}
REVERSE_OPERATIONS: Final = {"create": "delete", "update": "update", "delete": "create"}


class AvailableActions:
    """Answers for one request, with one look at what is unavailable."""

    def __init__(self, request: Request) -> None:
        self._user = request.user
        self._states: dict[str, restrictions.Availability] | None = getattr(request, "states", None)
        if self._states is None:
            self._states = request.states = restrictions.availability_by_account()
        self._configured = {account.sid for account in twilio_accounts.all_accounts()}

    def is_possible(self, kind: str, account_sid: str) -> bool:
        """Return whether Twilio, the account and the site let this kind of change be made."""
        if account_sid not in self._configured or self._states is None:
            return False
        return self._states[account_sid].why(kind) is None

    def can(self, kind: str, account_sid: str) -> bool:
        """Return whether this user can make this kind of change there now."""
        return has_permission(self._user, PERMISSIONS[kind], account_sid) and self.is_possible(
            kind, account_sid
        )
