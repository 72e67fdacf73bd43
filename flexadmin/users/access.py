"""Restriction of pages to managers of users. Refused changes are recorded."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from flows.accounts import twilio_accounts
from flows.audit import audit_log
from flows.audit.access import Request, get_actor
from flows.audit.models import Result, Stage

MANAGE_USERS: Final = "flexadmin.manage_people"
View = Callable[..., HttpResponse]


def require_user_manager(action: str = "") -> Callable[[View], View]:
    """Restrict a view to users who may manage users on every account.

    A refused change by anyone else is recorded as `action`. A page that only reads has none.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
            request.account_sid = ""
            # Our backend takes an account's SID as the object.
            if not request.user.has_perm(MANAGE_USERS, twilio_accounts.ALL_ACCOUNTS):  # type: ignore[arg-type]
                if action and request.method != "GET":
                    record_refusal(request, action)
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def record_refusal(request: Request, action: str) -> None:
    """Record that the user was refused a change of a user."""
    audit_log.append(
        action=action,
        stage=Stage.ACCESS,
        result=Result.DENIED,
        actor=get_actor(request),
        account_sid="",
        reason=request.POST.get("reason", ""),
    )
