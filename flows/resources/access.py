"""The account that a page of the Flex API is about, and the check of the user's permission there.

An address names the account only if the site has several. Nothing here is mirrored, so an address
without it is looked up in each account.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Literal

from django.contrib import messages
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import redirect

from flows.accounts import twilio_accounts
from flows.accounts.clients import READ_DEADLINE
from flows.accounts.permissions import (
    has_permission,
    has_permission_anywhere,
    resource_permission,
    scope_of,
)
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, View, deny
from flows.mirror import live
from flows.resources import links
from flows.twilio.errors import FlexError
from flows.twilio.resource import Resource


def require_resource_permission(
    kind: Literal["view", "change"], *, operation: str = "view"
) -> Callable[[View], View]:
    """Admit users with a resource's permission in the account of the page.

    The view gets the resource from the URL configuration. A denied change is logged as the
    resource's action for `operation`.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def checked_view(request: Request, resource: Resource, **kwargs: Any) -> HttpResponseBase:
            request.account_sid, request.readings = "", {}
            request.parent_sid = kwargs.pop("parent_sid", "")
            request.scope = scope_of(request.user, resource_permission(resource, "view"))
            action = resource.action(operation)
            account = _find_account(request, resource, kind)
            if account is None:
                deny(request, action, kwargs)
            owner = resource.parent or resource
            owner_sid = request.parent_sid or kwargs.get("sid")
            if _is_account_missing(request) and owner_sid:
                return _redirect_to_account(request, owner, owner_sid)
            if _is_account_missing(request) and operation == "create":
                messages.info(request, "Choose an account first.")
                return redirect(links.list_url(resource, ""))
            request.account_sid = account.sid
            if resource.is_singleton:
                kwargs["sid"] = account.sid
            permission = resource_permission(resource, kind)
            if not has_permission(request.user, permission, account.sid):
                deny(request, action, kwargs)
            return view(request, resource, **kwargs)

        return checked_view

    return decorate


def _find_account(
    request: Request, resource: Resource, kind: Literal["view", "change"]
) -> Account | None:
    """Return the account in the form or the address, by default the first that the user may see.

    It is None if the user lacks the permission on all accounts, or changes something in an account
    that they can't see. Raise `Http404` for a page of such an account.
    """
    if not has_permission_anywhere(request.user, resource_permission(resource, kind)):
        return None
    accounts = twilio_accounts.visible_accounts(request.scope)
    requested_sid = request.POST.get("account") or request.GET.get("account")
    if not requested_sid:
        return accounts[0] if accounts else None
    for account in accounts:
        if account.sid == requested_sid:
            return account
    if request.method != "GET":
        return None
    raise Http404("The user can see no such account")


def _is_account_missing(request: Request) -> bool:
    """Return True if the user has to name one of several accounts and didn't."""
    if request.POST.get("account") or request.GET.get("account"):
        return False
    return len(twilio_accounts.visible_accounts(request.scope)) > 1


def _redirect_to_account(request: Request, resource: Resource, sid: str) -> HttpResponseBase:
    """Redirect to the same page in the account that has the object. Raise `Http404` without one."""
    if "fetch" in resource.operations:
        for account in twilio_accounts.visible_accounts(request.scope):
            try:
                live.fetch(resource, sid, account_sid=account.sid, deadline=READ_DEADLINE)
            except FlexError:
                continue
            return redirect(f"{request.path}?account={account.sid}")
    raise Http404("No account has such an object, or Twilio can't be read")
