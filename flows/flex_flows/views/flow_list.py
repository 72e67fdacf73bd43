"""The list of flows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from django.db.models import Model
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET
from django_htmx.http import HttpResponseClientRedirect

from flows.accounts import twilio_accounts
from flows.accounts.permissions import can_decide, has_permission_anywhere
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request, current_page_url, require_permission
from flows.audit.models import OpenChange, OpenDrift
from flows.availability import restrictions
from flows.availability.models import Closure
from flows.availability.offered_changes import AvailableActions
from flows.changes import reconcile
from flows.checks import finding_counts
from flows.checks.account_warnings import have_account_warnings
from flows.checks.models import Suppression
from flows.flex_flows import list_columns
from flows.flex_flows.list_rows import accounts_with, build_rows, load_details
from flows.flex_flows.list_state import ListState, load_list_state
from flows.flex_flows.models import ListPreferences
from flows.flex_flows.views import filter_bar, sync
from flows.flex_flows.views.check_note import build_check_note
from flows.local_details.models import LocalDetails
from flows.mirror import freshness
from flows.search import facets, filters, flow_search, saved_views
from flows.search.models import SavedView

MAX_UNRESOLVED: Final = 5  # unresolved changes that the list names above the flows


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def flow_list(request: Request) -> HttpResponse:
    """List the flows that match the query. htmx gets the results alone."""
    query = flow_search.Query.of(request.GET, request.scope)
    preferences = list_columns.load_preferences(request.user)
    other_url = "" if request.htmx else _find_other_page(request, query, preferences)
    if other_url:
        return redirect(other_url)
    is_fragment = bool(request.htmx and not request.htmx.history_restore_request)
    if is_fragment and _shows_other_account(request, query):
        return HttpResponseClientRedirect(request.get_full_path())

    if preferences.default_view_id:
        # Links to the whole list must not lead to the default view.
        query = replace(query, view=filters.ALL_FLOWS)
    state = load_list_state()
    answer = flow_search.run_query(query, state.tally)
    accounts = twilio_accounts.visible_accounts(request.scope)
    request.states = restrictions.availability_by_account(has_closures=Closure in state.occupied)
    request.has_drift = OpenDrift in state.occupied
    context = _results_context(
        request, query, answer, accounts, state, preferences, is_fragment=is_fragment
    )
    template_name = "flows/_results.html"
    if not is_fragment:
        template_name = "flows/list.html"
        options = filter_bar.filter_options(
            query,
            answer,
            accounts,
            tally=state.tally,
            has_details=LocalDetails in state.occupied,
            checks=_count_findings(query, state),
        )
        context |= {"choices": options, **_page_context(request, state.occupied, preferences)}
    response = render(request, template_name, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _count_findings(query: flow_search.Query, state: ListState) -> Counter[str]:
    """Return the number of flows that each check found, in the accounts of the query.

    The stored numbers spare a query, unless someone accepts some of the findings.
    """
    if Suppression in state.occupied:
        return finding_counts.count_active_by_rule(query.scope, query.account)
    return finding_counts.count_by_rule(
        each
        for sid, each in state.check_states.items()
        if (query.scope is None or sid in query.scope) and query.account in ("", sid)
    )


def _find_other_page(
    request: Request, query: flow_search.Query, preferences: ListPreferences
) -> str:
    """Return the address to show instead: the only flow that the search means, or a default view.

    It is "" for the list itself.
    """
    # "go" stands for the Enter key. Without it, a number must not redirect, because then the
    # browser's back button would lead forward again.
    only_sid = flow_search.find_only_match(query, is_number="go" in request.GET)
    if only_sid:
        return reverse("flows:detail", args=[only_sid])
    default_view = _default_view_to_open(request, preferences)
    return f"{reverse('flows:list')}?{default_view.query}" if default_view else ""


def _page_context(
    request: Request, occupied: Container[type[Model]], preferences: ListPreferences
) -> dict[str, Any]:
    """Return what stands around the results: saved views and unresolved changes."""
    views: list[SavedView] = []
    if SavedView in occupied:
        views = saved_views.visible_views(request.user, request.scope)
    unresolved_changes: list[OpenChange] = []
    if OpenChange in occupied:
        unresolved_changes = list(reconcile.unresolved_changes(request.scope)[:MAX_UNRESOLVED])
    for change in unresolved_changes:
        account_sid = change.attempt.account_sid
        may_decide = can_decide(request.user, change.resource, account_sid)
        change.can_decide = may_decide  # type: ignore[attr-defined]
    return {
        "views": views,
        "default_view_id": preferences.default_view_id,
        "can_share": has_permission_anywhere(request.user, "flows.change_flow"),
        "unresolved_changes": unresolved_changes,
    }


def _default_view_to_open(request: Request, preferences: ListPreferences) -> SavedView | None:
    """Return the user's default view if they opened the list without any query, or None."""
    if request.GET or preferences.default_view_id is None:
        return None
    view = saved_views.find_view(request.user, request.scope, preferences.default_view_id)
    return view if view and view.query else None


def _results_context(
    request: Request,
    query: flow_search.Query,
    answer: flow_search.SearchResult,
    accounts: Sequence[Account],
    state: ListState,
    preferences: ListPreferences,
    *,
    is_fragment: bool,
) -> dict[str, Any]:
    page = answer.page
    queried_accounts = sync.queried_accounts(accounts, query)
    mirrors = freshness.sort_freshness(queried_accounts, state.sync_states)
    mirror_context: dict[str, Any] = {}
    if not is_fragment or not page.rows:
        mirror_context = sync.mirror_context(queried_accounts, mirrors)
    is_complete = not any(mirror.sync.missing for mirror in mirrors)
    actions = AvailableActions(request)
    has_owners = LocalDetails in state.occupied
    details = load_details(page.rows) if has_owners else {}
    rows = build_rows(
        page.rows,
        actions,
        is_complete=is_complete,
        occupied=state.occupied,
        details=details,
        has_account_warnings=have_account_warnings(state.check_states.values()),
    )
    has_no_results = not page.total and not query.errors
    layout = list_columns.ListLayout(
        query,
        preferences,
        shows_account=len(accounts) > 1,
        has_owners=has_owners,
        shows_owner=bool(details),
    )
    return {
        "query": query,
        "results": _ResultsPage(page, query),
        "rows": rows,
        "found_targets": answer.targets,
        "layout": layout,
        "columns": layout.headings if rows else [],
        "can_change_details": bool(accounts_with(actions, "details")),
        # The whole page has these numbers in the filters' options.
        "facets": filter_bar.facets_as_json(answer) if is_fragment else "",
        "chips": filter_bar.filter_chips(query),
        "clear_url": reverse("flows:list") + flow_search.Query(view=query.view).url().rstrip("?"),
        "query_string": query.url(page=1, view="").removeprefix("?"),
        "check_note": build_check_note(query.check, queried_accounts, state.check_states)
        if query.check and not query.errors
        else None,
        "is_mirror_empty": has_no_results and _is_mirror_empty(state, request),
        **mirror_context,
    }


def _is_mirror_empty(state: ListState, request: Request) -> bool:
    """Return True if no query of this user can find a flow."""
    return not any(flows for _, flows in facets.group_tally(state.tally, request.scope))


def _shows_other_account(request: Request, query: flow_search.Query) -> bool:
    """Return True if the page that htmx is on is of another account than the query."""
    page_url = current_page_url(request)
    if not page_url.netloc and not page_url.path:
        return False
    page_query = dict(parse_qsl(page_url.query))
    return page_query.get("account", "") != query.account


class ResultRange(NamedTuple):
    """The rows of a page among all results. `more` is True if there are more than `total`."""

    first: int
    last: int
    total: int
    more: bool


class _ResultsPage:
    """One page of results, with the addresses of other pages and of other page sizes."""

    def __init__(self, page: flow_search.Page, query: flow_search.Query) -> None:
        self.rows = page.rows
        self.total = page.total
        self.range = ResultRange(page.first, page.last, page.total, page.more)
        self.previous_url = query.url(page=page.page - 1) if page.page > 1 else None
        self.next_url = query.url(page=page.page + 1) if page.has_next else None
        self.size = page.size
        self.sizes = _page_sizes(page, query) if page.total > filters.PAGE_SIZES[0] else []


def _page_sizes(page: flow_search.Page, query: flow_search.Query) -> list[tuple[int, str]]:
    """Return each page size, with the address of the page of that size with the first row."""
    first = max(page.first, 1)
    return [
        (
            size,
            query.url(
                size=None if size == flow_search.PAGE_SIZE else size, page=(first - 1) // size + 1
            ),
        )
        for size in filters.PAGE_SIZES
    ]
