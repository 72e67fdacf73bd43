"""Calls that make an account or the whole site read-only, and that retry what Twilio refused."""

from __future__ import annotations

from typing import Annotated

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Body, Path, Query, Router, Schema
from pydantic import Field as SchemaField

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission
from flows.api.access import require_scope
from flows.api.paging import json_response
from flows.api.problems import clean_reason
from flows.api.schemas import ACCOUNT_PATTERN, Reason, StrictSchema, responses
from flows.audit import access
from flows.audit.access import Request, get_actor
from flows.availability import restrictions
from flows.availability.models import Closure
from flows.mirror.views.accounts import READ_ONLY_PERMISSION

router = Router(tags=["Accounts"])
AccountSid = Annotated[str, SchemaField(pattern=ACCOUNT_PATTERN, description="The account's SID.")]


class ReadOnlyEdit(StrictSchema):
    """The reason, which users see."""

    reason: Annotated[Reason, SchemaField(min_length=1, max_length=200, pattern=r"\S")]


class LiftParameters(Schema):
    reason: Reason = ""


class ReadOnlyBody(Schema):
    """`has_changed` is false if it was so already. Without an `account_sid`, it is the whole site."""

    account_sid: str
    is_read_only: bool
    has_changed: bool


class RetryBody(Schema):
    has_changed: bool


@router.put(
    "accounts/{account_sid}/read-only",
    response=responses({200: ReadOnlyBody}, is_change=True),
    summary="Make an account read-only",
)
def set_account_read_only(
    request: HttpRequest, account_sid: Path[AccountSid], body: Body[ReadOnlyEdit]
) -> HttpResponse:
    """Block all changes of an account. Reading still works."""
    return _set_read_only(_permitted(request, account_sid, "account.close"), account_sid, body)


@router.delete(
    "accounts/{account_sid}/read-only",
    response=responses({200: ReadOnlyBody}, is_change=True),
    summary="Make an account writable",
)
def lift_account_read_only(
    request: HttpRequest, account_sid: Path[AccountSid], parameters: Query[LiftParameters]
) -> HttpResponse:
    """Allow changes of an account again."""
    api_request = _permitted(request, account_sid, "account.reopen")
    return _lift_read_only(api_request, account_sid, parameters)


@router.put(
    "read-only",
    response=responses({200: ReadOnlyBody}, is_change=True),
    summary="Make the site read-only",
)
def set_site_read_only(request: HttpRequest, body: Body[ReadOnlyEdit]) -> HttpResponse:
    """Block all changes of all accounts."""
    return _set_read_only(_permitted(request, "", "account.close"), "", body)


@router.delete(
    "read-only",
    response=responses({200: ReadOnlyBody}, is_change=True),
    summary="Make the site writable",
)
def lift_site_read_only(request: HttpRequest, parameters: Query[LiftParameters]) -> HttpResponse:
    """Allow changes of the site again. Accounts that are read-only themselves stay so."""
    return _lift_read_only(_permitted(request, "", "account.reopen"), "", parameters)


@router.post(
    "accounts/{account_sid}/retry",
    response=responses({200: RetryBody}, is_change=True),
    summary="Retry what Twilio refused",
)
def retry_refused(request: HttpRequest, account_sid: Path[AccountSid]) -> HttpResponse:
    """Forget that Twilio refused kinds of requests, so that the next ones are sent."""
    api_request = _permitted(
        request, account_sid, "account.ask_again", permission="flows.change_flow"
    )
    has_changed = restrictions.retry_endpoints(
        account_sid=account_sid, actor=get_actor(api_request)
    )
    return json_response({"has_changed": has_changed})


def _permitted(
    request: HttpRequest, account_sid: str, action: str, *, permission: str = READ_ONLY_PERMISSION
) -> Request:
    """Return the request. "" is the whole site. Raise `Http404`, or `PermissionDenied`, logged."""
    api_request = require_scope(request)
    accounts = twilio_accounts.visible_accounts(api_request.scope)
    if account_sid and account_sid not in [account.sid for account in accounts]:
        raise Http404("There is no such account.")
    api_request.account_sid = account_sid
    target = account_sid or twilio_accounts.ALL_ACCOUNTS
    if not has_permission(api_request.user, permission, target):
        access.deny(api_request, action, {})
    return api_request


def _set_read_only(request: Request, account_sid: str, body: ReadOnlyEdit) -> HttpResponse:
    has_changed = restrictions.set_read_only(
        account_sid=account_sid, reason=clean_reason(body.reason), actor=get_actor(request)
    )
    return _response(account_sid, has_changed=has_changed)


def _lift_read_only(request: Request, account_sid: str, parameters: LiftParameters) -> HttpResponse:
    has_changed = restrictions.lift_read_only(
        account_sid=account_sid, reason=clean_reason(parameters.reason), actor=get_actor(request)
    )
    return _response(account_sid, has_changed=has_changed)


def _response(account_sid: str, *, has_changed: bool) -> HttpResponse:
    closures = Closure.objects.filter(
        kind=restrictions.READ_ONLY, account_sid__in={"", account_sid}
    )
    body = {
        "account_sid": account_sid,
        "is_read_only": closures.exists(),
        "has_changed": has_changed,
    }
    return json_response(body)
