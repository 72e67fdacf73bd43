"""Calls that answer who gets a message, and how many handlers each number and sender has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal

from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac
from ninja import Query, Router, Schema
from pydantic import Field as SchemaField

from flows.accounts.twilio_accounts import Account
from flows.api.access import chosen_accounts, require_scope
from flows.api.paging import json_response, sorted_page
from flows.api.problems import invalid
from flows.api.schemas import PageParameters, responses
from flows.routing.answer_words import describe_answer
from flows.routing.answers import Answer, Candidate, Handler, Step
from flows.routing.coverage import ATTENTION, Coverage, Covered, find_coverage
from flows.routing.explain import Router as MessageRouter
from flows.routing.forms import RoutingForm
from flows.routing.load_routing import load_coverage, load_for_question
from flows.routing.questions import Question
from flows.routing.similar_numbers import find_spelling

router = Router(tags=["Routing"])
_CURSOR_SALT: Final = "flows.api.calls.routing.cursor"


class RoutingParameters(Schema):
    """A message."""

    channel: Annotated[str, SchemaField(description="sms, whatsapp, facebook or web.")]
    address: Annotated[
        str, SchemaField(description="Your number, sender or page. Web chat has none.")
    ] = ""
    direction: Annotated[str, SchemaField(description="inbound or outbound.")] = "inbound"
    account: Annotated[str, SchemaField(description="An account's SID.")] = ""


class CoverageParameters(PageParameters):
    """The parameters of the coverage."""

    handlers: Annotated[
        str, SchemaField(description="none, one, several or broken: those that have it.")
    ] = ""


class StepBody(Schema):
    kind: str
    text: str
    note: str
    sid: str
    is_broken: bool


class HandlerBody(Schema):
    """Something that gets the message. `problems` say why it can do nothing with it."""

    kind: str
    key: str
    name: str
    target: StepBody | None
    problems: list[str]
    is_doubtful: bool


class CandidateBody(Schema):
    """A flow or an address that was considered, with the reason for or against it."""

    kind: str
    sid: str
    name: str
    gets_it: bool
    reason: str


class AnswerBody(Schema):
    """Who gets a message in an account. `doubts` say what is uncertain."""

    account_sid: str
    channel: str
    address: str
    direction: Literal["inbound", "outbound"]
    verdict: Literal["none", "one", "several"]
    is_broken: bool
    sentence: str
    steps: list[StepBody]
    handlers: list[HandlerBody]
    candidates: list[CandidateBody]
    doubts: list[str]


class RoutingBody(Schema):
    """The answer of each account. `similar` are numbers that the address can stand for."""

    items: list[AnswerBody]
    similar: list[str]


class CoveragePage(Schema):
    items: list[AnswerBody]
    next_cursor: str | None = None


@router.get("routing", response=responses({200: RoutingBody}), summary="Find who gets a message")
def read_routing(request: HttpRequest, parameters: Query[RoutingParameters]) -> HttpResponse:
    """Return who gets a message, as the dashboard knows the accounts."""
    accounts = chosen_accounts(parameters.account, require_scope(request).scope)
    question, similar = find_spelling(_find_question(parameters, accounts), accounts)
    items = []
    for account in accounts:
        answer = MessageRouter(load_for_question(account, question)).explain(question)
        items.append(_answer_body(account.sid, question, answer))
    return json_response({"items": items, "similar": similar})


@router.get("coverage", response=responses({200: CoveragePage}), summary="List coverage")
def list_coverage(request: HttpRequest, parameters: Query[CoverageParameters]) -> HttpResponse:
    """List the handlers of every number and sender, those without one first."""
    accounts = chosen_accounts(parameters.account, require_scope(request).scope)
    chosen = _find_coverage_kind(parameters.handlers)
    covered = [
        (account.sid, each)
        for account in accounts
        for each in find_coverage(load_coverage(account))
        if chosen is None or chosen.includes(each.answer)
    ]
    page, next_cursor = sorted_page(
        covered, parameters.cursor, parameters.limit, name="coverage", key=_coverage_key
    )
    items = [_answer_body(sid, each.question, each.answer) for sid, each in page]
    return json_response({"items": items, "next_cursor": next_cursor})


def _coverage_key(pair: tuple[str, Covered]) -> tuple[str | int, ...]:
    """Return the place of a number or a sender in the list. It says nothing about the number."""
    account_sid, covered = pair
    answer, question = covered.answer, covered.question
    digest = salted_hmac(_CURSOR_SALT, question.identity, algorithm="sha256").hexdigest()
    place = answer.quality.rank, ATTENTION.index(answer.verdict)
    return *place, account_sid, question.channel, digest


def _find_question(parameters: RoutingParameters, accounts: Sequence[Account]) -> Question:
    """Return the question by the rules of the page's form. Raise `Problem`."""
    form = RoutingForm({**parameters.dict(), "identity": parameters.address}, accounts)
    if form.is_valid():
        return form.question()
    names = {"identity": "address"}
    raise invalid(
        {
            names.get(name, name): [str(each) for each in messages]
            for name, messages in form.errors.items()
        }
    )


def _find_coverage_kind(word: str) -> Coverage | None:
    if not word:
        return None
    for each in Coverage:
        if each.value == word:
            return each
    words = ", ".join(each.value for each in Coverage)
    raise invalid({"handlers": [f"Choose one of {words}."]})


def _answer_body(account_sid: str, question: Question, answer: Answer) -> dict[str, Any]:
    return {
        "account_sid": account_sid,
        "channel": question.channel,
        "address": question.identity,
        "direction": question.direction.value,
        "verdict": answer.verdict.value,
        "is_broken": answer.is_broken,
        "sentence": describe_answer(answer, question),
        "steps": list(map(_step_body, answer.steps)),
        "handlers": list(map(_handler_body, answer.handlers)),
        "candidates": list(map(_candidate_body, answer.candidates)),
        "doubts": [doubt.value for doubt in answer.doubts],
    }


def _step_body(step: Step) -> dict[str, Any]:
    return {
        "kind": step.kind,
        "text": step.text,
        "note": step.note,
        "sid": step.sid,
        "is_broken": step.is_broken,
    }


def _handler_body(handler: Handler) -> dict[str, Any]:
    return {
        "kind": handler.kind.value,
        "key": handler.key,
        "name": handler.name,
        "target": _step_body(handler.target) if handler.target else None,
        "problems": [problem.message for problem in handler.problems],
        "is_doubtful": handler.is_doubtful,
    }


def _candidate_body(candidate: Candidate) -> dict[str, Any]:
    return {
        "kind": candidate.kind.value,
        "sid": candidate.sid,
        "name": candidate.name,
        "gets_it": candidate.gets_it,
        "reason": candidate.sentence,
    }
