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
        field_names = list(names)
        is_about_integration = any(
            name == TYPE_FIELD or FLEX_FLOW.by_name[name].is_nested for name in field_names
        )
        has_two_types = is_about_integration and not FLEX_FLOW.is_same_value(
            TYPE_FIELD, theirs.get(TYPE_FIELD), mine.get(TYPE_FIELD)
        )
        if has_two_types:
            field_names = [name for name in field_names if name not in INTEGRATION_NAMES]
            field_names += INTEGRATION_NAMES
        before = {name: base.get(name) for name in field_names}
        return cls(redact_fields(before), has_two_types)

    @classmethod
    def load(cls, token: str, sid: str) -> Self | None:
        """Return the conflict in a form's token, or None if there is none for this flow."""
        try:
            content = signing.loads(token, salt=CONFLICT_SALT)
        except signing.BadSignature:
            return None
        return cls(content["before"], content["has_two_types"]) if content["sid"] == sid else None

    def sign(self, sid: str) -> str:
        """Return the token for the form's hidden field. Users can't make one up."""
        content = {"sid": sid, "before": self.before, "has_two_types": self.has_two_types}
        return signing.dumps(content, salt=CONFLICT_SALT, compress=True)

    @property
    def choices(self) -> list[str]:
        """The names under which a value is chosen, in the order of the form."""
        names = set(self.before)
        if self.has_two_types:
            names -= set(INTEGRATION_NAMES[1:])
        return [entry.name for entry in FLEX_FLOW.writable_fields if entry.name in names]

    @property
    def hidden_names(self) -> set[str]:
        """The fields to leave out of the form, because their values are chosen above it.

        The type can't be edited while one of its fields is in conflict.
        """
        names = set(self.before)
        if any(FLEX_FLOW.by_name[name].is_nested for name in names):
            names.add(TYPE_FIELD)
        return names

    def decided_fields(self, choice: str) -> list[str]:
        """Return the fields whose value a choice decides."""
        return list(INTEGRATION_NAMES) if self.has_two_types and choice == TYPE_FIELD else [choice]

    def selections(self, data: Mapping[str, Any]) -> dict[str, str]:
        """Return the user's selection for each choice: mine, theirs, or empty."""
        selections = {}
        for name in self.choices:
            value = str(data.get(f"pick_{name}") or "")
            selections[name] = value if value in (MINE, THEIRS) else ""
        return selections

    def resolve(self, data: QueryDict, theirs: Mapping[str, Any]) -> QueryDict:
        """Return the form's data without the conflict, with their values where selected.

        `theirs` has the values as the form writes them.
        """
        result, selections = data.copy(), self.selections(data)
        for name in ("conflict", *(f"pick_{choice}" for choice in self.choices)):
            result.pop(name, None)
        for choice, selection in selections.items():
            if selection != THEIRS:
                continue
            for name in self.decided_fields(choice):
                value = theirs.get(name)
                result[name] = "" if value is None else str(value)
        return result


def choice_label(choice: str, conflict: Conflict) -> str:
    """Return the name of a choice on the page."""
    if conflict.has_two_types and choice == TYPE_FIELD:
        return "Integration"
    return FLEX_FLOW.by_name[choice].label
