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

from flows import accounts
from flows.invisible import trimmed
from flows.models import Closure, Flow
from flows.services import closures, freshness
from flows.services.audit import NotRecorded
from flows.services.freshness import Freshness
from flows.views.problems import closed
from flows.views.requests import Request, actor_of, may, permitted, record_refusal
from flows.views.restore import opens

SITE: Final = "site"  # in the form, in place of an account's SID
CLOSE: Final = "flows.close_account"
DONE: Final = {
    "close": "{whose} is now read-only.",
    "reopen": "{whose} is writable again.",
    "ask_again": "{whose}: refused requests will be retried.",
}


@require_GET
@permitted("flows.view_flow", action="flow.view")
def account_list(request: Request) -> HttpResponse:
    return _page(request)


@require_POST
@permitted("flows.view_flow", action="account.close")
def account_act(request: Request) -> HttpResponse:
    """Closes or reopens an account or the site, or lets Twilio be asked again. On record, or not done."""
    act, target = request.POST.get("act", ""), request.POST.get("account", "")
    sid = "" if target == SITE else target
    if act not in DONE or (sid and all(sid != account.sid for account in accounts.of_scope(request.scope))):
        return redirect("accounts:list")
    request.account_sid = sid
    permission = "flows.change_flow" if act == "ask_again" else CLOSE
    if not may(request.user, permission, sid or accounts.EVERY):
        record_refusal(request, f"account.{act}", {})
        raise PermissionDenied
    reason = trimmed(request.POST.get("reason", ""))
    if act == "close" and not reason:
        return _page(request, wrong=target, status=422)
    try:
        if act == "ask_again":
            done = closures.ask_again(account_sid=sid, actor=actor_of(request))
        else:
            change = closures.close if act == "close" else closures.reopen
            done = change(account_sid=sid, reason=reason[:200], actor=actor_of(request))
    except NotRecorded:
        messages.error(request, "Couldn't write to the audit log, so nothing was changed.")
        return _page(request, status=503)
    whose = (accounts.get(sid).name or "The account") if sid else "The whole site"
    if done:
        messages.success(request, DONE[act].format(whose=whose))
    else:
        messages.info(request, "This was already done.")
    return redirect("accounts:list")


def closed_page(request: Request, account_sid: str, kind: str, *, what: str) -> HttpResponse | None:
    """In place of a form that could not be sent; None where it can."""
    why = closures.reason_against(account_sid, kind)
    if why is None or not opens(request):
        return None
    context = {"problem": closed(why, what=what, is_tried=False), "sid": ""}
    name = "flows/_problem.html" if request.htmx else "flows/problem.html"
    return render(request, name, context, status=403)


def _page(request: Request, *, wrong: str = "", status: int = 200) -> HttpResponse:
    here = accounts.of_scope(request.scope)
    flows = dict(
        accounts.within(Flow.objects.filter(gone_at=None), request.scope)
        .order_by()
        .values_list("account_sid")
        .annotate(flows=Count("sid"))
    )
    states = closures.states()
    checked = {one.sync.account_sid: Freshness(one.sync) for one in freshness.of_accounts(here)}
    rows: list[dict[str, Any]] = [
        {
            "account": account,
            "flows": flows.get(account.sid, 0),
            "freshness": checked[account.sid],
            "state": states[account.sid],
            "may_close": may(request.user, CLOSE, account.sid),
            "may_ask": may(request.user, "flows.change_flow", account.sid),
            "own": Closure.objects.filter(account_sid=account.sid, kind=closures.CHANGE).exists(),
        }
        for account in here
    ]
    context = {
        "rows": rows,
        "site": Closure.objects.filter(Q(kind=closures.CHANGE), account_sid="").first(),
        "may_close_site": may(request.user, CLOSE, accounts.EVERY),
        "advice": closures.ADVICE,
        "wrong": wrong,
        "reason": request.POST.get("reason", ""),
    }
    return render(request, "flows/accounts.html", context, status=status)
