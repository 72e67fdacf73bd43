"""The routing page: who gets a message, and the coverage of all numbers and senders.

Both can also be asked about the time after a bulk change (`PlannedRouting`), which the package of the
bulk changes hands in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render

from flows.accounts import twilio_accounts
from flows.accounts.twilio_accounts import Account
from flows.audit.access import Request
from flows.checks.planned_flows import PlannedValues
from flows.checks.stored_state import oldest_reading
from flows.mirror import freshness
from flows.routing.answer_words import (
    EFFECT_SHAPES,
    answer_context,
    count_handlers,
    name_handlers,
    why_no_one,
)
from flows.routing.answers import Answer
from flows.routing.coverage import Coverage, Covered, find_coverage
from flows.routing.explain import Router
from flows.routing.forms import RoutingForm
from flows.routing.links import routing_query
from flows.routing.load_planned import load_planned
from flows.routing.load_routing import load_coverage, load_for_question
from flows.routing.path_changes import PathChange, is_different
from flows.routing.questions import Direction, Question
from flows.routing.similar_numbers import find_spelling
from flows.twilio.flex.flex_flow import CHANNEL_TYPES

PAGE_SIZE: Final = 50
# What is counted of all numbers and senders, with the class of its mark.
TOTALS: Final = {
    Coverage.NONE: ("bad", "without a handler"),
    Coverage.SEVERAL: ("doubt", "with several handlers"),
    Coverage.ONE: ("good", "with one handler"),
    Coverage.BROKEN: ("bad", "of them with a broken handler"),
}


@dataclass(frozen=True, slots=True)
class PlannedRouting:
    """A bulk change that the page asks about: its values by account, or why it can't be asked about."""

    plan_id: str = ""
    title: str = ""
    url: str = ""
    values: Mapping[str, PlannedValues] = field(default_factory=dict)
    problem: str = ""

    @property
    def is_asked(self) -> bool:
        return bool(self.plan_id) and not self.problem


def render_routing(request: Request, planned: PlannedRouting) -> HttpResponse:
    """Show who gets a message, or for a page without a question, the coverage of all numbers."""
    accounts = list(twilio_accounts.visible_accounts(request.scope))
    is_asked = "channel" in request.GET
    form = RoutingForm(request.GET if is_asked else None, accounts)
    context: dict[str, Any] = {
        "form": form,
        "planned": planned,
        "is_asked": is_asked and form.is_valid(),
    }
    concerned = accounts
    if context["is_asked"]:
        selected = form.selected_accounts()
        question, similar = find_spelling(form.question(), selected)
        results = _explain(selected, question, planned, len(accounts) > 1)
        concerned = [each["account"] for each in results if each["account"]] or selected
        context |= {
            "question": question,
            "channel": CHANNEL_TYPES[question.channel],
            "is_inbound": question.direction == Direction.INBOUND,
            "results": results,
            "similar": [_similar_link(request, identity) for identity in similar],
        }
    elif not is_asked:
        context |= _coverage(request, accounts, planned)
    context |= {
        "freshness": freshness.select_worst(freshness.load_freshness(concerned)),
        "names_read_at": oldest_reading([account.sid for account in concerned]),
    }
    return render(request, "routing/routing.html", context)


def _similar_link(request: Request, identity: str) -> dict[str, str]:
    """Return a number with the address that asks about it instead."""
    parameters = request.GET.copy()
    parameters["identity"] = identity
    return {"identity": identity, "url": f"?{parameters.urlencode()}"}


def _explain(
    accounts: list[Account], question: Question, planned: PlannedRouting, names_accounts: bool
) -> list[dict[str, Any]]:
    """Return the answer of each account. Of several, those that know nothing are omitted."""
    results = []
    for account in accounts:
        answer, later = _answers_of(account, question, planned)
        if len(accounts) == 1 or _is_known(answer) or (later and _is_known(later)):
            results.append(
                {
                    "account": account if names_accounts else None,
                    **answer_context(answer, question),
                    "later": answer_context(later, question) if later else None,
                    "is_same": later is not None and not is_different(answer, later),
                }
            )
    return results


def _answers_of(
    account: Account, question: Question, planned: PlannedRouting
) -> tuple[Answer, Answer | None]:
    """Return who gets a message now, and after the bulk change that is asked about, if one is."""
    if not planned.is_asked:
        return Router(load_for_question(account, question)).explain(question), None
    paths = load_planned(account, planned.values.get(account.sid, {}), question)
    return Router(paths.now).explain(question), Router(paths.later).explain(question)


def _is_known(answer: Answer) -> bool:
    return bool(answer.steps or answer.candidates or answer.handlers)


def _coverage(request: Request, accounts: list[Account], planned: PlannedRouting) -> dict[str, Any]:
    coverage = [
        (account, covered, changes.get((covered.question.channel, covered.question.key)))
        for account in accounts
        for changes in [_find_changes(account, planned)]
        for covered in find_coverage(load_coverage(account))
    ]
    coverage.sort(key=lambda each: (_effect_rank(each[2]), each[1].answer.quality.rank))
    chosen = next((each for each in Coverage if each.value == request.GET.get("handlers")), None)
    shown_coverage = [
        each for each in coverage if chosen is None or chosen.includes(each[1].answer)
    ]
    page = Paginator(shown_coverage, PAGE_SIZE).get_page(request.GET.get("page"))
    number = page.number
    return {
        "totals": _totals([covered.answer for _, covered, _ in coverage], chosen, planned),
        "all_url": f"?{urlencode(_plan_query(planned))}" if chosen else None,
        "changed_count": sum(1 for _, _, change in coverage if change),
        "page": page,
        "rows": [
            _coverage_row(account, covered, change, planned, is_one=len(accounts) == 1)
            for account, covered, change in page
        ],
        "previous_url": _page_url(number - 1, planned, chosen) if page.has_previous() else None,
        "next_url": _page_url(number + 1, planned, chosen) if page.has_next() else None,
    }


def _totals(
    answers: Sequence[Answer], chosen: Coverage | None, planned: PlannedRouting
) -> list[dict[str, Any]]:
    """Return the counts that aren't 0, each with the address that shows what it counts."""
    counts = {kind: sum(kind.includes(answer) for answer in answers) for kind in TOTALS}
    return [
        {
            "shape": shape,
            "count": counts[kind],
            "words": words,
            "url": f"?{urlencode({'handlers': kind.value, **_plan_query(planned)})}",
            "is_current": kind is chosen,
        }
        for kind, (shape, words) in TOTALS.items()
        if counts[kind]
    ]


def _find_changes(account: Account, planned: PlannedRouting) -> dict[tuple[str, str], PathChange]:
    """Return what a bulk change changes in an account, by channel and normalized identity."""
    values = planned.values.get(account.sid) if planned.is_asked else None
    changes = load_planned(account, values).find_changes() if values else []
    return {(each.question.channel, each.question.key): each for each in changes}


def _effect_rank(change: PathChange | None) -> int:
    """Return the place of a row: those that change come first, the worst of them at the top."""
    return change.effect.rank if change else len(EFFECT_SHAPES)


def _coverage_row(
    account: Account,
    covered: Covered,
    change: PathChange | None,
    planned: PlannedRouting,
    *,
    is_one: bool,
) -> dict[str, Any]:
    question, answer = covered.question, covered.answer
    query = {**routing_query(account.sid, question), **_plan_query(planned)}
    return {
        "account": None if is_one else account,
        "identity": question.identity,
        "channel": CHANNEL_TYPES[question.channel],
        "answer": answer,
        "shape": answer.quality.value,
        "why": why_no_one(answer),
        "count": count_handlers(answer),
        "query": urlencode(query),
        "change": change,
        "change_shape": EFFECT_SHAPES[change.effect] if change else "",
        "later": _describe_later(change.later) if change else "",
    }


def _describe_later(answer: Answer) -> str:
    """Return who would get the messages of a number, briefly."""
    return name_handlers(answer.handlers) or why_no_one(answer)


def _page_url(number: int, planned: PlannedRouting, chosen: Coverage | None) -> str:
    handlers = {"handlers": chosen.value} if chosen else {}
    return f"?{urlencode({'page': number, **handlers, **_plan_query(planned)})}"


def _plan_query(planned: PlannedRouting) -> dict[str, str]:
    return {"plan": planned.plan_id} if planned.is_asked else {}
