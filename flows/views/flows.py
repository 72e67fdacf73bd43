"""Reading flows: the list, one flow, and the button that refreshes the copy. Changing them is in changes.py."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET, require_POST

from flows import lint, search, words
from flows.flexapi import schema
from flows.flexapi.errors import FlexError
from flows.masking import masked, storable
from flows.models import AuditEvent, Flow, Result, Stage
from flows.services import audit, mirror, reconcile
from flows.services.changes import HELD_BACK_FOR
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
RECONCILED_AT_ONCE = 5  # changes in doubt that one refresh looks at: each is a read
HISTORY = 20  # events on a flow's page; the log has the rest


@require_GET
@permitted("flows.view_flow", action="flow.view")
def flow_list(request: Request) -> HttpResponse:
    query = search.Query.of(request.GET)
    if schema.is_sid("FO", query.q.strip()) and not request.htmx:
        return redirect("flows:detail", sid=query.q.strip())
    found = search.find(query)
    _decorate(found.rows)
    copy = mirror.copy_state()
    context = {
        "query": query,
        "found": _Page(found, query),
        "columns": [_column(query, key, label) for key, label in COLUMNS],
        "choices": CHOICES,
        "chips": _chips(query),
        "clear_url": reverse("flows:list"),
        "copy": copy,
        "copy_is_stale": mirror.is_stale(copy),
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
    history = AuditEvent.objects.filter(target_sid=sid).exclude(stage=Stage.ATTEMPT).select_related("payload")
    context = {
        "flow": flow,
        "state": state,
        "problem": problem,
        "sections": _sections(snapshot),
        "unknown": [(name, value) for name, value in snapshot.items() if name not in schema.BY_NAME],
        "warnings": [] if state == "gone" else lint.warnings(snapshot),
        "history": list(history.order_by("-seq")[:HISTORY]),
        "open_change": _open_change(audit.unsettled([sid]).get(sid)),
        "log_url": f"{reverse('audit:list')}?{urlencode({'sid': sid})}",
    }
    return render(request, "flows/detail.html", context)


@require_POST
@permitted("flows.view_flow", action="flow.sync")
def flow_sync(request: Request) -> HttpResponse:
    """Refreshes the copy. Changes nothing at Twilio, so everybody who may look may do it."""
    moved = False
    try:
        moved = mirror.sync().moved
        moved = bool(reconcile.reconcile(most=RECONCILED_AT_ONCE)) or moved
    except mirror.SyncBusy:
        moved = True  # somebody else's refresh; look again at what it brought
    except FlexError:
        pass  # kept in the copy's state, which the page shows
    if not request.htmx:
        return redirect("flows:list")
    response = render(request, "flows/_copy.html", {"copy": mirror.copy_state(), "copy_is_stale": False})
    if moved:
        response["HX-Trigger"] = "flows-changed"
    return response


class _Page:
    """What was found, with the ways to the pages beside it."""

    def __init__(self, found: search.Found, query: search.Query) -> None:
        self.rows, self.total, self.first, self.last = found.rows, found.total, found.first, found.last
        self.previous_url = query.url(page=found.page - 1) if found.page > 1 else None
        self.next_url = query.url(page=found.page + 1) if found.has_next else None


def _decorate(rows: list[Flow]) -> None:
    """Puts warnings and an open change onto the rows, in one query for all."""
    open_changes = audit.unsettled([row.sid for row in rows])
    for row in rows:
        row.warnings = lint.warnings(row.resource)  # type: ignore[attr-defined]
        row.open_change = _open_change(open_changes.get(row.sid))  # type: ignore[attr-defined]


def _open_change(event: AuditEvent | None) -> AuditEvent | None:
    """With the word for its state: an attempt that is older than any call is under way no more."""
    if event is not None:
        is_old = event.at < timezone.now() - HELD_BACK_FOR
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
