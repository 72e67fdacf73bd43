"""Permissions of API calls, with the same rules and the same records as on pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from django.http import Http404, HttpRequest

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission, has_permission_anywhere, scope_of
from flows.accounts.twilio_accounts import Account, Scope
from flows.api.problems import invalid
from flows.audit import access
from flows.audit.access import Request
from flows.mirror.models import Flow

VIEW_FLOWS = "flows.view_flow"


def require_scope(
    request: HttpRequest, permission: str = VIEW_FLOWS, *, action: str = "flow.view"
) -> Request:
    """Return the request with the accounts where its user has the permission as `scope`.

    Raise `PermissionDenied` if there is none. The denial of a change is logged as `action`.
    """
    api_request = cast("Request", request)
    api_request.account_sid, api_request.readings = "", {}
    api_request.scope = scope_of(api_request.user, permission)
    if not has_permission_anywhere(api_request.user, permission):
        access.deny(api_request, action, {})
    return api_request


def visible_flow(request: HttpRequest, sid: str, *, is_deleted_allowed: bool = False) -> Flow:
    """Return a synced flow. Raise `Http404` if it is deleted, or its user may not see it."""
    scope = require_scope(request).scope
    flow = Flow.objects.filter(pk=sid).first()
    if flow is None or (scope is not None and flow.account_sid not in scope):
        raise Http404("There is no such flow, or it hasn't been synced yet.")
    if flow.gone_at is not None and not is_deleted_allowed:
        raise Http404("This flow was deleted at Twilio.")
    return flow


def require_change(
    request: HttpRequest, permission: str, account_sid: str, *, action: str, **named: Any
) -> Request:
    """Raise `PermissionDenied` if the user may not change the account. The denial is logged.

    `named` is the object of the change, such as `sid` or `request_id`.
    """
    api_request = cast("Request", request)
    api_request.account_sid = account_sid
    if not has_permission(api_request.user, permission, account_sid):
        access.deny(api_request, action, named)
    return api_request


def chosen_accounts(account_sid: str, scope: Scope) -> Sequence[Account]:
    """Return the account of a parameter, or all in the scope. Raise `Problem`."""
    accounts = twilio_accounts.visible_accounts(scope)
    if not account_sid:
        return accounts
    chosen = [account for account in accounts if account.sid == account_sid]
    if not chosen:
        raise invalid({"account": [f"“{account_sid[:40]}” is not one of your accounts."]})
    return chosen
