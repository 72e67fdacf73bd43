"""The accounts page: how each account stands, what Twilio refuses in it, and the switch that makes it (or the site)
read-only. Also what the change pages say when nothing can be changed.
"""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission
from flows.audit.access import Request, get_actor, record_denial, require_permission
from flows.audit.audit_log import NotRecorded
from flows.availability import restrictions
from flows.availability.models import Closure
from flows.core.invisible import trim_invisible
from flows.core.opened_forms import is_opening
from flows.mirror import freshness
from flows.mirror.failure_messages import change_unavailable
from flows.mirror.freshness import Freshness
from flows.mirror.models import Flow

SITE: Final = "site"  # in the form, in place of an account's SID
READ_ONLY_PERMISSION: Final = "flows.close_account"
SUCCESS_MESSAGES: Final = {
    "close": "{whose} is now read-only.",
    "reopen": "{whose} is writable again.",
    "ask_again": "{whose}: refused requests will be retried.",
}


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def account_list(request: Request) -> HttpResponse:
    return _render_accounts(request)


@require_POST
@require_permission("flows.view_flow", action="account.close")
def account_action(request: Request) -> HttpResponse:
    """Closes or reopens an account or the site, or lets Twilio be asked again. On record, or not done."""
    act, target = request.POST.get("act", ""), request.POST.get("account", "")
    sid = "" if target == SITE else target
    if act not in SUCCESS_MESSAGES or (
        sid
        and all(sid != account.sid for account in twilio_accounts.visible_accounts(request.scope))
    ):
        return redirect("accounts:list")
    request.account_sid = sid
    permission = "flows.change_flow" if act == "ask_again" else READ_ONLY_PERMISSION
    if not has_permission(request.user, permission, sid or twilio_accounts.ALL_ACCOUNTS):
        record_denial(request, f"account.{act}", {})
        raise PermissionDenied
    reason = trim_invisible(request.POST.get("reason", ""))
    if act == "close" and not reason:
        return _render_accounts(request, wrong=target, status=422)
    try:
        if act == "ask_again":
            done = restrictions.retry_endpoints(account_sid=sid, actor=get_actor(request))
        else:
            change = restrictions.set_read_only if act == "close" else restrictions.lift_read_only
            done = change(account_sid=sid, reason=reason[:200], actor=get_actor(request))
    except NotRecorded:
        messages.error(request, "Couldn't write to the audit log, so nothing was changed.")
        return _render_accounts(request, status=503)
    whose = (twilio_accounts.get_account(sid).name or "The account") if sid else "The whole site"
    if done:
        messages.success(request, SUCCESS_MESSAGES[act].format(whose=whose))
    else:
        messages.info(request, "This was already done.")
    return redirect("accounts:list")


def unavailable_response(
    request: Request, account_sid: str, kind: str, *, what: str
) -> HttpResponse | None:
    """In place of a form that could not be sent; None where it can."""
    why = restrictions.find_restriction(account_sid, kind)
    if why is None or not is_opening(request):
        return None
    context = {"problem": change_unavailable(why, what=what, is_submitted=False), "sid": ""}
    name = "flows/_problem.html" if request.htmx else "flows/problem.html"
    return render(request, name, context, status=403)


def _render_accounts(request: Request, *, wrong: str = "", status: int = 200) -> HttpResponse:
    here = twilio_accounts.visible_accounts(request.scope)
    flows = dict(
        twilio_accounts.filter_scope(Flow.objects.filter(gone_at=None), request.scope)
        .order_by()
        .values_list("account_sid")
        .annotate(flows=Count("sid"))
    )
    states = restrictions.availability_by_account()
    checked = {one.sync.account_sid: Freshness(one.sync) for one in freshness.load_freshness(here)}
    rows: list[dict[str, Any]] = [
        {
            "account": account,
            "flows": flows.get(account.sid, 0),
            "freshness": checked[account.sid],
            "state": states[account.sid],
            "can_set_read_only": has_permission(request.user, READ_ONLY_PERMISSION, account.sid),
            "can_retry_twilio": has_permission(request.user, "flows.change_flow", account.sid),
            "own": Closure.objects.filter(
                account_sid=account.sid, kind=restrictions.READ_ONLY
            ).exists(),
        }
        for account in here
    ]
    context = {
        "rows": rows,
        "site": Closure.objects.filter(Q(kind=restrictions.READ_ONLY), account_sid="").first(),
        "can_set_site_read_only": has_permission(
            request.user, READ_ONLY_PERMISSION, twilio_accounts.ALL_ACCOUNTS
        ),
        "advice": restrictions.REFUSAL_ADVICE,
        "wrong": wrong,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "flows/accounts.html", context, status=status)
