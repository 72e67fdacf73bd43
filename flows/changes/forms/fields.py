"""Form fields for the fields of a resource, and a text field for everything else people type."""

from __future__ import annotations

from typing import Any, Literal

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError

from flows.core import invisible
from flows.twilio import labels
from flows.twilio.fields import Field

EMPTY_LABELS = {"integration_type": "Not set", "channel_type": "Choose a channel"}


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
        text = super().to_python(value) or ""
        if "\x00" in text:
            return text
        if text.strip() and not invisible.visible_text(text):
            raise ValidationError(
                f"{self.label} contains only invisible characters.", code="invisible"
            )
        if self.strip_invisible == "all":
            text = invisible.strip_invisible(text)
        return invisible.trim_invisible(text) if self.strip_invisible else text


def error_summary(form: forms.BaseForm) -> list[tuple[str, str]]:
    """Return a form's errors in the order of its fields: (id of the field or "", message)."""
    names = sorted(form.errors, key=[*form.fields, NON_FIELD_ERRORS].index)
    summary = []
    for name in names:
        field_id = form[name].auto_id if name in form.fields else ""
        summary += [(field_id, str(message)) for message in form.errors[name]]
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
    return ShownText(max_length=entry.max_length, widget=_widget(entry), **options)


def _choices(entry: Field) -> list[tuple[str, str]]:
    if entry.kind == "enum":
        labelled = [(value, labels.CHOICE_LABELS[value]) for value in entry.choices]
        return [("", EMPTY_LABELS[entry.name]), *labelled]
    yes, no = ("On", "Off") if entry.name == "enabled" else ("Yes", "No")
    return [("", "Not set"), ("true", yes), ("false", no)]


def _widget(entry: Field) -> forms.Widget:
    if entry.kind == "integer":
        attributes = {"placeholder": entry.default, "min": entry.minimum, "max": entry.maximum}
        present = {name: str(value) for name, value in attributes.items() if value is not None}
        return forms.NumberInput(attrs=present)
    return forms.URLInput() if entry.kind == "url" else forms.TextInput()
