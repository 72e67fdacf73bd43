"""Each situation has the answer that was written down for it before the code."""

from collections import Counter

import pytest

from flows.routing.explain import Router
from flows.routing.questions import Question
from tests.flows.routing.situations import SITUATIONS
from tests.flows.routing.world import build


def letter_of(key):
    """Return the letter that a SID stands for. A host stands for itself, an application too."""
    if key.startswith(("FO", "IG")) and len(key) == 34:
        return bytes.fromhex(key[2:].lstrip("0")).decode()
    return "application" if key.startswith("AP") else key


@pytest.mark.parametrize(
    "situation", SITUATIONS, ids=lambda each: f"{each.direction.value} {each.channel}: {each.title}"
)
def test_situation(situation):
    state = build(situation.world, situation.channel, situation.identity)
    question = Question(situation.channel, situation.identity, situation.direction)

    answer = Router(state).explain(question)

    assert answer.verdict == situation.verdict
    assert [letter_of(each.key) for each in answer.handlers] == situation.handlers
    assert {letter_of(each.sid): each.reason for each in answer.candidates} == situation.reasons
    assert set(answer.doubts) == situation.doubts
    assert {
        letter_of(each.key): {problem.rule_id for problem in each.problems}
        for each in answer.handlers
        if each.problems
    } == situation.problems


def test_table_has_enough_situations_and_no_title_twice():
    titles = Counter((each.direction, each.channel, each.title) for each in SITUATIONS)

    assert len(SITUATIONS) >= 40
    assert max(titles.values()) == 1
