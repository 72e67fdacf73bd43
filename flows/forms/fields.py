"""Form fields made from the schema table: one for each kind of value that the API knows."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from flows import words
from flows.flexapi import schema

UNSET_WORDS = {"integration_type": "Not set", "channel_type": "Choose a channel"}


class WholeNumber(forms.IntegerField):
    """An integer in plain decimal digits. Django's own field takes 3.0, 1_000 and the digits of any script."""

    def to_python(self, value: Any) -> int | None:
        if value not in self.empty_values and not re.fullmatch(r"-?[0-9]{1,20}", str(value).strip()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class WebAddress(forms.CharField):
    """An http or https address, kept as it was typed. Its host is Twilio's to resolve, not ours."""

    def validate(self, value: str) -> None:
        super().validate(value)
        if not value:
            return
        try:
            parts = urlsplit(value)
            is_address = (
                parts.scheme.lower() in ("http", "https") and bool(parts.hostname) and parts.port != 0
            )
        except ValueError:
            is_address = False
        # White space, control and invisible characters belong into an address percent-encoded.
        if not is_address or " " in value or not value.isprintable():
            raise ValidationError("Enter a web address that begins with https:// or http://.", code="invalid")


def field_of(entry: schema.Field, *, required: bool) -> forms.Field:
    """The form field of an entry of the schema table. Its messages name it: they stand in a summary too."""
    messages = {
        "required": f"{entry.label} is missing.",
        "invalid_choice": f"{entry.label} must be one of the choices.",
        "min_value": f"{entry.label} must be {entry.minimum} or more.",
        "max_value": f"{entry.label} must be {entry.maximum} or less.",
        "max_length": f"{entry.label} can have {entry.max_length} characters at most.",
    }
    if entry.kind == "integer":  # elsewhere "invalid" has words of its own, which these would replace
        messages["invalid"] = f"{entry.label} must be a whole number, such as {entry.default}."
    return _MAKERS[entry.kind](
        entry, label=entry.label, help_text=entry.help, required=required, error_messages=messages
    )


def _text(entry: schema.Field, **kwargs: Any) -> forms.Field:
    return forms.CharField(max_length=entry.max_length, **kwargs)


def _sid(entry: schema.Field, **kwargs: Any) -> forms.Field:
    says = f"{entry.label} must begin with {entry.sid_prefix}, followed by 32 characters from 0-9 and a-f."
    return forms.CharField(validators=[RegexValidator(rf"\A{entry.pattern}\Z", says)], **kwargs)


def _enum(entry: schema.Field, **kwargs: Any) -> forms.Field:
    choices = [("", UNSET_WORDS[entry.name]), *((value, words.ENUMS[value]) for value in entry.choices)]
    return forms.ChoiceField(choices=choices, **kwargs)


def _boolean(entry: schema.Field, **kwargs: Any) -> forms.Field:
    yes, no = ("On", "Off") if entry.name == "enabled" else ("Yes", "No")
    return forms.TypedChoiceField(
        choices=[("", "Not set"), ("true", yes), ("false", no)],
        coerce=lambda value: value == "true",
        empty_value=None,
        **kwargs,
    )


def _integer(entry: schema.Field, **kwargs: Any) -> forms.Field:
    return WholeNumber(
        min_value=entry.minimum,
        max_value=entry.maximum,
        widget=forms.NumberInput(attrs={"placeholder": str(entry.default)}),
        **kwargs,
    )


def _url(entry: schema.Field, **kwargs: Any) -> forms.Field:
    return WebAddress(max_length=entry.max_length, widget=forms.URLInput, **kwargs)


_MAKERS = {"text": _text, "sid": _sid, "enum": _enum, "boolean": _boolean, "integer": _integer, "url": _url}
