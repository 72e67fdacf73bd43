"""Coverage: for every number and sender of an account, how many handlers get its messages."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from flows.routing.answers import Answer, Verdict
from flows.routing.explain import Router
from flows.routing.questions import Question
from flows.routing.routing_state import RoutingState

# The order of a list: those that need someone's attention first.
ATTENTION: Final = (Verdict.NONE, Verdict.SEVERAL, Verdict.ONE)


@dataclass(frozen=True, slots=True)
class Covered:
    """A number or a sender, and who gets its messages."""

    question: Question
    answer: Answer


class Coverage(Enum):
    """What a page counts: numbers and senders by their handlers, and those with a broken handler."""

    NONE = "none"
    ONE = "one"
    SEVERAL = "several"
    BROKEN = "broken"  # counted among the others, too

    def includes(self, answer: Answer) -> bool:
        if self is Coverage.BROKEN:
            return answer.is_broken
        return bool(answer.verdict.value == self.value)


def find_coverage(state: RoutingState) -> list[Covered]:
    """Return every number and WhatsApp sender of an account, those without a handler first."""
    router = Router(state)
    questions = [
        *(Question("sms", each.phone_number) for each in state.surroundings.numbers.values()),
        *(Question("whatsapp", each.sender_id) for each in state.surroundings.senders.values()),
    ]
    covered = [Covered(question, router.explain(question)) for question in questions]
    return sorted(covered, key=_attention)


def _attention(covered: Covered) -> tuple[int, bool, str]:
    answer = covered.answer
    return ATTENTION.index(answer.verdict), not answer.is_broken, covered.question.identity
