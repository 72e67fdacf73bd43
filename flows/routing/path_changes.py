"""How the paths of messages would change: the answers to the same questions, now and later.

Pure functions. A path differs if a handler is added, removed or replaced, hands messages to another
target, or has other problems. A new name of a flow is no other path.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from flows.routing.answers import Answer, Doubt, Handler, HandlerKind, Step
from flows.routing.explain import Router
from flows.routing.questions import Question


class Effect(Enum):
    """The effect of a change on the messages of a contact identity, the worst first."""

    LOST = "No longer answered"
    LEAVES_FLEX = "No longer reaches Flex"  # something else may still answer
    WORSE = "New problem"
    OTHER = "Another path"
    UNANSWERED = "Still not answered"
    BETTER = "Fewer problems"
    GAINED = "Newly answered"

    @property
    def rank(self) -> int:
        return list(Effect).index(self)


@dataclass(frozen=True, slots=True)
class PathChange:
    """The answers to a question now and after the change: the handlers of its messages.

    `place` names the account, if there are several.
    """

    question: Question
    now: Answer
    later: Answer
    place: str = ""

    @property
    def effect(self) -> Effect:
        if self.now.is_answered != self.later.is_answered:
            return Effect.LOST if self.now.is_answered else Effect.GAINED
        if not self.now.is_answered:
            return Effect.UNANSWERED
        if _reaches_flex(self.now) and not _reaches_flex(self.later):
            return Effect.LEAVES_FLEX
        current_rank, later_rank = self.now.quality.rank, self.later.quality.rank
        if current_rank == later_rank:
            return Effect.OTHER
        return Effect.WORSE if later_rank < current_rank else Effect.BETTER

    @property
    def doubts(self) -> tuple[Doubt, ...]:
        """The reasons why one of the answers is uncertain."""
        return tuple(dict.fromkeys((*self.now.doubts, *self.later.doubts)))


def _reaches_flex(answer: Answer) -> bool:
    """Return True if a flow or an address gets the message and can hand it on."""
    kinds = (HandlerKind.FLOW, HandlerKind.ADDRESS)
    return any(each.kind in kinds and not each.problems for each in answer.handlers)


def find_path_changes(
    now: Router, later: Router, questions: Iterable[Question]
) -> list[PathChange]:
    """Return the questions whose paths differ between two states of an account, the worst first."""
    changes = [PathChange(each, now.explain(each), later.explain(each)) for each in questions]
    return sort_changes(each for each in changes if is_different(each.now, each.later))


def sort_changes(changes: Iterable[PathChange]) -> list[PathChange]:
    """Return the changes with the worst first."""
    return sorted(
        changes, key=lambda each: (each.effect.rank, each.question.channel, each.question.identity)
    )


def is_different(now: Answer, later: Answer) -> bool:
    """Return True if other handlers get a message, or the same ones do something else with it."""
    return {path_of(each) for each in now.handlers} != {path_of(each) for each in later.handlers}


def path_of(handler: Handler) -> tuple[Any, ...]:
    """Return what makes a handler's path, without names."""
    rule_ids = tuple(sorted(problem.rule_id for problem in handler.problems))
    return handler.kind, handler.key, _stop(handler.target), rule_ids, handler.is_doubtful


def _stop(target: Step | None) -> tuple[str, str] | None:
    return (target.kind, target.sid or target.text) if target else None
