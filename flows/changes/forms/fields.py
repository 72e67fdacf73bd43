"""Form fields for the fields of a resource. Other texts have those of `flows.core.forms`."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from flows.twilio.fields import Field

EMPTY_LABELS = {"channel_type": "Choose a channel", "type": "Choose a type"}
_YES_AND_NO: Final = {"true": "Yes", "false": "No"}


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


class ShownChoices(ShownField, forms.MultipleChoiceField):
    """Check boxes, one for each choice."""

    widget = forms.CheckboxSelectMultiple


def build_field(entry: Field, *, required: bool) -> forms.Field:
    """Return the form field that shows a resource's field. `required` marks its label."""
    options: dict[str, Any] = {
        "label": entry.label,
        "help_text": entry.help,
        "required": required,
    }
    if entry.kind in ("enum", "boolean"):
        return ShownChoice(choices=_choices(entry), **options)
    if entry.kind == "choices":
        return ShownChoices(choices=list(entry.choices.items()), **options)
    return ShownText(max_length=entry.max_length, widget=_text_widget(entry), **options)


def _choices(entry: Field) -> list[tuple[str, str]]:
    """Return the choices of a select. The first one is empty."""
    choices = entry.choices or _YES_AND_NO
    if entry.settable_choices:
        choices = {value: choices[value] for value in entry.settable_choices}
    return [("", EMPTY_LABELS.get(entry.name, "Not set")), *choices.items()]


def _text_widget(entry: Field) -> forms.Widget:
    if entry.kind == "integer":
        return forms.NumberInput(attrs=_number_attributes(entry))
    if entry.kind == "url":
        return forms.URLInput()
    if entry.kind in ("json", "json_list", "sids"):
        return forms.Textarea(attrs={"rows": 6, "spellcheck": "false", "class": "mono"})
    return forms.TextInput()


def _number_attributes(entry: Field) -> dict[str, str]:
    """Return the attributes of a number's input, without those that the field has no value for."""
    values = {
        "placeholder": entry.default,
        "min": entry.minimum,
        "max": entry.maximum,
    }
    return {name: str(value) for name, value in values.items() if value is not None}
