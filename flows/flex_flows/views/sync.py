"""The button that syncs the mirror with Twilio, and the age of the mirror next to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.contrib import messages
from django.db import Error
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit import audit_log
from flows.audit.access import Request, require_permission
from flows.changes import reconcile
from flows.changes.views.responses import redirect_url
from flows.mirror import freshness
from flows.mirror.actions import MirrorAction
from flows.mirror.name_sync import sync_with_names
from flows.mirror.sync import SyncBusy, needs_sync
from flows.search import flow_search
from flows.twilio.errors import FlexError

RECONCILE_LIMIT: Final = 5  # unresolved changes to read in one sync
DATABASE_PROBLEM: Final = "the database can't be written, so nothing was synced"


@require_POST
@require_permission("flows.view_flow", action=MirrorAction.SYNC)
def flow_sync(request: Request) -> HttpResponse:
    """Sync the mirror with Twilio. It only reads, so everyone who can view flows may do it."""
    query = flow_search.Query.of(request.GET, request.scope)
    accounts = queried_accounts(twilio_accounts.visible_accounts(request.scope), query)
    refusal = _sync_refusal(query, accounts)
    if refusal:
        messages.error(request, refusal)
        # The whole page is loaded: htmx may be on the page of another account.
        return redirect_url(request, reverse("flows:list") + query.url())
    has_changes, problem = _sync_accounts(accounts)
    is_overview = "overview" in request.POST
    if not request.htmx:
        if problem:
            messages.error(request, f"Couldn't refresh: {problem}.")
        return redirect("home" if is_overview else "flows:list")
    context = mirror_context(accounts, freshness.load_freshness(accounts), problem=problem)
    context |= {"mirror_is_stale": False, "is_overview": is_overview}
    response = render(request, "flows/_copy.html", context)
    if is_overview:
        response["HX-Trigger"] = "flows-synced"
    elif has_changes:
        response["HX-Trigger"] = "flows-changed"
    return response


def queried_accounts(accounts: Sequence[Account], query: flow_search.Query) -> Sequence[Account]:
    """Return the accounts that a query is about.

    There is none if the query names an account that this site no longer has.
    """
    if not query.account or query.has_error("account"):
        return accounts
    return [account for account in accounts if account.sid == query.account]


def mirror_context(
    accounts: Sequence[Account], mirrors: Sequence[freshness.Freshness], *, problem: str = ""
) -> dict[str, Any]:
    """Return the freshness of these accounts' mirrors.

    The page shows the worst one: a sync that failed, or else the oldest. `problem` is a problem of
    this site that let all syncs fail.
    """
    worst = freshness.select_worst(mirrors)
    if problem:
        worst.sync.failed_at, worst.sync.error = timezone.now(), problem
    return {
        "copy": worst.sync,
        "freshness": worst,
        "sync_query": _sync_query(accounts),
        "mirror_is_stale": any(needs_sync(item.sync) for item in mirrors),
    }


def _sync_accounts(accounts: Iterable[Account]) -> tuple[bool, str]:
    """Sync these accounts and reconcile some changes.

    Return whether anything changed, and the problem of this site, if any.
    """
    has_changes, problem = False, ""
    for account in accounts:
        try:
            has_changes |= _sync_account(account)
        except (Error, audit_log.NotRecorded):  # the other accounts are synced all the same
            problem = DATABASE_PROBLEM
    if problem:
        return has_changes, problem
    try:
        has_changes |= bool(reconcile.reconcile(limit=RECONCILE_LIMIT))
    except FlexError:
        pass  # the next sync tries again
    except (Error, audit_log.NotRecorded):  # the flows are synced, which the page shows
        problem = DATABASE_PROBLEM
    return has_changes, problem


def _sync_account(account: Account) -> bool:
    """Sync one account, and return whether flows may have changed."""
    try:
        return sync_with_names(account.sid).has_changes
    except SyncBusy:
        return True  # another sync is running, so reload what it brings
    except FlexError:
        return False  # stored in the sync state, which the page shows


def _sync_refusal(query: flow_search.Query, accounts: Sequence[Account]) -> str:
    """Return the reason why these accounts can't be synced, or an empty text."""
    if query.errors:
        return f"Couldn't refresh: {query.error_text}"
    if accounts:
        return ""
    subject = f"the account {query.account}" if query.account else "any of your accounts"
    return f"Couldn't refresh: this site has no credentials for {subject}."


def _sync_query(accounts: Sequence[Account]) -> str:
    """Return the query string that limits a sync to one of several accounts, or ""."""
    is_one_of_several = len(accounts) == 1 and twilio_accounts.only_account() is None
    return f"?account={accounts[0].sid}" if is_one_of_several else ""
