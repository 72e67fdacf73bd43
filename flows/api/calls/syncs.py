"""Calls that read Twilio afresh: the flows of accounts, and the names of what they point to."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema
from pydantic import Field as SchemaField

from flows.accounts import twilio_accounts
from flows.api.access import chosen_accounts, require_scope
from flows.api.paging import json_response
from flows.api.problems import Problem
from flows.api.schemas import ACCOUNT_PATTERN, responses
from flows.changes import reconcile
from flows.flex_flows.views.sync import RECONCILE_LIMIT
from flows.mirror import name_sync
from flows.mirror.actions import MirrorAction
from flows.mirror.name_sync import sync_with_names
from flows.mirror.sync import SyncBusy, sync_state
from flows.names.refresh import RefreshBusy
from flows.twilio.errors import FlexError

router = Router(tags=["Accounts"])
AccountSid = Annotated[str, SchemaField(pattern=ACCOUNT_PATTERN, description="The account's SID.")]


class SyncParameters(Schema):
    account: Annotated[str, SchemaField(description="An account's SID. All by default.")] = ""


class SyncedAccount(Schema):
    """The result of a sync. Without an `error`, the local copy is as Twilio has the flows."""

    account_sid: str
    has_changes: bool
    synced_at: str | None
    error: str


class SyncBody(Schema):
    items: list[SyncedAccount]


class NamesBody(Schema):
    """The names that Twilio has, and how many kinds of them couldn't be read."""

    names: int
    failures: int


@router.post("sync", response=responses({200: SyncBody}, is_change=True), summary="Sync flows")
def sync_flows(request: HttpRequest, parameters: Query[SyncParameters]) -> HttpResponse:
    """Read all flows of the accounts from Twilio. It changes nothing there."""
    api_request = require_scope(request, action=MirrorAction.SYNC)
    accounts = chosen_accounts(parameters.account, api_request.scope)
    items = [_sync(account.sid) for account in accounts]
    with contextlib.suppress(FlexError):  # the next sync tries again
        reconcile.reconcile(limit=RECONCILE_LIMIT)
    failed = [each for each in items if each["error"]]
    if failed:
        detail = "; ".join(f"{each['account_sid']}: {each['error']}" for each in failed)
        raise Problem(502, f"Couldn't sync everything. {detail}", code="unreadable", items=items)
    return json_response({"items": items})


@router.post(
    "accounts/{account_sid}/names",
    response=responses({200: NamesBody}, is_change=True),
    summary="Read names",
)
def refresh_names(request: HttpRequest, account_sid: Path[AccountSid]) -> HttpResponse:
    """Read the names of what an account's flows point to."""
    api_request = require_scope(request, action=MirrorAction.SYNC)
    accounts = twilio_accounts.visible_accounts(api_request.scope)
    if account_sid not in [account.sid for account in accounts]:
        raise Http404("There is no such account.")
    try:
        report = name_sync.refresh_names(account_sid)
    except RefreshBusy:
        raise Problem(
            409, "Names are already being read. Try again later.", code="sync_in_progress"
        ) from None
    return json_response({"names": report.names, "failures": len(report.failures)})


def _sync(account_sid: str) -> dict[str, Any]:
    """Sync an account and return the result."""
    has_changes, error = False, ""
    try:
        has_changes = sync_with_names(account_sid).has_changes
    except SyncBusy:
        error = "Another sync is in progress."
    except FlexError:
        error = sync_state(account_sid).error
    return {
        "account_sid": account_sid,
        "has_changes": has_changes,
        "synced_at": sync_state(account_sid).synced_at,
        "error": error,
    }
