"""Answers as sentences: how many handlers there are, and how many of them can handle a message."""

import pytest

from flows.checks.planned_flows import planned_sid
from flows.routing.answer_words import (
    changes_context,
    count_handlers,
    describe_answer,
    describe_blind_spot,
    why_no_one,
)
from flows.routing.answers import (
    Answer,
    Candidate,
    Doubt,
    Handler,
    HandlerKind,
    Problem,
    Reason,
    Step,
)
from flows.routing.path_changes import PathChange
from flows.routing.questions import Direction, Question

INBOUND = Question("sms", "+14155550123")
OUTBOUND = Question("sms", "+14155550123", Direction.OUTBOUND)
BROKEN = (Problem("target-gone", "It is gone."),)
DOUBTS = (Doubt.NUMBERS_UNREAD,)


def handlers(able, broken=0):
    return [
        Handler(
            HandlerKind.FLOW, f"FO{number:032}", "Lyon", problems=BROKEN if number >= able else ()
        )
        for number in range(able + broken)
    ]


@pytest.mark.parametrize(
    ("able", "broken", "sentence"),
    [
        (1, 0, "The flow “Lyon” is the only one that gets it."),
        (0, 1, "The flow “Lyon” is the only one that gets it, but it can't handle it."),
        (2, 0, "Both can get it."),
        (1, 1, "Both can get it, but only one of them can handle it."),
        (0, 2, "Both can get it, but none of them can handle it."),
        (3, 0, "All 3 can get it."),
        (2, 1, "All 3 can get it, but only 2 of them can handle it."),
        (1200, 0, "All 1,200 can get it."),
        (0, 0, "No one gets it."),
    ],
)
def test_answer_counts_handlers_and_those_that_can_handle_it(able, broken, sentence):
    assert describe_answer(Answer(handlers=handlers(able, broken)), INBOUND) == sentence


@pytest.mark.parametrize(
    ("handler", "subject"),
    [
        (Handler(HandlerKind.ADDRESS, "IG1", "Main"), "the address “Main”"),
        (Handler(HandlerKind.WEBHOOK, "h.example", "h.example"), "the webhook at h.example"),
        (
            Handler(HandlerKind.SERVICE, "h.example", "h.example"),
            "the webhook of the Messaging Service at h.example",
        ),
        (Handler(HandlerKind.APPLICATION, "AP1", "AP1"), "the TwiML application AP1"),
        (Handler(HandlerKind.FLOW, "FO1", ""), "the flow “FO1”"),
        (Handler(HandlerKind.FLOW, planned_sid(2), ""), "a new flow"),
    ],
)
def test_uncertain_answer_says_so(handler, subject):
    sentence = describe_answer(Answer(handlers=[handler], doubts=DOUBTS), INBOUND)

    assert sentence == f"As far as is known, {subject} is the only one that gets it."
    no_one = describe_answer(Answer(doubts=DOUBTS), INBOUND)
    assert no_one == "As far as is known, no one gets it."


def test_message_to_a_customer():
    assert describe_answer(Answer(), OUTBOUND) == "No flow can send it."
    one, several = (Answer(handlers=handlers(number)) for number in (1, 2))
    assert describe_answer(one, OUTBOUND) == "The flow “Lyon” is the only one that can send it."
    assert describe_answer(several, OUTBOUND) == "2 flows can send it."


@pytest.mark.parametrize(
    ("kind", "problems", "sentence"),
    [
        ("Studio Flow", (), "which way a message takes through the Studio Flow."),
        ("Webhook host", (), "what the webhook does with it."),
        ("Workflow", (), ""),
        ("Studio Flow", BROKEN, ""),
        ("Webhook host", BROKEN, ""),
    ],
)
def test_only_what_works_has_a_part_that_cant_be_seen(kind, problems, sentence):
    handler = Handler(HandlerKind.FLOW, "FO1", "Lyon", Step(kind, "Support"), problems)

    described = describe_blind_spot(Answer(handlers=[handler]))

    assert described == (f"The dashboard can't see {sentence}" if sentence else "")


def test_a_website_chooses_among_several_handlers_of_its_chats():
    web = Question("web")

    assert describe_answer(Answer(handlers=handlers(3)), web) == (
        "All 3 can get it. A website names one by its SID, and that one gets its chats."
    )
    assert "website" not in describe_answer(Answer(handlers=handlers(3)), INBOUND)


def test_change_shows_only_the_paths_that_differ():
    now = Answer(handlers=handlers(5))
    later = Answer(handlers=handlers(4, broken=1))

    (change,) = changes_context([PathChange(INBOUND, now, later)])["path_changes"]

    assert change["kept_count"] == 4
    for side in change["sides"]:
        assert [path["handler"].key for path in side["paths"]] == [f"FO{4:032}"]
        assert side["omitted"] == 0


def test_count_and_reason():
    counts = [count_handlers(Answer(handlers=handlers(number))) for number in (0, 1, 2)]
    off = Candidate(HandlerKind.FLOW, "FO1", "", Reason.OFF)

    assert counts == ["No handler", "One handler", "2 handlers"]
    assert why_no_one(Answer()) == "No flow and no address is set up for it."
    assert why_no_one(Answer(candidates=[off])) == "FO1: It is off."
