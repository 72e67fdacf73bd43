"""The fields that two users changed, and the user's choice between their values.

The conflict page's form carries both. An integration's fields depend on its type. If the two users
want different types, there is one choice for the whole integration, under the name of the type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from django.core import signing
from django.http import QueryDict

from flows.redaction.redacted import Redacted, redact_fields
from flows.twilio.cleaning import to_text
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot

CONFLICT_SALT: Final = "flows.forms.conflict"
TYPE_FIELD: Final = "integration_type"
MINE, THEIRS = "mine", "theirs"
INTEGRATION_NAMES: Final = (
    TYPE_FIELD,
    *(entry.name for entry in FLEX_FLOW.nested_fields if entry.name != TYPE_FIELD),
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """Fields in conflict.

    `before` has their values when the form was opened. `has_two_types` makes the
    whole integration one choice.
    """

    before: Redacted
    has_two_types: bool = False

    @classmethod
    def from_fields(
        cls,
        names: Iterable[str],
        *,
        base: Mapping[str, Any],
        theirs: Snapshot,
        mine: Mapping[str, Any],
    ) -> Self:
        """Return the conflict about these fields of a form that started from `base`."""
        field_names = set(names)
        has_same_type = FLEX_FLOW.is_same_value(
            TYPE_FIELD, theirs.get(TYPE_FIELD), mine.get(TYPE_FIELD)
        )
        has_two_types = _includes_integration(field_names) and not has_same_type
        if has_two_types:
            field_names.update(INTEGRATION_NAMES)
        before = {name: base.get(name) for name in FLEX_FLOW.in_order(field_names)}
        return cls(redact_fields(before), has_two_types)

    @classmethod
    def load(cls, token: str, sid: str) -> Self | None:
        """Return the conflict in a form's token, or None if there is none for this flow."""
        try:
            content = signing.loads(token, salt=CONFLICT_SALT)
        except signing.BadSignature:
            return None
        if content["sid"] != sid:
            return None
        return cls(content["before"], content["has_two_types"])

    def sign(self, sid: str) -> str:
        """Return the token for the form's hidden field. Users can't make one up."""
        content = {"sid": sid, "before": self.before, "has_two_types": self.has_two_types}
        return signing.dumps(content, salt=CONFLICT_SALT, compress=True)

    @property
    def choices(self) -> list[str]:
        """The names under which a value is chosen, in the order of the form."""
        names = set(self.before)
        if self.has_two_types:
            names = names.difference(INTEGRATION_NAMES) | {TYPE_FIELD}
        return FLEX_FLOW.in_order(names)

    @property
    def hidden_names(self) -> set[str]:
        """The fields to leave out of the form, because their values are chosen above it.

        The type can't be edited while one of its fields is in conflict.
        """
        names = set(self.before)
        if _includes_integration(names):
            names.add(TYPE_FIELD)
        return names

    def is_whole_integration(self, choice: str) -> bool:
        """Return True if a choice is between two integrations with all their fields."""
        return self.has_two_types and choice == TYPE_FIELD

    def decided_fields(self, choice: str) -> tuple[str, ...]:
        """Return the fields whose value a choice decides."""
        if self.is_whole_integration(choice):
            return INTEGRATION_NAMES
        return (choice,)

    def selections(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Return the user's selection for each choice: mine, theirs, or empty."""
        selections = {}
        for choice in self.choices:
            selection = data.get(f"pick_{choice}")
            selections[choice] = selection if selection in (MINE, THEIRS) else ""
        return selections

    def resolve(self, data: QueryDict, theirs: Mapping[str, Any]) -> QueryDict:
        """Return the form's data without the conflict, with their values where selected.

        `theirs` has the values as the form writes them.
        """
        result = data.copy()
        result.pop("conflict", None)
        for choice, selection in self.selections(data).items():
            result.pop(f"pick_{choice}", None)
            if selection != THEIRS:
                continue
            for name in self.decided_fields(choice):
                result[name] = to_text(theirs.get(name))
        return result


def choice_label(choice: str, conflict: Conflict) -> str:
    """Return the name of a choice on the page."""
    if conflict.is_whole_integration(choice):
        return "Integration"
    return FLEX_FLOW.label_of(choice)


def _includes_integration(names: set[str]) -> bool:
    """Return True if one of these fields belongs to the integration."""
    return not names.isdisjoint(INTEGRATION_NAMES)
