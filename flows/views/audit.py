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

from flows import accounts, words
from flows.flexapi import schema
from flows.invisible import without_hidden
from flows.models import AuditEvent, Plan, PlannedChange, Result, Stage
from flows.services import reading
from flows.services.audit import open_attempts
from flows.services.reading import Found
from flows.views.requests import OF_THE_SITE, Request, permitted

PAGE_SIZE = 50
# What would bury all else, and is shown where it is asked for: first states, and sign-ins that nothing is wrong with.
UNASKED = Q(action="flow.baseline") | Q(action__in=("auth.login", "auth.logout"), result=Result.SUCCEEDED)
CHIP_WORDS = {
    "q": "Search", "actor": "Person", "action": "Action", "result": "Result", "sid": "Flow",
    "account": "Account",
    "from_date": "From", "to_date": "To", "plan": "Plan",
}  # fmt: skip
STRETCHES = {
    "log": f"{reading.STRETCH:,} events",
    "flow": f"{reading.OF_ONE:,} events of the flow",
    "person": f"{reading.OF_ONE:,} events of that person",
}
PARAMETERS = {"from_date": "from", "to_date": "to"}


@dataclass(frozen=True, slots=True)
class LogQuery:
    """What of the log is asked for; it lives in the URL. Dates are days in UTC, both included."""

    q: str = ""
    actor: str = ""
    action: str = ""
    result: str = ""
    sid: str = ""
    account: str = ""
    from_date: str = ""
    to_date: str = ""
    plan: str = ""  # the id of a plan, whose changes are asked for
    before: int = 0  # events older than this seq
    whole: str = ""  # "1": the log is looked through to its beginning, however long that takes

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> LogQuery:
        before = parameters.get("before", "")
        action, result = parameters.get("action", ""), parameters.get("result", "")
        plan, account = parameters.get("plan", "").lower(), parameters.get("account", "")
        return cls(
            q=parameters.get("q", "").replace("\x00", "")[:256],
            actor=parameters.get("actor", "").replace("\x00", "")[:150],
            action=action if action in words.ACTIONS else "",
            result=result if result in words.RESULTS else "",
            sid=without_hidden(parameters.get("sid", "")).strip()[:64],
            account=account if schema.is_sid("AC", account) else "",
            from_date=_day(parameters.get("from", "")),
            to_date=_day(parameters.get("to", "")),
            plan=plan if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", plan) else "",
            whole="1" if parameters.get("whole") == "1" else "",
            before=int(before) if before.isascii() and before.isdecimal() and len(before) < 19 else 0,
        )

    @property
    def is_few(self) -> bool:
        """Whether what is asked for is little, however long the log: what is of a plan, or under way."""
        return bool(self.plan) or self.result == Result.PENDING

    @property
    def looks_at(self) -> str:
        """What is looked through, so many events at a time: the "log", what is of the "flow" or of the "person" (who may
        only have signed in); "" where an index has what is asked for. Beside the accounts an index knows one thing,
        whatever the days; two at once, and words, are in none."""
        asked = sum(map(bool, (self.actor, self.action, self.result)))
        if self.whole or self.is_few:
            return ""
        if self.sid:
            return "flow" if asked or self.q.split() else ""
        if asked > 1 or self.q.split():
            return "log"
        return "person" if self.actor and not self.account else ""

    def url(self, **changes: str | int) -> str:
        return "?" + urlencode(self.parameters(**changes))

    def parameters(self, **changes: str | int) -> dict[str, str | int]:
        """What is asked for, as the URL names it; from the newest event on, if not told otherwise."""
        values = {**asdict(self), "before": 0, "whole": "", **changes}
        return {PARAMETERS.get(name, name): value for name, value in values.items() if value}


@require_GET
@permitted("flows.view_auditevent", action="audit.view")
def event_list(request: Request) -> HttpResponse:
    query = LogQuery.of(request.GET)
    found = page_of(query, request.scope)
    events, looked_to = found.events, found.looked_to
    here = accounts.of_scope(request.scope)
    known = {account.sid: account for account in here} if len(here) > 1 else {}
    for event in events:
        event.account = known.get(event.account_sid)  # type: ignore[attr-defined]
    context = {
        "events": events,
        "query": query,
        "choices": {
            "actor": [(name, name) for name in reading.people(request.scope)],
            "action": [(value, tried) for value, (_, tried) in words.ACTIONS.items()],
            "result": list(words.RESULTS.items()),
            "account": [(account.sid, str(account)) for account in known.values()],
        },
        "chips": chips_of(query, request.scope),
        "clear_url": reverse("audit:list"),
        "older_url": query.url(before=events[-1].seq, whole=query.whole) if found.has_older else None,
        "looked_to": looked_to,
        "stretch": STRETCHES.get(query.looks_at, ""),
        "further_url": query.url(before=looked_to.seq) if looked_to else None,
        "whole_url": query.url(before=query.before, whole="1") if looked_to else None,
        "newest_url": query.url() if query.before else None,
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    response = render(request, "audit/_results.html" if is_fragment else "audit/list.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def readable(scope: accounts.Scope) -> QuerySet[AuditEvent]:
    """The events that somebody may read who may read of these accounts. Who signs in, and people's roles, are for those
    who may read everything."""
    return reading.of_accounts(_of_accounts_alone(scope), scope)


def _of_accounts_alone(scope: accounts.Scope) -> QuerySet[AuditEvent]:
    events = AuditEvent.objects.all()
    for beginning in () if scope is None else OF_THE_SITE:
        events = events.exclude(action__startswith=beginning)
    return events


def page_of(query: LogQuery, scope: accounts.Scope) -> Found:
    """A page of what is asked for."""
    first, last = reading.places(_date(query.from_date), _date(query.to_date))
    last = min(last, query.before - 1) if query.before else last
    lowest, events = first, AuditEvent.objects.all()
    match query.looks_at:
        case "log":
            lowest = max(first, last - reading.STRETCH + 1)
        case "flow":
            lowest = reading.reach(events.filter(target_sid=query.sid), scope, first=first, last=last)
        case "person" if scope is None:  # to sign in is of no account
            lowest = reading.reach(events.filter(actor_label=query.actor), scope, first=first, last=last)
    return reading.newest(_branches(query, scope), PAGE_SIZE, first=first, last=last, lowest=lowest)


def matching(query: LogQuery, scope: accounts.Scope) -> QuerySet[AuditEvent]:
    """Each change of these accounts once: by its outcome, or by its attempt while that is open. What would bury
    all else, only if asked for."""
    events = reading.of_accounts(_asked(query, scope), scope)
    if query.account:
        events = events.filter(account_sid=query.account)
    if query.plan:
        events = events.filter(_of_plan(query.plan) | Q(request_id=query.plan))
    if query.from_date or query.to_date:
        first, last = reading.places(_date(query.from_date), _date(query.to_date))
        events = events.filter(seq__gte=first, seq__lte=last)
    return events.filter(seq__lt=query.before) if query.before else events


def _branches(query: LogQuery, scope: accounts.Scope) -> list[QuerySet[AuditEvent]]:
    """What is asked for, cut up so that an index has each part in the order of the log: an `IN` or an `OR` would have
    all of it sorted first."""
    events = _asked(query, scope)
    sids = frozenset({query.account}) if query.account else scope
    if query.account and scope is not None:
        sids = scope & {query.account}
    if sids is None:
        parts = [events]
    elif query.is_few or query.sid:  # the index is the flow's or the plan's, not the accounts'
        parts = [reading.of_accounts(events, sids)]
    else:
        parts = [events.filter(account_sid=sid) for sid in sorted(sids)]
    if query.plan:
        parts = [
            part.filter(is_of_it)
            for part in parts
            for is_of_it in (Q(request_id=query.plan), _of_plan(query.plan))
        ]
    return parts


def _of_plan(plan: str) -> Q:
    return Q(change_id__in=PlannedChange.objects.filter(plan__id=plan).values("change_id"))


def _asked(query: LogQuery, scope: accounts.Scope) -> QuerySet[AuditEvent]:
    """All but where to look: the accounts, the plan and the place in the log."""
    still_open = Q(seq__in=list(open_attempts().values_list("seq", flat=True)))  # few, however long the log
    # Attempts alone are under way. There is one in every change; going through them all would take long.
    is_listed = still_open if query.result == Result.PENDING else ~Q(stage=Stage.ATTEMPT) | still_open
    events = _of_accounts_alone(scope).filter(is_listed)
    if not query.action:
        events = events.exclude(UNASKED)
    wanted = {"actor_label": query.actor, "action": query.action, "result": query.result}
    if query.is_few:
        wanted["target_sid"] = query.sid
    elif query.sid:
        events = events.filter(target_sid=query.sid)
    wanted = {name: value for name, value in wanted.items() if value}
    events = reading.aside(events, **wanted) if query.is_few or query.sid else events.filter(**wanted)
    if query.from_date:
        events = events.filter(at__gte=_midnight(query.from_date))
    if query.to_date:
        events = events.filter(at__lte=datetime.combine(date.fromisoformat(query.to_date), time.max, UTC))
    for word in query.q.split():
        events = events.filter(
            Q(payload__friendly_name__icontains=word)
            | Q(payload__contact_identity__icontains=word)
            | Q(reason__icontains=word)
            | Q(actor_label__icontains=word)
            | Q(target_sid=word)
        )
    return events


def chips_of(query: LogQuery, scope: accounts.Scope) -> list[dict[str, str]]:
    choices = {**{value: tried for value, (_, tried) in words.ACTIONS.items()}, **words.RESULTS}
    choices |= {account.sid: str(account) for account in accounts.of_scope(scope)}
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


def _date(day: str) -> date | None:
    return date.fromisoformat(day) if day else None


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time.min, UTC)
