"""Reading flows: the list, one flow, and the button that refreshes the copy. Changing them is in changes.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.db import Error
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from flows.accounts import twilio_accounts
from flows.accounts.clients import ATTEMPT_TIMEOUT
from flows.accounts.permissions import scope_of
from flows.accounts.twilio_accounts import Account
from flows.audit import audit_log, log_paging
from flows.audit.access import Request, current_page_url, require_permission
from flows.audit.models import AuditEvent, OpenDrift, Result
from flows.availability import restrictions
from flows.availability.offered_changes import AvailableActions
from flows.changes import reconcile
from flows.checks import flow_warnings
from flows.flex_flows import snippets as copying
from flows.flex_flows.views import filter_bar
from flows.flex_flows.views.page_source import (
    build_displayed_flow,
    explain_read_error,
    fetch_for_page,
    get_confirmation_time,
)
from flows.mirror import freshness, mirror, missing_flows
from flows.mirror.models import Flow
from flows.mirror.stale_reads import StaleRead
from flows.redaction.masking import redact, replace_unstorable
from flows.search import flow_search
from flows.search.models import SavedView
from flows.twilio.errors import FlexError
from flows.twilio.flex import flex_flow

COLUMNS = (
    ("name", "Name"),
    ("channel", "Channel"),
    ("identity", "Contact identity"),
    ("integration", "Handled by"),
    ("enabled", "Status"),
    ("updated", "Last changed"),
)
SECTIONS = (
    (
        "Channel",
        ("friendly_name", "channel_type", "contact_identity", "enabled", "chat_service_sid"),
    ),
    ("Integration", ("integration_type", *(entry.name for entry in flex_flow.INTEGRATION_FIELDS))),
    ("Options", ("long_lived", "janitor_enabled")),
    ("Details", ("sid", "account_sid", "date_created", "date_updated", "url")),
)
MAX_UNRESOLVED = 5  # changes in doubt that the list names above the flows
RECONCILE_LIMIT = 5  # changes in doubt that one refresh looks at: each is a read
FLEX_API_ROOT = "https://flex-api.twilio.com/v1"
UNDO_WINDOW = timedelta(minutes=10)  # how long a person's own last change offers its undo
HISTORY_LENGTH = 20  # events on a flow's page; the log has the rest


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def flow_list(request: Request) -> HttpResponse:
    query = flow_search.Query.of(request.GET, request.scope)
    # Enter ("go") leads on. A number in the address alone does not: the way back would lead on again.
    if not request.htmx and (
        sid := flow_search.find_only_match(query, is_number="go" in request.GET)
    ):
        return redirect("flows:detail", sid=sid)
    is_fragment = request.htmx and not request.htmx.history_restore_request
    if is_fragment and _shows_other_account(request, query):
        return HttpResponseClientRedirect(request.get_full_path())
    answer = flow_search.run_query(query)
    found = answer.found
    here = twilio_accounts.visible_accounts(request.scope)
    request.states = restrictions.availability_by_account()
    copy = (
        _mirror_context(_queried_accounts(here, query)) if not is_fragment or not found.rows else {}
    )
    _annotate_rows(
        found.rows, _changeable_accounts(request), is_whole=bool(copy) and not copy["has_gaps"]
    )
    context: dict[str, Any] = {
        "query": query,
        "found": _ResultsPage(found, query),
        "columns": [_column(query, key, label) for key, label in _columns(here)],
        "shows_account": len(here) > 1,
        "facets": filter_bar.facets_as_json(answer),
        "chips": filter_bar.filter_chips(query),
        "clear_url": reverse("flows:list"),
        "here": query.url(page=1).removeprefix("?"),
        "is_mirror_empty": not found.total
        and not query.errors
        and flow_search.is_mirror_empty(request.scope),
        **copy,
    }
    if not is_fragment:
        context |= {
            "choices": filter_bar.filter_options(query, answer, here),
            "views": list(SavedView.objects.filter(person=request.user).order_by("name")),
            "in_doubt": list(reconcile.unresolved_changes(request.scope)[:MAX_UNRESOLVED]),
        }
    response = render(request, "flows/_results.html" if is_fragment else "flows/list.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def flow_detail(request: Request, sid: str) -> HttpResponse:
    """Fresh from Twilio when it answers; else the copy, and says so. Heading, route and fields are of one
    source."""
    row = Flow.objects.filter(sid=sid).first()
    error: FlexError | None = None
    stale: StaleRead | None = None
    try:
        snapshot = redact(replace_unstorable(fetch_for_page(request, sid)))
    except StaleRead as failure:
        error = stale = failure
        snapshot = failure.confirmed or failure.seen or {"sid": sid}
    except FlexError as failure:
        error = failure
        row = Flow.objects.filter(sid=sid).first()
        if row is None and mirror.is_not_found(error):
            raise Http404("Twilio has no such Flex Flow") from error
        snapshot = row.resource if row else {"sid": sid}
    state = _page_state(error)
    open_change = _mark_under_way(audit_log.open_changes_by_flow([sid]).get(sid))
    offers = AvailableActions(request)
    context = {
        "flow": build_displayed_flow(sid, row, snapshot, state, request.account_sid),
        "state": state,
        "stale": stale,
        "read_at": timezone.now(),
        "problem": explain_read_error(request, error, row) if state == "copy" else None,
        "sections": _sections(snapshot),
        "unknown": [
            (name, value)
            for name, value in snapshot.items()
            if name not in flex_flow.FIELDS_BY_NAME
        ],
        "warnings": [] if state == "gone" else flow_warnings.find_warnings(snapshot),
        "confirmed_at": get_confirmation_time(
            row, request.account_sid, is_unresolved=open_change is not None
        ),
        "history": _flow_history(sid, request.scope),
        "can_clone": state != "gone"
        and not restrictions.find_restriction(request.account_sid, "fetch"),
        "others": [
            one
            for one in twilio_accounts.visible_accounts(scope_of(request.user, "flows.add_flow"))
            if one.sid != request.account_sid and offers.is_possible("create", one.sid)
        ],
        "open_change": open_change,
        "undoable_change": _undoable_change(sid, request),
        "only_enabled": ["enabled"],
        "drifted": OpenDrift.objects.filter(target_sid=sid).exists(),
        "log_url": f"{reverse('audit:list')}?{urlencode({'sid': sid})}",
    }
    return render(request, "flows/detail.html", context)


def _page_state(error: FlexError | None) -> str:
    """The state of a flow's page by the reading for it: live, gone, settling (not visible yet) or copy."""
    if error is None:
        return "live"
    if mirror.is_not_found(error):
        return "gone"
    return "settling" if isinstance(error, StaleRead) else "copy"


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def flow_code(request: Request, sid: str) -> HttpResponse:
    """The flow as code, from the copy: it has no secrets."""
    row = Flow.objects.filter(sid=sid).first()
    reading = request.readings.get(sid)
    if row is None and reading is None:
        raise Http404("The flow is not in the mirror")
    flow = row or mirror.flow_from_snapshot(reading or {}, request.account_sid)
    snippets = copying.build_snippets(flow.resource, api_url=_api_root(request.account_sid))
    return render(request, "flows/code.html", {"flow": flow, "snippets": snippets})


@require_POST
@require_permission("flows.view_flow", action="flow.sync")
def flow_sync(request: Request) -> HttpResponse:
    """Refreshes the copy. Changes nothing at Twilio, so everybody who may look may do it."""
    query = flow_search.Query.of(request.GET, request.scope)
    here = _queried_accounts(twilio_accounts.visible_accounts(request.scope), query)
    if refusal := _sync_refusal(query, here):
        messages.error(request, refusal)
        if request.htmx:  # the page may be another one's by now: the whole of it says so
            return HttpResponseClientRedirect(reverse("flows:list") + query.url())
        return redirect(reverse("flows:list") + query.url())
    moved, trouble = _sync_accounts(here)
    if not request.htmx:
        if trouble:
            messages.error(request, f"Couldn't refresh: {trouble}.")
        return redirect("flows:list")
    context = _mirror_context(here, trouble=trouble) | {"mirror_is_stale": False}
    response = render(request, "flows/_copy.html", context)
    if moved:
        response["HX-Trigger"] = "flows-changed"
    return response


def _sync_accounts(here: Iterable[Account]) -> tuple[bool, str]:
    """Refreshes the copies of these accounts: whether anything moved, and what is wrong on this site's side."""
    moved, trouble = False, ""
    for account in here:
        try:
            moved = mirror.sync(account.sid).moved or moved
        except mirror.SyncBusy:
            moved = True  # somebody else's refresh; look again at what it brought
        except FlexError:
            pass  # kept in the copy's state, which the page shows
        except (Error, audit_log.NotRecorded):
            trouble = "the database can't be written, so nothing was synced"
    if not trouble:
        try:
            moved = bool(reconcile.reconcile(limit=RECONCILE_LIMIT)) or moved
        except FlexError:
            pass  # it is tried again with the next refresh
        except (Error, audit_log.NotRecorded):
            trouble = "the database can't be written, so nothing was synced"
    return moved, trouble


def _queried_accounts(here: Sequence[Account], query: flow_search.Query) -> Sequence[Account]:
    """The accounts that a query is about: all, or the one that it names, which the site may have no more."""
    if not query.account or any(one.name == "account" for one in query.errors):
        return here
    return [account for account in here if account.sid == query.account]


def _sync_refusal(query: flow_search.Query, here: Sequence[Account]) -> str:
    """Why these accounts can't be refreshed, or nothing."""
    if query.errors:
        return "Couldn't refresh: " + " ".join(one.sentence for one in query.errors)
    if not here:
        which = f"the account {query.account}" if query.account else "any of your accounts"
        return f"Couldn't refresh: this site has no credentials for {which}."
    return ""


def _shows_other_account(request: Request, query: flow_search.Query) -> bool:
    """Whether the page that htmx would put a part into is marked as another account's than this part is of."""
    page = current_page_url(request)
    if not page.netloc and not page.path:
        return False
    there = dict(parse_qsl(page.query))
    return there.get("account", "") != query.account


def _mirror_context(here: Sequence[Account], *, trouble: str = "") -> dict[str, Any]:
    """The copy that a person should know of: one that could not be renewed, or the oldest. `trouble`: why none of them
    could be, on this site's side."""
    copies = freshness.load_freshness(here)
    shown = freshness.select_worst(copies)
    if trouble:
        shown.sync.failed_at, shown.sync.error = timezone.now(), trouble
    return {
        "copy": shown.sync,
        "freshness": shown,
        "sync_query": f"?account={here[0].sid}"
        if len(here) == 1 and twilio_accounts.only_account() is None
        else "",
        "mirror_is_stale": any(mirror.is_stale(one.sync) for one in copies),
        "has_gaps": any(one.sync.missing for one in copies),
    }


def _api_root(account_sid: str) -> str:
    """The root of the account's API: Twilio's own for one that the site has no more, and never another
    account's."""
    try:
        return twilio_accounts.get_account(account_sid).root
    except twilio_accounts.AccountNotConfigured:
        return FLEX_API_ROOT


def _flow_history(sid: str, scope: twilio_accounts.Scope) -> list[AuditEvent]:
    """What happened to the flow, the latest first: each change once, with its present outcome; also what was made anew
    from one of its states."""
    events = AuditEvent.objects.filter(entry__isnull=False).select_related(
        "payload", "entry__start"
    )
    events = log_paging.filter_accounts(events, scope)
    of_flow = list(events.filter(target_sid=sid).order_by("-seq")[:HISTORY_LENGTH])
    own = AuditEvent.objects.filter(target_sid=sid).values("event_id")
    elsewhere = events.filter(refers_to__isnull=False, refers_to__in=own).exclude(target_sid=sid)
    both = [*of_flow, *elsewhere.order_by("-seq")[:HISTORY_LENGTH]]
    return sorted(both, key=lambda event: -event.seq)[:HISTORY_LENGTH]


def _undoable_change(sid: str, request: Request) -> AuditEvent | None:
    """The change that this person made a moment ago, while it is the flow's last: it can be undone at once."""
    last = AuditEvent.objects.filter(target_sid=sid).order_by("-seq").first()
    is_undone_by_a_change = (
        last and last.action == "flow.update" and last.result == Result.SUCCEEDED
    )
    if last is None or not is_undone_by_a_change or last.actor_id != str(request.user.pk):
        return None
    return last if timezone.now() - last.at < UNDO_WINDOW else None


class _ResultsPage:
    """What was found, with the ways to the pages beside it."""

    def __init__(self, found: flow_search.Page, query: flow_search.Query) -> None:
        self.rows, self.total, self.first, self.last = (
            found.rows,
            found.total,
            found.first,
            found.last,
        )
        self.more = found.more
        self.previous_url = query.url(page=found.page - 1) if found.page > 1 else None
        self.next_url = query.url(page=found.page + 1) if found.has_next else None


def _changeable_accounts(request: Request) -> set[str]:
    """The accounts where the person may change flows, and where that can be done just now."""
    offers = AvailableActions(request)
    return {
        account.sid
        for account in twilio_accounts.all_accounts()
        if offers.can("update", account.sid)
    }


def _annotate_rows(rows: list[Flow], changeable: set[str], *, is_whole: bool) -> None:
    """Puts warnings, an open change, drift, the account and whether the person may change it onto the rows, in one
    query each for all. `is_whole`: Twilio's list is known to lack none of them."""
    known = {account.sid: account for account in twilio_accounts.all_accounts()}
    sids = [row.sid for row in rows]
    open_changes = audit_log.open_changes_by_flow(sids)
    drifted = set(
        OpenDrift.objects.filter(target_sid__in=sids).values_list("target_sid", flat=True)
    )
    missing = set() if is_whole else missing_flows.find_unchecked(sids)
    for row in rows:
        row.is_missing = row.sid in missing  # type: ignore[attr-defined]
        row.account = known.get(row.account_sid) or Account(row.account_sid, auth=("", ""))  # type: ignore[attr-defined]
        row.may_change = row.account_sid in changeable  # type: ignore[attr-defined]
        row.warnings = flow_warnings.find_warnings(row.resource)  # type: ignore[attr-defined]
        row.has_drifted = row.sid in drifted  # type: ignore[attr-defined]
        row.open_change = _mark_under_way(open_changes.get(row.sid))  # type: ignore[attr-defined]


def _mark_under_way(event: AuditEvent | None) -> AuditEvent | None:
    """With the word for its state: an attempt that is older than any call is under way no more."""
    if event is not None:
        is_old = event.at < timezone.now() - ATTEMPT_TIMEOUT
        event.is_under_way = event.result == Result.PENDING and not is_old  # type: ignore[attr-defined]
    return event


def _column(query: flow_search.Query, key: str, label: str) -> dict[str, str | None]:
    direction = {key: "ascending", f"-{key}": "descending"}.get(query.sort)
    return {
        "key": key,
        "label": label,
        "url": query.url(sort=f"-{key}" if direction == "ascending" else key),
        "direction": direction,
    }


def _columns(here: Sequence[Account]) -> list[tuple[str, str]]:
    return [*COLUMNS[:1], *([("account", "Account")] if len(here) > 1 else []), *COLUMNS[1:]]


def _sections(snapshot: flex_flow.Snapshot) -> list[tuple[str, list[dict[str, object]]]]:
    """The known fields, grouped; of the integration those that its type uses or that have a value."""
    kind = snapshot.get("integration_type")

    def rows(names: tuple[str, ...]) -> list[dict[str, object]]:
        entries = [flex_flow.FIELDS_BY_NAME[name] for name in names]
        return [
            {"field": entry, "value": snapshot.get(entry.name)}
            for entry in entries
            if flex_flow.is_applicable(entry, kind) or snapshot.get(entry.name) not in (None, "")
        ]

    return [(title, rows(names)) for title, names in SECTIONS]
