"""Differences between the answers now and later: what counts as another path, and how bad it is."""

import pytest

from flows.routing.answers import Answer, Doubt, Handler, HandlerKind, Problem, Step
from flows.routing.explain import Router
from flows.routing.path_changes import Effect, PathChange, find_path_changes, is_different
from flows.routing.questions import Question
from tests.flows.routing.world import N, address, build, flow, number, studio, unread

QUESTION = Question("sms", N)
PROXIED = number(webhook="proxy")
GONE = studio("gone", is_gone=True)
STUDIO = Step("Studio Flow", "Support · FW1", sid="FW1")
LYON = Handler(HandlerKind.FLOW, "FO1", "Lyon", STUDIO)


def find(now, later):
    """Return what the change from one world to another does to the messages to N."""
    routers = (Router(build(parts, "sms", N)) for parts in (now, later))
    return [each.effect for each in find_path_changes(*routers, [QUESTION])]


@pytest.mark.parametrize(
    ("now", "later", "effect"),
    [
        ([flow("a")], [flow("a", on=False)], Effect.LOST),
        ([flow("a")], [], Effect.LOST),
        ([flow("a")], [GONE, flow("a", studio="gone")], Effect.LOST),
        ([flow("a")], [flow("a"), flow("b")], Effect.WORSE),
        ([flow("a"), address("x")], [GONE, flow("a", studio="gone"), address("x")], Effect.WORSE),
        ([flow("a")], [flow("b")], Effect.OTHER),
        ([flow("a")], [flow("a", studio="default2")], Effect.OTHER),
        ([flow("a", on=False)], [GONE, flow("a", studio="gone")], Effect.UNANSWERED),
        ([flow("a"), flow("b")], [flow("a")], Effect.BETTER),
        ([], [flow("a")], Effect.GAINED),
        ([GONE, flow("a", studio="gone")], [flow("a")], Effect.GAINED),
    ],
)
def test_effect_of_a_change(now, later, effect):
    assert find([PROXIED, *now], [PROXIED, *later]) == [effect]


def test_what_is_no_other_path():
    renamed = Handler(HandlerKind.FLOW, "FO1", "Paris", Step("Studio Flow", "Other", sid="FW1"))

    assert not is_different(Answer(handlers=[LYON]), Answer(handlers=[renamed]))
    assert not is_different(Answer(), Answer(doubts=(Doubt.PAGE_UNREAD,)))
    assert find([PROXIED, flow("a")], [PROXIED, flow("a"), flow("b", on=False)]) == []


@pytest.mark.parametrize(
    "other",
    [
        Handler(HandlerKind.FLOW, "FO2", "Lyon", STUDIO),
        Handler(HandlerKind.ADDRESS, "FO1", "Lyon", STUDIO),
        Handler(HandlerKind.FLOW, "FO1", "Lyon", Step("Studio Flow", STUDIO.text, sid="FW2")),
        Handler(HandlerKind.FLOW, "FO1", "Lyon", Step("Workflow", STUDIO.text, sid="FW1")),
        Handler(HandlerKind.FLOW, "FO1", "Lyon", Step("Webhook", "h.example")),
        Handler(HandlerKind.FLOW, "FO1", "Lyon"),
        Handler(HandlerKind.FLOW, "FO1", "Lyon", STUDIO, (Problem("target-gone", "Gone."),)),
        Handler(HandlerKind.FLOW, "FO1", "Lyon", STUDIO, is_doubtful=True),
    ],
)
def test_what_is_another_path(other):
    assert is_different(Answer(handlers=[LYON]), Answer(handlers=[other]))


def test_worst_comes_first_and_unchanged_paths_are_omitted():
    numbers = [f"+1415555010{digit}" for digit in range(5)]
    now = [flow(letter, channel="whatsapp", identity=f"whatsapp:{numbers[place]}", on=on)
           for place, (letter, on) in enumerate(zip("abcd", [False, True, True, True], strict=True))]  # fmt: skip
    later = [*now, flow("e", channel="whatsapp", identity=f"whatsapp:{numbers[1]}")]
    later[0] = flow("a", channel="whatsapp", identity=f"whatsapp:{numbers[0]}")
    later[2] = flow("c", channel="whatsapp", identity=f"whatsapp:{numbers[2]}", on=False)
    routers = (
        Router(build([unread("whatsapp_sender"), *parts], "whatsapp", "")) for parts in (now, later)
    )
    questions = [Question("whatsapp", f"whatsapp:{each}") for each in numbers]

    changes = find_path_changes(*routers, questions)

    assert [(each.question.identity[-1], each.effect) for each in changes] == [
        ("2", Effect.LOST),
        ("1", Effect.WORSE),
        ("0", Effect.GAINED),
    ]


def test_doubts_of_both_sides_are_kept_once():
    now = Answer(doubts=(Doubt.PAGE_UNREAD, Doubt.OPEN_CHANGE))
    later = Answer(doubts=(Doubt.TWO_FLOWS_ON, Doubt.PAGE_UNREAD))

    assert PathChange(QUESTION, now, later).doubts == (
        Doubt.PAGE_UNREAD,
        Doubt.OPEN_CHANGE,
        Doubt.TWO_FLOWS_ON,
    )


def test_message_that_only_a_webhook_still_gets_leaves_flex():
    webhook = Handler(HandlerKind.WEBHOOK, "old-bot.example", "old-bot.example")
    both, alone = Answer(handlers=[LYON, webhook]), Answer(handlers=[webhook])
    broken = Handler(HandlerKind.FLOW, "FO1", "Lyon", STUDIO, (Problem("target-gone", "Gone."),))

    assert PathChange(QUESTION, both, alone).effect == Effect.LEAVES_FLEX
    assert PathChange(QUESTION, alone, both).effect == Effect.WORSE
    assert PathChange(QUESTION, Answer(handlers=[broken, webhook]), alone).effect == Effect.BETTER
