"""Calls that read the Twilio accounts and what flows point to."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router

from flows.accounts import twilio_accounts
from flows.api.access import chosen_accounts, require_scope
from flows.api.paging import (
    decode_cursor,
    encode_cursor,
    invalid_cursor,
    json_response,
)
from flows.api.schemas import (
    AccountPage,
    PageParameters,
    TargetPage,
    responses,
)
from flows.availability import restrictions
from flows.mirror import freshness
from flows.mirror.models import Flow
from flows.targets.listing import PAGE_SIZE, TargetQuery

router = Router(tags=["Site"])


@router.get("accounts", response=responses({200: AccountPage}), summary="List accounts")
def list_accounts(request: HttpRequest) -> HttpResponse:
    """List the Twilio accounts that the token may see."""
    scope = require_scope(request).scope
    accounts = twilio_accounts.visible_accounts(scope)
    availability = restrictions.availability_by_account()
    syncs = {each.sync.account_sid: each.sync for each in freshness.load_freshness(accounts)}
    flows = twilio_accounts.filter_scope(Flow.objects.filter(gone_at=None), scope)
    counts = dict(flows.order_by().values_list("account_sid").annotate(flows=Count("sid")))
    items = [
        {
            "sid": account.sid,
            "name": str(account),
            "is_production": account.is_production,
            "is_read_only": availability[account.sid].is_read_only,
            "flows": counts.get(account.sid, 0),
            "synced_at": syncs[account.sid].synced_at,
        }
        for account in accounts
    ]
    return json_response({"items": items, "next_cursor": None})


@router.get("targets", response=responses({200: TargetPage}), summary="List targets")
def list_targets(request: HttpRequest, parameters: Query[PageParameters]) -> HttpResponse:
    """List what flows point to, the most used first. A page has up to 50 targets."""
    scope = require_scope(request).scope
    chosen_accounts(parameters.account, scope)
    position = decode_cursor(parameters.cursor) or "1"
    is_number = position.isdecimal() and len(position) <= 9
    if not is_number or not 1 <= int(position) <= 100_000:
        raise invalid_cursor()
    page = int(position)
    query = TargetQuery(account=parameters.account, page=page, scope=scope)
    targets, total = query.run()
    items = [
        {
            "account_sid": target.account_sid,
            "kind": target.kind,
            "value": target.value,
            "flows_on": target.flows_on,
            "flows_off": target.flows_off,
        }
        for target in targets
    ]
    next_cursor = encode_cursor(page + 1) if page * PAGE_SIZE < total else None
    return json_response({"items": items, "next_cursor": next_cursor})
