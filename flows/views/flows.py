"""Reading flows: the list, one flow, and the button that refreshes the copy. Changing them is in changes.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.db import Error
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from flows import copying, lint, search, words
from flows.flexapi import schema
from flows.flexapi.errors import FlexError
from flows.masking import masked, storable
from flows.models import AuditEvent, Flow, OpenDrift, Result, SavedView, Stage
from flows.services import audit, mirror, reconcile
from flows.services.changes import UNDER_WAY_FOR
from flows.views import problems
from flows.views.requests import Request, permitted

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
JUST_NOW = timedelta(minutes=10)  # how long a person's own last change offers its undo
HISTORY = 20  # events on a flow's page; the log has the rest


@require_GET
@permitted("flows.view_flow", action="flow.view")
def flow_list(request: Request) -> HttpResponse:
    query = search.Query.of(request.GET)
    # Enter ("go") leads on. A number in the address alone does not: the way back would lead on again.
    if not request.htmx and (sid := search.the_one(query.q, is_number="go" in request.GET)):
        return redirect("flows:detail", sid=sid)
    found = search.find(query)
    _decorate(found.rows)
    choices = _counted(search.facets(query))
    copy = mirror.copy_state()
    context = {
        "query": query,
        "found": _Page(found, query),
        "columns": [_column(query, key, label) for key, label in COLUMNS],
        "choices": choices,
        "facets": " ".join(str(flows) for options in choices.values() for *_, flows in options),
        "chips": _chips(query),
        "clear_url": reverse("flows:list"),
        "copy": copy,
        "copy_is_stale": mirror.is_stale(copy),
        "views": list(SavedView.objects.filter(person=request.user).order_by("name")),
        "here": query.url(page=1).removeprefix("?"),
        "in_doubt": list(reconcile.in_doubt()[:MOST_IN_DOUBT]),
        "mirror_is_empty": not found.total and not Flow.objects.exists(),
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    response = render(request, "flows/_results.html" if is_fragment else "flows/list.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@require_GET
@permitted("flows.view_flow", action="flow.view")
def flow_detail(request: Request, sid: str) -> HttpResponse:
    """Fresh from Twilio when it answers; else the copy, and says so."""
    problem, state = None, "live"
    try:
        snapshot = masked(storable(mirror.fetch(sid)))
    except FlexError as error:
        flow = Flow.objects.filter(sid=sid).first()
        if flow is None and mirror.is_gone(error):
            raise Http404("Twilio has no such Flex Flow") from error
        state = "gone" if mirror.is_gone(error) else "copy"
        snapshot = flow.resource if flow else {"sid": sid}
        if state == "copy":
            shown = "What you see is the copy." if flow else "There is no copy of it here either."
            problem = problems.of_reading(error, what=shown)
    flow = Flow.objects.filter(sid=sid).first() or Flow(sid=sid, resource=snapshot)
    copy = mirror.copy_state()
    context = {
        "flow": flow,
        "state": state,
        "problem": problem,
        "sections": _sections(snapshot),
        "unknown": [(name, value) for name, value in snapshot.items() if name not in schema.BY_NAME],
        "warnings": [] if state == "gone" else lint.warnings(snapshot),
        "confirmed_at": max((at for at in (flow.mirrored_at, copy.synced_at) if at), default=None),
        "history": _history(sid),
        "open_change": _open_change(audit.unsettled([sid]).get(sid)),
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
    flow = get_object_or_404(Flow, sid=sid)
    snippets = copying.snippets(flow.resource, api_url=settings.FLEX_API_URL)
    return render(request, "flows/code.html", {"flow": flow, "snippets": snippets})


@require_POST
@permitted("flows.view_flow", action="flow.sync")
def flow_sync(request: Request) -> HttpResponse:
    """Refreshes the copy. Changes nothing at Twilio, so everybody who may look may do it."""
    moved, trouble = False, ""
    try:
        moved = mirror.sync().moved
        moved = bool(reconcile.reconcile(most=RECONCILED_AT_ONCE)) or moved
    except mirror.SyncBusy:
        moved = True  # somebody else's refresh; look again at what it brought
    except FlexError:
        pass  # kept in the copy's state, which the page shows
    except (Error, audit.NotRecorded):
        trouble = "this site's database can't be written, so nothing new is taken over"
    if not request.htmx:
        if trouble:
            messages.error(request, f"Not refreshed: {trouble}.")
        return redirect("flows:list")
    copy = mirror.copy_state()
    if trouble:
        copy.failed_at, copy.error = timezone.now(), trouble
    response = render(request, "flows/_copy.html", {"copy": copy, "copy_is_stale": False})
    if moved:
        response["HX-Trigger"] = "flows-changed"
    return response


def _history(sid: str) -> list[AuditEvent]:
    """What happened to the flow, the latest first; also what was made anew from one of its states."""
    events = AuditEvent.objects.exclude(stage=Stage.ATTEMPT).select_related("payload")
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
        self.previous_url = query.url(page=found.page - 1) if found.page > 1 else None
        self.next_url = query.url(page=found.page + 1) if found.has_next else None


def _decorate(rows: list[Flow]) -> None:
    """Puts warnings, an open change and drift onto the rows, in one query each for all."""
    sids = [row.sid for row in rows]
    open_changes = audit.unsettled(sids)
    drifted = set(OpenDrift.objects.filter(target_sid__in=sids).values_list("target_sid", flat=True))
    for row in rows:
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
    return [
        {"label": f"{label}: {choices.get(value, value)}", "remove_url": query.url(**{name: ""})}
        for name, label in CHIP_WORDS.items()
        if (value := getattr(query, name))
    ]


def _counted(facets: Mapping[str, Counter[str]]) -> dict[str, list[tuple[str, str, int]]]:
    """The filters' options, each with the number of flows that it would give."""
    return {
        name: [(value, label, facets[name][value]) for value, label in options]
        for name, options in CHOICES.items()
    }


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
