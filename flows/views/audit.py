"""Reading the audit log: the list with its filters, which an export shares. One event is in event.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from flows import words
from flows.models import AuditEvent, Plan, PlannedChange, Stage
from flows.services.audit import open_attempts
from flows.views.requests import Request, permitted

PAGE_SIZE = 50
CHIP_WORDS = {
    "q": "Search", "actor": "Person", "action": "Action", "result": "Result", "sid": "Flow",
    "from_date": "From", "to_date": "To", "plan": "Plan",
}  # fmt: skip
PARAMETERS = {"from_date": "from", "to_date": "to"}


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What of the log is asked for; it lives in the URL. Dates are days in UTC, both included."""

    q: str = ""
    actor: str = ""
    action: str = ""
    result: str = ""
    sid: str = ""
    from_date: str = ""
    to_date: str = ""
    plan: str = ""  # the id of a plan, whose changes are asked for
    before: int = 0  # events older than this seq

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> LogQuery:
        before = parameters.get("before", "")
        action, result = parameters.get("action", ""), parameters.get("result", "")
        plan = parameters.get("plan", "").lower()
        return cls(
            q=parameters.get("q", "").replace("\x00", "")[:256],
            actor=parameters.get("actor", "").replace("\x00", "")[:150],
            action=action if action in words.ACTIONS else "",
            result=result if result in words.RESULTS else "",
            sid=parameters.get("sid", "").replace("\x00", "").strip()[:64],
            from_date=_day(parameters.get("from", "")),
            to_date=_day(parameters.get("to", "")),
            plan=plan if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", plan) else "",
            before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else 0,
        )

    def url(self, **changes: str | int) -> str:
        return "?" + urlencode(self.parameters(**changes))

    def parameters(self, **changes: str | int) -> dict[str, str | int]:
        """What is asked for, as the URL names it; from the newest event on, if not told otherwise."""
        values = {**asdict(self), "before": 0, **changes}
        return {PARAMETERS.get(name, name): value for name, value in values.items() if value}


@require_GET
@permitted("flows.view_auditevent", action="audit.view")
def event_list(request: Request) -> HttpResponse:
    query = LogQuery.of(request.GET)
    events = list(matching(query).select_related("payload").order_by("-seq")[: PAGE_SIZE + 1])
    has_older = len(events) > PAGE_SIZE
    events = events[:PAGE_SIZE]
    people = AuditEvent.objects.exclude(actor_label="").values_list("actor_label", flat=True)
    context = {
        "events": events,
        "query": query,
        "choices": {
            "actor": [(name, name) for name in people.order_by("actor_label").distinct()],
            "action": [(value, tried) for value, (_, tried) in words.ACTIONS.items()],
            "result": list(words.RESULTS.items()),
        },
        "chips": chips_of(query),
        "clear_url": reverse("audit:list"),
        "older_url": query.url(before=events[-1].seq) if has_older else None,
        "newest_url": query.url() if query.before else None,
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    response = render(request, "audit/_results.html" if is_fragment else "audit/list.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def matching(query: LogQuery) -> QuerySet[AuditEvent]:
    """Each change once: by its outcome, or by its attempt while that is open. Baselines only if asked for."""
    still_open = list(open_attempts().values_list("seq", flat=True))  # few, whatever the log's length
    events = AuditEvent.objects.filter(~Q(stage=Stage.ATTEMPT) | Q(seq__in=still_open))
    if query.actor:
        events = events.filter(actor_label=query.actor)
    is_wanted = Q(action=query.action) if query.action else ~Q(action="flow.baseline")
    events = events.filter(is_wanted)
    if query.result:
        events = events.filter(result=query.result)
    if query.plan:
        planned = PlannedChange.objects.filter(plan__id=query.plan).values("change_id")
        events = events.filter(Q(request_id=query.plan) | Q(change_id__in=planned))
    if query.sid:
        events = events.filter(target_sid=query.sid)
    if query.from_date:
        events = events.filter(at__gte=_midnight(query.from_date))
    if query.to_date:
        events = events.filter(at__lte=datetime.combine(date.fromisoformat(query.to_date), time.max, UTC))
    if query.before:
        events = events.filter(seq__lt=query.before)
    for word in query.q.split():
        events = events.filter(
            Q(payload__friendly_name__icontains=word)
            | Q(payload__contact_identity__icontains=word)
            | Q(reason__icontains=word)
            | Q(actor_label__icontains=word)
            | Q(target_sid=word)
        )
    return events


def chips_of(query: LogQuery) -> list[dict[str, str]]:
    choices = {**{value: tried for value, (_, tried) in words.ACTIONS.items()}, **words.RESULTS}
    if query.plan:
        plan = Plan.objects.filter(pk=query.plan).first()
        choices[query.plan] = plan.title if plan else query.plan
    return [
        {"label": f"{label}: {choices.get(value, value)}", "remove_url": query.url(**{name: ""})}
        for name, label in CHIP_WORDS.items()
        if (value := getattr(query, name))
    ]


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        return ""


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.min, UTC)
