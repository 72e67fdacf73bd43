"""A select of names for the SID of what a flow points to, with an input for any other SID.

The form's field keeps its name. The input beside it is sent under another one and counts only if
"Another SID…" is selected. So a script can send the SID as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms

MAX_OPTIONS: Final = 500  # in one select; any other SID can be entered
OTHER: Final = "_other"  # the value of the last option, and the end of the input's name


@dataclass(frozen=True, slots=True)
class Option:
    """A choice: the value that is sent, and its label."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """Choices under a common label."""

    label: str
    options: Sequence[Option]


class TargetPicker(forms.TextInput):
    """The widget. `empty_label` is the first option, `other_label` names the input.

    `is_other` selects the last option even if nothing is typed yet.
    """

    template_name = "forms/target_picker.html"

    def __init__(
        self,
        groups: Sequence[OptionGroup],
        *,
        empty_label: str,
        other_label: str,
        is_other: bool,
        attrs: Mapping[str, Any],
    ) -> None:
        super().__init__(attrs=dict(attrs))
        self.groups = groups
        self._empty_label = empty_label
        self._other_label = other_label
        self._is_other = is_other

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = str(value or "")
        is_offered = any(
            option.value == chosen for group in self.groups for option in group.options
        )
        attributes = context["widget"]["attrs"]
        is_other = not is_offered and (self._is_other or bool(chosen))
        context["picker"] = {
            "groups": self.groups,
            "empty_label": self._empty_label,
            "chosen": OTHER if is_other else chosen,
            "other": OTHER,
            "other_id": _other_id(attributes),
            "other_name": f"{name}{OTHER}",
            "other_label": self._other_label,
            "other_value": chosen if is_other else "",
            "other_attributes": _describing_attributes(attributes),
        }
        return context


def typed_fields(values: Mapping[str, Any], names: Sequence[str]) -> frozenset[str]:
    """Return those of these fields in which "Another SID…" is selected, even with nothing typed."""
    return frozenset(name for name in names if values.get(name) == OTHER)


def resolve_choices(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a form's input in which these fields have the SID that was chosen or typed."""
    resolved = dict(values)
    for name in names:
        typed_sid = resolved.pop(f"{name}{OTHER}", "")
        if resolved.get(name) == OTHER:
            resolved[name] = typed_sid
    return resolved


def _other_id(attributes: Mapping[str, Any]) -> str:
    """Return the id of the input. One with an error has an id of its own.

    htmx keeps an input with the same id, which would then stay marked as wrong without its error.
    """
    ending = "_invalid" if "aria-invalid" in attributes else ""
    return f"{attributes.get('id', '')}{OTHER}{ending}"


def _describing_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes that link the help and the errors of a field to its controls."""
    return {name: value for name, value in attributes.items() if name.startswith("aria-")}
