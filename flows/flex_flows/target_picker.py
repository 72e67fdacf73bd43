"""A select of names for the SID of what a flow points to, with an input for any other SID.

The form's field keeps its name. The input beside it is sent under another one and counts only if
"Another SID…" is selected. So a script can send the SID as before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms

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
    """The widget. `empty_label` is the first option, `other_label` names the input."""

    template_name = "forms/target_picker.html"

    def __init__(
        self,
        groups: Sequence[OptionGroup],
        *,
        empty_label: str,
        other_label: str,
        attrs: Mapping[str, Any],
    ) -> None:
        super().__init__(attrs=dict(attrs))
        self.groups = groups
        self._empty_label = empty_label
        self._other_label = other_label

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        chosen = str(value or "")
        is_offered = any(
            option.value == chosen for group in self.groups for option in group.options
        )
        context["picker"] = {
            "groups": self.groups,
            "empty_label": self._empty_label,
            "chosen": chosen if is_offered or not chosen else OTHER,
            "other": OTHER,
            "other_name": f"{name}{OTHER}",
            "other_label": self._other_label,
            "other_value": "" if is_offered or chosen == OTHER else chosen,
        }
        return context


def resolve_choices(
    values: Mapping[str, Any], names: Sequence[str], *, is_open: bool
) -> dict[str, Any]:
    """Return a form's input in which these fields have the SID that was chosen or typed.

    In an open form, which is not sent yet, a field whose SID is still to be typed keeps `OTHER`.
    """
    resolved = dict(values)
    for name in names:
        typed = resolved.pop(f"{name}{OTHER}", None)
        if resolved.get(name) == OTHER:
            resolved[name] = typed or (OTHER if is_open else "")
    return resolved
