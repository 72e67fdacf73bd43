"""Form fields built from the schema table, one for each kind of value in the API."""

from __future__ import annotations

import re
from typing import Any, Literal

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from flows.core import invisible
from flows.twilio import labels, webhook_urls
from flows.twilio.resource import Field

EMPTY_LABELS = {"integration_type": "Not set", "channel_type": "Choose a channel"}


class WholeNumberField(forms.IntegerField):
    """An integer in plain decimal digits.

    Django's own field also takes 3.0, 1_000 and the digits of any script.
    """

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str):
            value = invisible.strip_invisible(value)
        if value not in self.empty_values and not re.fullmatch(
            r"-?[0-9]{1,20}", str(value).strip()
        ):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


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


class WebAddressField(VisibleTextField):
    """An http or https address, stored as entered. Only Twilio resolves its host."""

    def validate(self, value: str) -> None:
        super().validate(value)
        problem = webhook_urls.find_url_problem(value) if value else None
        if problem:
            raise ValidationError(f"{self.label} {problem.sentence}", code="invalid")
        codes = invisible.format_code_points(invisible.find_invisible(value))
        if codes:
            raise ValidationError(
                f"{self.label} contains an invisible character ({codes}). Remove it.",
                code="invalid",
            )


def build_field(entry: Field, *, required: bool) -> forms.Field:
    """Return the form field of an entry in the schema table.

    Its messages name the field, because the summary of errors shows them too.
    """
    messages = {
        "required": f"{entry.label} is missing.",
        "invalid_choice": f"{entry.label} must be one of the choices.",
        "min_value": f"{entry.label} must be {entry.minimum} or more.",
        "max_value": f"{entry.label} must be {entry.maximum} or less.",
        "max_length": f"{entry.label} can have at most {entry.max_length} characters.",
    }
    if entry.kind == "integer":  # other kinds have a message of their own for "invalid"
        messages["invalid"] = f"{entry.label} must be a whole number, such as {entry.default}."
    return _BUILDERS[entry.kind](
        entry, label=entry.label, help_text=entry.help, required=required, error_messages=messages
    )


def _text_field(entry: Field, **kwargs: Any) -> forms.Field:
    return VisibleTextField(
        max_length=entry.max_length,
        strip_invisible="" if entry.name == "friendly_name" else "all",
        **kwargs,
    )


def _sid_field(entry: Field, **kwargs: Any) -> forms.Field:
    message = (
        f"{entry.label} must start with {entry.sid_prefix}, "
        "followed by 32 characters from 0-9 and a-f."
    )
    has_pattern = RegexValidator(rf"\A{entry.pattern}\Z", message)
    return VisibleTextField(strip_invisible="all", validators=[has_pattern], **kwargs)


def _enum_field(entry: Field, **kwargs: Any) -> forms.Field:
    choices = [
        ("", EMPTY_LABELS[entry.name]),
        *((value, labels.CHOICE_LABELS[value]) for value in entry.choices),
    ]
    return forms.ChoiceField(choices=choices, **kwargs)


def _boolean_field(entry: Field, **kwargs: Any) -> forms.Field:
    yes, no = ("On", "Off") if entry.name == "enabled" else ("Yes", "No")
    return forms.TypedChoiceField(
        choices=[("", "Not set"), ("true", yes), ("false", no)],
        coerce=lambda value: value == "true",
        empty_value=None,
        **kwargs,
    )


def _integer_field(entry: Field, **kwargs: Any) -> forms.Field:
    return WholeNumberField(
        min_value=entry.minimum,
        max_value=entry.maximum,
        widget=forms.NumberInput(attrs={"placeholder": str(entry.default)}),
        **kwargs,
    )


def _url_field(entry: Field, **kwargs: Any) -> forms.Field:
    return WebAddressField(
        strip_invisible="ends", max_length=entry.max_length, widget=forms.URLInput, **kwargs
    )


_BUILDERS = {
    "text": _text_field,
    "sid": _sid_field,
    "enum": _enum_field,
    "boolean": _boolean_field,
    "integer": _integer_field,
    "url": _url_field,
}
