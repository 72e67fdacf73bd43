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

from flexadmin.roles import scope_of
from flows import accounts, copying, lint, search
from flows.accounts import Account
from flows.flexapi import schema
from flows.flexapi.errors import FlexError
from flows.masking import masked, storable
from flows.models import AuditEvent, Flow, OpenDrift, Result, SavedView
from flows.services import absence, audit, closures, freshness, mirror, reading, reconcile
from flows.services.changes import UNDER_WAY_FOR
from flows.services.settling import StaleRead
from flows.views import listing
from flows.views.offers import Offers
from flows.views.requests import Request, current_page, permitted
from flows.views.sources import confirmed_at, problem_of_reading, read_for_page, shown_flow

COLUMNS = (
    ("name", "Name"),
    ("channel", "Channel"),
    ("identity", "Contact identity"),
    ("integration", "Handled by"),
    ("enabled", "Status"),
    ("updated", "Last changed"),
)
SECTIONS = (
    ("Channel", ("friendly_name", "channel_type", "contact_identity", "enabled", "chat_service_sid")),
    ("Integration", ("integration_type", *(entry.name for entry in schema.INTEGRATION_FIELDS))),
    ("Options", ("long_lived", "janitor_enabled")),
    ("Details", ("sid", "account_sid", "date_created", "date_updated", "url")),
)
MOST_IN_DOUBT = 5  # changes in doubt that the list names above the flows
RECONCILED_AT_ONCE = 5  # changes in doubt that one refresh looks at: each is a read
TWILIO_ROOT = "https://flex-api.twilio.com/v1"
JUST_NOW = timedelta(minutes=10)  # how long a person's own last change offers its undo
HISTORY = 20  # events on a flow's page; the log has the rest


@require_GET
@permitted("flows.view_flow", action="flow.view")
def flow_list(request: Request) -> HttpResponse:
    query = search.Query.of(request.GET, request.scope)
    # Enter ("go") leads on. A number in the address alone does not: the way back would lead on again.
    if not request.htmx and (sid := search.only_flow(query, is_number="go" in request.GET)):
        return redirect("flows:detail", sid=sid)
    is_fragment = request.htmx and not request.htmx.history_restore_request
    if is_fragment and _wears_another(request, query):
        return HttpResponseClientRedirect(request.get_full_path())
    answer = search.answer(query)
    found = answer.found
    here = accounts.of_scope(request.scope)
    request.states = closures.states()
    copy = _copy_of(_asked_for(here, query)) if not is_fragment or not found.rows else {}
    _decorate(found.rows, _changeable(request), is_whole=bool(copy) and not copy["has_gaps"])
    context: dict[str, Any] = {
        "query": query,
        "found": _Page(found, query),
        "columns": [_column(query, key, label) for key, label in _columns(here)],
        "shows_account": len(here) > 1,
        "facets": listing.facets_as_json(answer),
        "chips": listing.chips(query),
        "clear_url": reverse("flows:list"),
        "here": query.url(page=1).removeprefix("?"),
        "mirror_is_empty": not found.total and not query.mistakes and search.mirror_is_empty(request.scope),
        **copy,
    }
    if not is_fragment:
        context |= {
            "choices": listing.choices(query, answer, here),
            "views": list(SavedView.objects.filter(person=request.user).order_by("name")),
            "in_doubt": list(reconcile.in_doubt(request.scope)[:MOST_IN_DOUBT]),
        }
    response = render(request, "flows/_results.html" if is_fragment else "flows/list.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_GET
@permitted("flows.view_flow", action="flow.view")
def flow_detail(request: Request, sid: str) -> HttpResponse:
    """Fresh from Twilio when it answers; else the copy, and says so. Heading, route and fields are of one
    source."""
    row = Flow.objects.filter(sid=sid).first()
    error: FlexError | None = None
    stale: StaleRead | None = None
    try:
        snapshot = masked(storable(read_for_page(request, sid)))
    except StaleRead as failure:
        error = stale = failure
        snapshot = failure.confirmed or failure.seen or {"sid": sid}
    except FlexError as failure:
        error = failure
        row = Flow.objects.filter(sid=sid).first()
        if row is None and mirror.is_gone(error):
            raise Http404("Twilio has no such Flex Flow") from error
        snapshot = row.resource if row else {"sid": sid}
    state = _state_after(error)
    open_change = _open_change(audit.unsettled([sid]).get(sid))
    offers = Offers(request)
    context = {
        "flow": shown_flow(sid, row, snapshot, state, request.account_sid),
        "state": state,
        "stale": stale,
        "read_at": timezone.now(),
        "problem": problem_of_reading(request, error, row) if state == "copy" else None,
        "sections": _sections(snapshot),
        "unknown": [(name, value) for name, value in snapshot.items() if name not in schema.BY_NAME],
        "warnings": [] if state == "gone" else lint.warnings(snapshot),
        "confirmed_at": confirmed_at(row, request.account_sid, is_in_doubt=open_change is not None),
        "history": _history(sid, request.scope),
        "can_clone": state != "gone" and not closures.reason_against(request.account_sid, "fetch"),
        "others": [
            one
            for one in accounts.of_scope(scope_of(request.user, "flows.add_flow"))
            if one.sid != request.account_sid and offers.is_possible("create", one.sid)
        ],
        "open_change": open_change,
        "mine_just_now": _just_now(sid, request),
        "only_enabled": ["enabled"],
        "drifted": OpenDrift.objects.filter(target_sid=sid).exists(),
        "log_url": f"{reverse('audit:list')}?{urlencode({'sid': sid})}",
    }
    return render(request, "flows/detail.html", context)


def _state_after(error: FlexError | None) -> str:
    """The state of a flow's page by the reading for it: live, gone, settling (not visible yet) or copy."""
    if error is None:
        return "live"
    if mirror.is_gone(error):
        return "gone"
    return "settling" if isinstance(error, StaleRead) else "copy"


@require_GET
@permitted("flows.view_flow", action="flow.view")
def flow_code(request: Request, sid: str) -> HttpResponse:
    """The flow as code, from the copy: it has no secrets."""
    row = Flow.objects.filter(sid=sid).first()
    reading = request.readings.get(sid)
    if row is None and reading is None:
        raise Http404("The flow is not in the mirror")
    flow = row or mirror.flow_from(reading or {}, request.account_sid)
    snippets = copying.snippets(flow.resource, api_url=_root(request.account_sid))
    return render(request, "flows/code.html", {"flow": flow, "snippets": snippets})


@require_POST
@permitted("flows.view_flow", action="flow.sync")
def flow_sync(request: Request) -> HttpResponse:
    """Refreshes the copy. Changes nothing at Twilio, so everybody who may look may do it."""
    query = search.Query.of(request.GET, request.scope)
    here = _asked_for(accounts.of_scope(request.scope), query)
    if refusal := _refusal_to_sync(query, here):
        messages.error(request, refusal)
        if request.htmx:  # the page may be another one's by now: the whole of it says so
            return HttpResponseClientRedirect(reverse("flows:list") + query.url())
        return redirect(reverse("flows:list") + query.url())
    moved, trouble = _synced(here)
    if not request.htmx:
        if trouble:
            messages.error(request, f"Couldn't refresh: {trouble}.")
        return redirect("flows:list")
    context = _copy_of(here, trouble=trouble) | {"copy_is_stale": False}
    response = render(request, "flows/_copy.html", context)
    if moved:
        response["HX-Trigger"] = "flows-changed"
    return response


def _synced(here: Iterable[Account]) -> tuple[bool, str]:
    """Refreshes the copies of these accounts: whether anything moved, and what is wrong on this site's side."""
    moved, trouble = False, ""
    for account in here:
        try:
            moved = mirror.sync(account.sid).moved or moved
        except mirror.SyncBusy:
            moved = True  # somebody else's refresh; look again at what it brought
        except FlexError:
            pass  # kept in the copy's state, which the page shows
        except (Error, audit.NotRecorded):
            trouble = "the database can't be written, so nothing was synced"
    if not trouble:
        try:
            moved = bool(reconcile.reconcile(most=RECONCILED_AT_ONCE)) or moved
        except FlexError:
            pass  # it is tried again with the next refresh
        except (Error, audit.NotRecorded):
            trouble = "the database can't be written, so nothing was synced"
    return moved, trouble


def _asked_for(here: Sequence[Account], query: search.Query) -> Sequence[Account]:
    """The accounts that a query is about: all, or the one that it names, which the site may have no more."""
    if not query.account or any(one.name == "account" for one in query.mistakes):
        return here
    return [account for account in here if account.sid == query.account]


def _refusal_to_sync(query: search.Query, here: Sequence[Account]) -> str:
    """Why these accounts can't be refreshed, or nothing."""
    if query.mistakes:
        return "Couldn't refresh: " + " ".join(one.sentence for one in query.mistakes)
    if not here:
        which = f"the account {query.account}" if query.account else "any of your accounts"
        return f"Couldn't refresh: this site has no credentials for {which}."
    return ""


def _wears_another(request: Request, query: search.Query) -> bool:
    """Whether the page that htmx would put a part into is marked as another account's than this part is of."""
    page = current_page(request)
    if not page.netloc and not page.path:
        return False
    there = dict(parse_qsl(page.query))
    return there.get("account", "") != query.account


def _copy_of(here: Sequence[Account], *, trouble: str = "") -> dict[str, Any]:
    """The copy that a person should know of: one that could not be renewed, or the oldest. `trouble`: why none of them
    could be, on this site's side."""
    copies = freshness.of_accounts(here)
    shown = freshness.overall(copies)
    if trouble:
        shown.sync.failed_at, shown.sync.error = timezone.now(), trouble
    return {
        "copy": shown.sync,
        "freshness": shown,
        "sync_query": f"?account={here[0].sid}" if len(here) == 1 and accounts.sole() is None else "",
        "copy_is_stale": any(mirror.is_stale(one.sync) for one in copies),
        "has_gaps": any(one.sync.missing for one in copies),
    }


def _root(account_sid: str) -> str:
    """The root of the account's API: Twilio's own for one that the site has no more, and never another
    account's."""
    try:
        return accounts.get(account_sid).root
    except accounts.NotConfigured:
        return TWILIO_ROOT


def _history(sid: str, scope: accounts.Scope) -> list[AuditEvent]:
    """What happened to the flow, the latest first: each change once, with its present outcome; also what was made anew
    from one of its states."""
    events = AuditEvent.objects.filter(entry__isnull=False).select_related("payload", "entry__start")
    events = reading.of_accounts(events, scope)
    of_flow = list(events.filter(target_sid=sid).order_by("-seq")[:HISTORY])
    own = AuditEvent.objects.filter(target_sid=sid).values("event_id")
    elsewhere = events.filter(refers_to__isnull=False, refers_to__in=own).exclude(target_sid=sid)
    both = [*of_flow, *elsewhere.order_by("-seq")[:HISTORY]]
    return sorted(both, key=lambda event: -event.seq)[:HISTORY]


def _just_now(sid: str, request: Request) -> AuditEvent | None:
    """The change that this person made a moment ago, while it is the flow's last: it can be undone at once."""
    last = AuditEvent.objects.filter(target_sid=sid).order_by("-seq").first()
    is_undone_by_a_change = last and last.action == "flow.update" and last.result == Result.SUCCEEDED
    if last is None or not is_undone_by_a_change or last.actor_id != str(request.user.pk):
        return None
    return last if timezone.now() - last.at < JUST_NOW else None


class _Page:
    """What was found, with the ways to the pages beside it."""

    def __init__(self, found: search.Found, query: search.Query) -> None:
        self.rows, self.total, self.first, self.last = found.rows, found.total, found.first, found.last
        self.more = found.more
        self.previous_url = query.url(page=found.page - 1) if found.page > 1 else None
        self.next_url = query.url(page=found.page + 1) if found.has_next else None


def _changeable(request: Request) -> set[str]:
    """The accounts where the person may change flows, and where that can be done just now."""
    offers = Offers(request)
    return {account.sid for account in accounts.every() if offers.can("update", account.sid)}


def _decorate(rows: list[Flow], changeable: set[str], *, is_whole: bool) -> None:
    """Puts warnings, an open change, drift, the account and whether the person may change it onto the rows, in one
    query each for all. `is_whole`: Twilio's list is known to lack none of them."""
    known = {account.sid: account for account in accounts.every()}
    sids = [row.sid for row in rows]
    open_changes = audit.unsettled(sids)
    drifted = set(OpenDrift.objects.filter(target_sid__in=sids).values_list("target_sid", flat=True))
    missing = set() if is_whole else absence.missing_flows(sids)
    for row in rows:
        row.is_missing = row.sid in missing  # type: ignore[attr-defined]
        row.account = known.get(row.account_sid) or Account(row.account_sid, auth=("", ""))  # type: ignore[attr-defined]
        row.may_change = row.account_sid in changeable  # type: ignore[attr-defined]
        row.warnings = lint.warnings(row.resource)  # type: ignore[attr-defined]
        row.has_drifted = row.sid in drifted  # type: ignore[attr-defined]
        row.open_change = _open_change(open_changes.get(row.sid))  # type: ignore[attr-defined]


def _open_change(event: AuditEvent | None) -> AuditEvent | None:
    """With the word for its state: an attempt that is older than any call is under way no more."""
    if event is not None:
        is_old = event.at < timezone.now() - UNDER_WAY_FOR
        event.is_under_way = event.result == Result.PENDING and not is_old  # type: ignore[attr-defined]
    return event


def _column(query: search.Query, key: str, label: str) -> dict[str, str | None]:
    direction = {key: "ascending", f"-{key}": "descending"}.get(query.sort)
    return {
        "key": key,
        "label": label,
        "url": query.url(sort=f"-{key}" if direction == "ascending" else key),
        "direction": direction,
    }


def _columns(here: Sequence[Account]) -> list[tuple[str, str]]:
    return [*COLUMNS[:1], *([("account", "Account")] if len(here) > 1 else []), *COLUMNS[1:]]


def _sections(snapshot: schema.Snapshot) -> list[tuple[str, list[dict[str, object]]]]:
    """The known fields, grouped; of the integration those that its type uses or that have a value."""
    kind = snapshot.get("integration_type")

    def rows(names: tuple[str, ...]) -> list[dict[str, object]]:
        entries = [schema.BY_NAME[name] for name in names]
        return [
            {"field": entry, "value": snapshot.get(entry.name)}
            for entry in entries
            if schema.is_active(entry, kind) or snapshot.get(entry.name) not in (None, "")
        ]

    return [(title, rows(names)) for title, names in SECTIONS]
