"""The changes that pages offer to a user: permitted by role, and available in the account."""

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
    "details": "flows.change_flow",
    "webhook_test": "flows.change_flow",
}
REVERSE_OPERATIONS: Final = {
    "create": "delete",
    "update": "update",
    "delete": "create",
    "details": "details",
}


class AvailableActions:
    """The changes that one request's user can make, from one query for the restrictions."""

    def __init__(self, request: Request) -> None:
        self._user = request.user
        states: dict[str, restrictions.Availability] | None = getattr(request, "states", None)
        if states is None:
            states = request.states = restrictions.availability_by_account()
        self._states = states
        self._configured = {account.sid for account in twilio_accounts.all_accounts()}

    def is_possible(self, kind: str, account_sid: str) -> bool:
        """Return True if neither Twilio nor read-only mode prevents this kind of change."""
        if account_sid not in self._configured:
            return False
        return self._states[account_sid].restriction_of(kind) is None

    def can(self, kind: str, account_sid: str) -> bool:
        """Return True if this user has the permission and the change is possible at present."""
        is_permitted = has_permission(self._user, PERMISSIONS[kind], account_sid)
        return is_permitted and self.is_possible(kind, account_sid)
