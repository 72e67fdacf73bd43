"""The users who can approve the changes of an account, and whether they are enough."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model

from flows.accounts.permissions import active_user, has_permission
from flows.approvals.terms import Terms


def can_approve(user: Any, account_sid: str, terms: Terms) -> bool:
    """Return True if the user's role approves changes of the account."""
    return has_permission(user, terms.approver_permission, account_sid)


def is_approver(user_id: str, account_sid: str, terms: Terms) -> bool:
    """Return True if this user can still sign in, and their role approves changes."""
    user = active_user(user_id)
    return user is not None and can_approve(user, account_sid, terms)


def approvers_of(account_sid: str, terms: Terms) -> Iterator[Any]:
    """Yield the users who can approve changes of the account."""
    user_ids = get_user_model()._default_manager.filter(is_active=True).order_by("pk")
    for user_id in user_ids.values_list("pk", flat=True).iterator():
        user = active_user(str(user_id))
        if user is not None and can_approve(user, account_sid, terms):
            yield user


def count_approvers(account_sid: str, terms: Terms, *, limit: int) -> int:
    """Return the number of users who can approve changes of the account, up to a limit."""
    return sum(1 for _ in islice(approvers_of(account_sid, terms), limit))


def is_alone(user: Any, account_sid: str, terms: Terms) -> bool:
    """Return True if no other approver can get an e-mail about what the user does."""
    if not settings.EMAIL_IS_CONFIGURED:
        return True
    others = approvers_of(account_sid, terms)
    return not any(other.email and other.pk != user.pk for other in others)


def find_shortage(account_sid: str, terms: Terms) -> str:
    """Return why the policy can't be satisfied for everyone, or "" if it can.

    No user approves their own request, so one more user than the number of approvals is needed.
    """
    if not terms.needs_approvals:
        return ""
    needed = terms.approvals_required
    number = count_approvers(account_sid, terms, limit=needed + 1)
    if number > needed:
        return ""
    users = "1 user can" if number == 1 else f"{number or 'no'} users can".capitalize()
    approvals = "1 approval is" if needed == 1 else f"{needed} approvals are"
    if number < needed:
        return f"This policy can't be satisfied: {approvals} needed, and {users.lower()} approve."
    return (
        f"This policy can't be satisfied for everyone: {approvals} needed, {users.lower()} approve, "
        "and their own requests are approved by others only."
    )
