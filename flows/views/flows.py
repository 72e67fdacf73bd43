"""Reading flows: the list, one flow, and the button that refreshes the copy. Changing them is in changes.py."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

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
from flows import accounts, copying, lint, search, words
from flows.accounts import Account
from flows.flexapi import schema
from flows.flexapi.errors import FlexError
from flows.masking import masked, storable
from flows.models import AuditEvent, Flow, OpenDrift, Result, SavedView, Stage, SyncState
from flows.services import audit, closures, mirror, reading, reconcile
from flows.services.changes import UNDER_WAY_FOR
from flows.views.offers import Offers
from flows.views.requests import Request, permitted
from flows.views.sources import confirmed_at, problem_of_reading, read_once, shown_flow

COLUMNS = (
    ("name", "Name"),
    ("channel", "Channel"),
    ("identity", "Contact identity"),
    ("integration", "Handled by"),
    ("enabled", "Status"),
    ("updated", "Last changed"),
)
CHOICES = {
    "channel": [(value, words.ENUMS[value]) for value in schema.CHANNEL_TYPES],
    "integration": [
        *((value, words.ENUMS[value]) for value in schema.INTEGRATION_TYPES),
        ("none", "Not set"),
    ],
    "enabled": [("true", "On"), ("false", "Off"), ("gone", "Gone from Twilio")],
}
CHIP_WORDS = {
    "q": "Search",
    "channel": "Channel",
    "integration": "Handled by",
    "enabled": "Status",
    "account": "Account",
}
SECTIONS = (
    ("Who writes", ("friendly_name", "channel_type", "contact_identity", "enabled", "chat_service_sid")),
    ("What handles it", ("integration_type", *(entry.name for entry in schema.INTEGRATION_FIELDS))),
    ("Options", ("long_lived", "janitor_enabled")),
    ("At Twilio", ("sid", "account_sid", "date_created", "date_updated", "url")),
)
MOST_IN_DOUBT = 5  # changes in doubt that the list names above the flows
RECONCILED_AT_ONCE = 5  # changes in doubt that one refresh looks at: each is a read
TWILIO_ROOT = "https://flex-api.twilio.com/v1"
NEVER = datetime.min.replace(tzinfo=UTC)
JUST_NOW = timedelta(minutes=10)  # how long a person's own last change offers its undo
HISTORY = 20  # events on a flow's page; the log has the rest


@require_GET
@permitted("flows.view_flow", action="flow.view")
def flow_list(request: Request) -> HttpResponse:
    query = search.Query.of(request.GET, request.scope)
    # Enter ("go") leads on. A number in the address alone does not: the way back would lead on again.
    if not request.htmx and (
        sid := search.the_one(query.q, is_number="go" in request.GET, within=request.scope)
    ):
        return redirect("flows:detail", sid=sid)
    is_fragment = request.htmx and not request.htmx.history_restore_request
    if is_fragment and _wears_another(request, query):
        return HttpResponseClientRedirect(request.get_full_path())
    answer = search.answer(query)
    found = answer.found
    here = accounts.of_scope(request.scope)
    request.states = closures.states()
    _decorate(found.rows, _changeable(request))
    choices = _counted(answer, here)
    context: dict[str, Any] = {
        "query": query,
        "found": _Page(found, query),
        "columns": [_column(query, key, label) for key, label in _columns(here)],
        "shows_account": len(here) > 1,
        "choices": choices,
        "facets": " ".join(str(flows) for options in choices.values() for *_, flows in options),
        "chips": _chips(query),
        "clear_url": reverse("flows:list"),
        "here": query.url(page=1).removeprefix("?"),
        "mirror_is_empty": not found.total and search.mirror_is_empty(request.scope),
    }
    if not is_fragment:
        context |= {
            **_copy_of(_asked_for(here, query.account)),
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
    try:
        snapshot = masked(storable(read_once(request, sid)))
    except FlexError as failure:
        error = failure
        row = Flow.objects.filter(sid=sid).first()
        if row is None and mirror.is_gone(error):
            raise Http404("Twilio has no such Flex Flow") from error
        snapshot = row.resource if row else {"sid": sid}
    state = "live" if error is None else "gone" if mirror.is_gone(error) else "copy"
    open_change = _open_change(audit.unsettled([sid]).get(sid))
    offers = Offers(request)
    context = {
        "flow": shown_flow(sid, row, snapshot, state, request.account_sid),
        "state": state,
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


@require_GET
@permitted("flows.view_flow", action="flow.view")
def flow_code(request: Request, sid: str) -> HttpResponse:
    """The flow as code, from the copy: it has no secrets."""
    row = Flow.objects.filter(sid=sid).first()
    reading = request.readings.get(sid)
    if row is None and reading is None:
        raise Http404("The flow is not in the copy")
    flow = row or mirror.flow_from(reading or {}, request.account_sid)
    snippets = copying.snippets(flow.resource, api_url=_root(request.account_sid))
    return render(request, "flows/code.html", {"flow": flow, "snippets": snippets})


@require_POST
@permitted("flows.view_flow", action="flow.sync")
def flow_sync(request: Request) -> HttpResponse:
    """Refreshes the copy. Changes nothing at Twilio, so everybody who may look may do it."""
    every = accounts.of_scope(request.scope)
    named = request.GET.get("account", "")
    here = [account for account in every if account.sid == named] if named else every
    if not here:
        raise Http404("No such account to refresh")
    moved, trouble = _synced(here)
    if not request.htmx:
        if trouble:
            messages.error(request, f"Not refreshed: {trouble}.")
        return redirect("flows:list")
    context = _copy_of(here) | {"copy_is_stale": False}
    if trouble:
        context["copy"].failed_at, context["copy"].error = timezone.now(), trouble
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
            trouble = "this site's database can't be written, so nothing new is taken over"
    if not trouble:
        try:
            moved = bool(reconcile.reconcile(most=RECONCILED_AT_ONCE)) or moved
        except FlexError:
            pass  # it is tried again with the next refresh
        except (Error, audit.NotRecorded):
            trouble = "this site's database can't be written, so nothing new is taken over"
    return moved, trouble


def _asked_for(here: Sequence[Account], account_sid: str) -> Sequence[Account]:
    """The one that a page is narrowed to, if it is; else all of them."""
    return [account for account in here if account.sid == account_sid] or here


def _wears_another(request: Request, query: search.Query) -> bool:
    """Whether the page that htmx would put a part into is marked as another account's than this part is of."""
    if not request.htmx.current_url:
        return False
    there = dict(parse_qsl(urlsplit(request.htmx.current_url).query))
    return there.get("account", "") != query.account


def _copy_of(here: Sequence[Account]) -> dict[str, Any]:
    """Of several copies, the one that a person should know of: one that could not be renewed, or the oldest."""
    copies: list[tuple[Account | None, SyncState]] = [
        (account, mirror.copy_state(account.sid)) for account in here
    ] or [(None, SyncState())]
    account, copy = min(copies, key=lambda one: (one[1].failed_at is None, one[1].synced_at or NEVER))
    return {
        "copy": copy,
        "copy_account": account if accounts.sole() is None else None,
        "sync_query": f"?account={here[0].sid}" if len(here) == 1 and accounts.sole() is None else "",
        "copy_is_stale": any(mirror.is_stale(one) for _, one in copies),
    }


def _root(account_sid: str) -> str:
    """The root of the account's API: Twilio's own for one that the site has no more, and never another
    account's."""
    try:
        return accounts.get(account_sid).root
    except accounts.NotConfigured:
        return TWILIO_ROOT


def _history(sid: str, scope: accounts.Scope) -> list[AuditEvent]:
    """What happened to the flow, the latest first; also what was made anew from one of its states."""
    events = AuditEvent.objects.exclude(stage=Stage.ATTEMPT).select_related("payload")
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


def _decorate(rows: list[Flow], changeable: set[str]) -> None:
    """Puts warnings, an open change, drift, the account and whether the person may change it onto the rows, in one
    query each for all."""
    known = {account.sid: account for account in accounts.every()}
    sids = [row.sid for row in rows]
    open_changes = audit.unsettled(sids)
    drifted = set(OpenDrift.objects.filter(target_sid__in=sids).values_list("target_sid", flat=True))
    for row in rows:
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


def _chips(query: search.Query) -> list[dict[str, str]]:
    choices = {value: label for options in CHOICES.values() for value, label in options}
    choices |= {account.sid: str(account) for account in accounts.of_scope(query.within)}
    return [
        {"label": f"{label}: {choices.get(value, value)}", "remove_url": query.url(**{name: ""})}
        for name, label in CHIP_WORDS.items()
        if (value := getattr(query, name))
    ]


def _counted(answer: search.Answer, here: Sequence[Account]) -> dict[str, list[tuple[str, str, int | str]]]:
    """The filters' options, each with the number of flows that it would give, "12+" where it may be more. Accounts only
    where there are several."""
    named = {"account": [(account.sid, str(account)) for account in here]} if len(here) > 1 else {}

    def counted(name: str, value: str) -> int | str:
        flows = answer.facets[name][value]
        return f"{flows}+" if answer.is_bounded else flows

    return {
        name: [(value, label, counted(name, value)) for value, label in options]
        for name, options in {**CHOICES, **named}.items()
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
