"""Fields that two people changed: which they are, and whose value is chosen, as the conflict page's form
carries it.

An integration's fields hang on its type. Where the two want different types, there is one choice for all of
them, under the name of the type.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from django.core import signing
from django.http import QueryDict

from flows.redaction.masking import redact, replace_unstorable
from flows.twilio.flex import flex_flow
from flows.twilio.flex.flex_flow import Snapshot

CONFLICT_SALT: Final = "flows.forms.conflict"
TYPE_FIELD: Final = "integration_type"
MINE, THEIRS = "mine", "theirs"
INTEGRATION_NAMES: Final = (
    TYPE_FIELD,
    *(entry.name for entry in flex_flow.INTEGRATION_FIELDS if entry.name != TYPE_FIELD),
)


@dataclass(frozen=True, slots=True)
class Conflict:
    """The fields in conflict with their values when the form was opened, secrets masked. `has_two_types`: the
    whole integration is one choice."""

    before: dict[str, Any]
    has_two_types: bool = False

    @classmethod
    def between(
        cls, names: Iterable[str], *, base: Snapshot, theirs: Snapshot, mine: Mapping[str, Any]
    ) -> Self:
        """The conflict about these fields of a form that began with `base`."""
        found = list(names)
        is_about_integration = any(
            flex_flow.FIELDS_BY_NAME[name].of_integration or name == TYPE_FIELD for name in found
        )
        has_two_types = is_about_integration and not flex_flow.is_same_value(
            TYPE_FIELD, theirs.get(TYPE_FIELD), mine.get(TYPE_FIELD)
        )
        if has_two_types:
            found = [name for name in found if name not in INTEGRATION_NAMES] + list(
                INTEGRATION_NAMES
            )
        return cls(
            {name: redact(replace_unstorable(base.get(name))) for name in found}, has_two_types
        )

    @classmethod
    def read(cls, token: str, sid: str) -> Self | None:
        """The conflict that a form carried along, or None if it has none or it is not of this flow."""
        try:
            said = signing.loads(token, salt=CONFLICT_SALT)
        except signing.BadSignature:
            return None
        return cls(said["before"], said["has_two_types"]) if said["sid"] == sid else None

    def signed(self, sid: str) -> str:
        """For the form's hidden field: it can't be made up, only handed back."""
        said = {"sid": sid, "before": self.before, "has_two_types": self.has_two_types}
        return signing.dumps(said, salt=CONFLICT_SALT, compress=True)

    @property
    def choices(self) -> list[str]:
        """The names under which a value is chosen, in the order of the form."""
        is_part = [
            name
            for name in self.before
            if not (self.has_two_types and name in INTEGRATION_NAMES[1:])
        ]
        return [entry.name for entry in flex_flow.WRITABLE_FIELDS if entry.name in is_part]

    @property
    def held(self) -> set[str]:
        """The fields that the form below does not show: their values are chosen above it. The type stays as
        it is while one of its fields is open."""
        is_about_integration = any(
            flex_flow.FIELDS_BY_NAME[name].of_integration for name in self.before
        )
        return {*self.before, *([TYPE_FIELD] if is_about_integration else [])}

    def fields_of(self, choice: str) -> list[str]:
        """The fields that a choice decides."""
        return list(INTEGRATION_NAMES) if self.has_two_types and choice == TYPE_FIELD else [choice]

    def chosen(self, data: Mapping[str, Any]) -> dict[str, str]:
        """The value chosen under each name: mine, theirs, or empty."""
        picked = {name: str(data.get(f"pick_{name}") or "") for name in self.choices}
        return {name: value if value in (MINE, THEIRS) else "" for name, value in picked.items()}

    def resolved(self, data: QueryDict, theirs: Mapping[str, Any]) -> QueryDict:
        """Return the form's data with their values (as a form has them) where these were chosen, and nothing
        of the conflict left."""
        result, chosen = data.copy(), self.chosen(data)
        for name in ("conflict", *(f"pick_{choice}" for choice in self.choices)):
            result.pop(name, None)
        for choice, value in chosen.items():
            for name in self.fields_of(choice) if value == THEIRS else ():
                result[name] = "" if theirs.get(name) is None else str(theirs[name])
        return result


def choice_label(choice: str, conflict: Conflict) -> str:
    """The name of a choice on the page."""
    if conflict.has_two_types and choice == TYPE_FIELD:
        return "Integration"
    return flex_flow.FIELDS_BY_NAME[choice].label
