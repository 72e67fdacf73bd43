"""Form fields for the fields of a resource, and a text field for everything else people type."""

from __future__ import annotations

from typing import Any, Final, Literal

from django import forms
from django.core.exceptions import ValidationError

from flows.core import invisible
from flows.twilio.fields import Field

EMPTY_LABELS = {"channel_type": "Choose a channel"}
_YES_AND_NO: Final = {"true": "Yes", "false": "No"}


class VisibleTextField(forms.CharField):
    """A text with at least one visible character.

    `strip_invisible` removes invisible characters at the ends or everywhere. SIDs, numbers and
    addresses have none, but pasted text may. In a name they can have a meaning, so they stay there.
    NUL is left to Django, which refuses it.
    """

    def __init__(self, *, strip_invisible: Literal["", "ends", "all"] = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.strip_invisible = strip_invisible

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        if "\x00" in text:
            return text
        is_blank = not text.strip()
        if not is_blank and not invisible.visible_text(text):
            raise ValidationError(
                f"{self.label} contains only invisible characters.", code="invisible"
            )
        return self._strip(text)

    def _strip(self, text: str) -> str:
        """Return the text without the characters that `strip_invisible` names."""
        if self.strip_invisible == "all":
            return invisible.trim_invisible(invisible.strip_invisible(text))
        if self.strip_invisible == "ends":
            return invisible.trim_invisible(text)
        return text


def error_summary(form: forms.BaseForm) -> list[tuple[str, str]]:
    """Return a form's errors in the order of its fields: (id of the field or "", message)."""
    summary: list[tuple[str, str]] = []
    for field in form:
        summary += [(field.auto_id, str(message)) for message in field.errors]
    form_errors = form.non_field_errors()
    summary += [("", str(message)) for message in form_errors]
    return summary


class ShownField(forms.Field):
    """A field that shows an input. The values of a resource are validated by its own rules.

    See `flows.changes.cleaning`.
    """

    def clean(self, value: Any) -> Any:
        return value


class ShownText(ShownField, forms.CharField):
    """An input for text."""


class ShownChoice(ShownField, forms.ChoiceField):
    """A select."""


def build_field(entry: Field, *, required: bool) -> forms.Field:
    """Return the form field that shows a resource's field. `required` marks its label."""
    options: dict[str, Any] = {
        "label": entry.label,
        "help_text": entry.help,
        "required": required,
    }
    if entry.kind in ("enum", "boolean"):
        return ShownChoice(choices=_choices(entry), **options)
    return ShownText(max_length=entry.max_length, widget=_text_widget(entry), **options)


def _choices(entry: Field) -> list[tuple[str, str]]:
    """Return the choices of a select. The first one is empty."""
    choices = entry.choices or _YES_AND_NO
    return [("", EMPTY_LABELS.get(entry.name, "Not set")), *choices.items()]


def _text_widget(entry: Field) -> forms.Widget:
    if entry.kind == "integer":
        return forms.NumberInput(attrs=_number_attributes(entry))
    if entry.kind == "url":
        return forms.URLInput()
    return forms.TextInput()


def _number_attributes(entry: Field) -> dict[str, str]:
    """Return the attributes of a number's input, without those that the field has no value for."""
    values = {
        "placeholder": entry.default,
        "min": entry.minimum,
        "max": entry.maximum,
    }
    return {name: str(value) for name, value in values.items() if value is not None}
