"""The accounts page: status, names and restrictions of each account, and the switch to read-only.

Also the response of change pages to a form that can't be sent.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import capfirst
from django.views.decorators.http import require_GET, require_POST

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission, has_permission_everywhere
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, get_actor, record_denial, require_permission
from flows.audit.views.unrecorded import page_if_unrecorded
from flows.availability import restrictions
from flows.availability.models import Closure
from flows.core.invisible import trim_invisible
from flows.mirror import freshness, name_sync
from flows.mirror.actions import MirrorAction
from flows.mirror.freshness import Freshness
from flows.mirror.models import Flow
from flows.names import readings
from flows.names.refresh import RefreshBusy, RefreshReport

SITE: Final = "site"  # in the form, in place of an account's SID
READ_ONLY_PERMISSION: Final = "flows.close_account"
SUCCESS_MESSAGES: Final = {
    "close": "{account} is now read-only.",
    "reopen": "{account} is writable again.",
    "ask_again": "{account}: refused requests will be retried.",
}


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def account_list(request: Request) -> HttpResponse:
    return _render_accounts(request)


@require_POST
@require_permission("flows.view_flow", action="account.close")
def account_action(request: Request) -> HttpResponse:
    """Make an account or the whole site read-only or writable, or retry refused operations.

    Nothing changes if the action can't be recorded.
    """
    action, target = request.POST.get("act", ""), request.POST.get("account", "")
    sid = "" if target == SITE else target
    if action not in SUCCESS_MESSAGES or not _is_visible(request, sid):
        return redirect("accounts:list")
    request.account_sid = sid
    _require_permission(request, action, sid)
    reason = trim_invisible(request.POST.get("reason", ""))
    if action == "close" and not reason:
        return _render_accounts(request, invalid_target=target, status=422)
    with page_if_unrecorded(lambda: _not_recorded_page(request)):
        has_changed = _perform(action, request, sid, reason)
    if has_changed:
        messages.success(request, SUCCESS_MESSAGES[action].format(account=_describe_target(sid)))
    else:
        messages.info(request, "This was already done.")
    return redirect("accounts:list")


@require_POST
@require_permission("flows.view_flow", action=MirrorAction.SYNC)
def names_refresh(request: Request) -> HttpResponse:
    """Read the names of one account from Twilio. Like a sync, everyone who views flows may."""
    sid = request.POST.get("account", "")
    if sid and _is_visible(request, sid):
        try:
            report = name_sync.refresh_names(sid)
        except RefreshBusy:
            messages.info(request, "Names are already being refreshed.")
        else:
            _add_names_message(request, sid, report)
    return redirect("accounts:list")


def _add_names_message(request: Request, sid: str, report: RefreshReport) -> None:
    account_name = twilio_accounts.get_account(sid).name
    prefix = f"{account_name}: " if account_name else ""
    if report.failures:
        messages.warning(request, capfirst(f"{prefix}some names couldn't be read from Twilio."))
        return
    names = "1 name" if report.names == 1 else f"{report.names} names"
    messages.success(request, f"{prefix}{names} read from Twilio.")


def _require_permission(request: Request, action: str, sid: str) -> None:
    """Raise `PermissionDenied`, and log it, unless the user may do this. "" is the whole site."""
    permission = "flows.change_flow" if action == "ask_again" else READ_ONLY_PERMISSION
    if not has_permission(request.user, permission, sid or twilio_accounts.ALL_ACCOUNTS):
        record_denial(request, f"account.{action}", {})
        raise PermissionDenied


def _describe_target(sid: str) -> str:
    if not sid:
        return "The whole site"
    return twilio_accounts.get_account(sid).name or "The account"


def _not_recorded_page(request: Request) -> HttpResponse:
    messages.error(request, "Couldn't write to the audit log, so nothing was changed.")
    return _render_accounts(request, status=503)


def _is_visible(request: Request, sid: str) -> bool:
    """Return True for the whole site, and for an account that the user may see."""
    accounts = twilio_accounts.visible_accounts(request.scope)
    return not sid or any(account.sid == sid for account in accounts)


def _perform(action: str, request: Request, sid: str, reason: str) -> bool:
    """Perform and record the action. Return False if there was nothing to change."""
    actor = get_actor(request)
    if action == "ask_again":
        return restrictions.retry_endpoints(account_sid=sid, actor=actor)
    change = restrictions.set_read_only if action == "close" else restrictions.lift_read_only
    return change(account_sid=sid, reason=reason[:200], actor=actor)


def _render_accounts(
    request: Request, *, invalid_target: str = "", status: int = 200
) -> HttpResponse:
    """Render the page. `invalid_target` is the SID, or "site", whose form lacks a reason."""
    site_read_only = Closure.objects.filter(kind=restrictions.READ_ONLY, account_sid="").first()
    context = {
        "rows": _account_rows(request),
        "site": site_read_only,
        "can_set_site_read_only": has_permission_everywhere(request.user, READ_ONLY_PERMISSION),
        "advice": restrictions.REFUSAL_ADVICE,
        "invalid_target": invalid_target,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "flows/accounts.html", context, status=status)


def _account_rows(request: Request) -> list[dict[str, Any]]:
    accounts = twilio_accounts.visible_accounts(request.scope)
    flow_counts = _count_flows(request.scope)
    availability = restrictions.availability_by_account()
    names = readings.load_states(accounts)
    syncs = {
        item.sync.account_sid: Freshness(item.sync) for item in freshness.load_freshness(accounts)
    }
    return [
        {
            "account": account,
            "flows": flow_counts.get(account.sid, 0),
            "freshness": syncs[account.sid],
            "state": availability[account.sid],
            "names": names[account.sid],
            "can_set_read_only": has_permission(request.user, READ_ONLY_PERMISSION, account.sid),
            "can_retry_twilio": has_permission(request.user, "flows.change_flow", account.sid),
            "is_own_read_only": _is_own_read_only(account),
        }
        for account in accounts
    ]


def _count_flows(scope: twilio_accounts.Scope) -> dict[str, int]:
    flows = twilio_accounts.filter_scope(Flow.objects.filter(gone_at=None), scope)
    counts = flows.order_by().values_list("account_sid").annotate(flows=Count("sid"))
    return dict(counts)


def _is_own_read_only(account: Account) -> bool:
    """Return True if the account itself is read-only, not just the site."""
    return Closure.objects.filter(account_sid=account.sid, kind=restrictions.READ_ONLY).exists()
