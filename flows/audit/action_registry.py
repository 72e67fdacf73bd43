"""Actions of audit events, and the labels of actions, results and stages.

Each package has an enumeration of the actions that it records, and registers it (flows/apps.py and
flexadmin/apps.py).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Self

from flows.audit.models import AuditEvent

RESULT_LABELS: Final = {
    "pending": "In progress",
    "succeeded": "Done",
    "failed": "Failed",
    "unknown": "Unknown outcome",
    "applied": "Applied · confirmed later",
    "not_applied": "Not applied · confirmed later",
    "conflict": "Conflict, nothing sent",
    "denied": "Refused",
}

# The result filter also offers the open changes and those that were resolved later.
RESULT_FILTER_LABELS: Final = {
    **RESULT_LABELS,
    "pending": "No outcome recorded",
    "applied": "Applied",
    "not_applied": "Not applied",
    "unresolved": "Unresolved",
    "resolved_later": "Resolved later",
}

# Names of the stages in a change's timeline.
STAGE_LABELS: Final = {
    "attempt": "Attempt",
    "outcome": "Result",
    "reconciled": "Confirmed later",
    "observed": "Observed",
    "access": "Access",
}


class Action(StrEnum):
    """Base of the packages' enumerations. A member's value is the action as the log stores it.

    `label` is in the past tense, `infinitive` is for what was only attempted. `is_routine` marks an
    observation that needs no action.
    """

    label: str
    infinitive: str
    is_routine: bool

    def __new__(cls, value: str, label: str, infinitive: str, is_routine: bool = False) -> Self:
        action = str.__new__(cls, value)
        action._value_ = value
        action.label = label
        action.infinitive = infinitive
        action.is_routine = is_routine
        return action

    def sentence(self, event: AuditEvent) -> str:
        """Return an event as a short sentence, in the past tense only if it was applied."""
        return self.label if event.is_applied else self.infinitive


# The registered actions, by value, in the order of their registration.
REGISTRY: Final[dict[str, Action]] = {}


def register(*enumerations: type[Action]) -> None:
    """Let the log's pages name and filter the actions of these enumerations.

    A new resource registers its own, such as `CREATE = "widget.create", "Created", "Create"`.
    """
    for enumeration in enumerations:
        REGISTRY.update({action.value: action for action in enumeration})


def find(value: str) -> Action | None:
    """Return the registered action with this value, or None."""
    return REGISTRY.get(value)


def infinitives() -> dict[str, str]:
    """Return the infinitives of the registered actions, by value, for filters."""
    return {action.value: action.infinitive for action in REGISTRY.values()}
