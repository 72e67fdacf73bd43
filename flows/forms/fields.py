"""Form fields made from the schema table: one for each kind of value that the API knows."""

from __future__ import annotations

import re
from typing import Any, Literal

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator

from flows import invisible, words
from flows.flexapi import addresses, schema

UNSET_WORDS = {"integration_type": "Not set", "channel_type": "Choose a channel"}


class WholeNumber(forms.IntegerField):
    """An integer in plain decimal digits. Django's own field takes 3.0, 1_000 and the digits of any script."""

    def to_python(self, value: Any) -> int | None:
        if isinstance(value, str):
            value = invisible.without_hidden(value)
        if value not in self.empty_values and not re.fullmatch(r"-?[0-9]{1,20}", str(value).strip()):
            raise ValidationError(self.error_messages["invalid"], code="invalid")
        return super().to_python(value)


class VisibleText(forms.CharField):
    """A text that can be seen. A text of nothing but invisible characters is refused. In a name they may mean something,
    and stay; a SID, a number or an address has none of its own (`leaves_out`), and those that came with what was
    pasted are left out: at the ends, or everywhere. NUL is left to Django, which refuses it."""

    def __init__(self, *, leaves_out: Literal["", "ends", "all"] = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.leaves_out = leaves_out

    def to_python(self, value: Any) -> str:
        text = super().to_python(value) or ""
        if "\x00" in text:
            return text
        if text.strip() and not invisible.as_seen(text):
            raise ValidationError(f"{self.label} contains only invisible characters.", code="invisible")
        if self.leaves_out == "all":
            text = invisible.without_hidden(text)
        return invisible.trimmed(text) if self.leaves_out else text


class WebAddress(VisibleText):
    """An http or https address, kept as it was typed. Its host is Twilio's to resolve, not ours."""

    def validate(self, value: str) -> None:
        super().validate(value)
        if value and (fault := addresses.fault_of(value)):
            raise ValidationError(f"{self.label} {fault.sentence}", code="invalid")
        if codes := invisible.names_of(invisible.hidden_in(value)):
            raise ValidationError(
                f"{self.label} contains an invisible character ({codes}). Remove it.", code="invalid"
            )


def field_of(entry: schema.Field, *, required: bool) -> forms.Field:
    """The form field of an entry of the schema table. Its messages name it: they stand in a summary too."""
    messages = {
        "required": f"{entry.label} is missing.",
        "invalid_choice": f"{entry.label} must be one of the choices.",
        "min_value": f"{entry.label} must be {entry.minimum} or more.",
        "max_value": f"{entry.label} must be {entry.maximum} or less.",
        "max_length": f"{entry.label} can have at most {entry.max_length} characters.",
    }
    if entry.kind == "integer":  # elsewhere "invalid" has words of its own, which these would replace
        messages["invalid"] = f"{entry.label} must be a whole number, such as {entry.default}."
    return _MAKERS[entry.kind](
        entry, label=entry.label, help_text=entry.help, required=required, error_messages=messages
    )


def _text(entry: schema.Field, **kwargs: Any) -> forms.Field:
    return VisibleText(
        max_length=entry.max_length, leaves_out="" if entry.name == "friendly_name" else "all", **kwargs
    )


def _sid(entry: schema.Field, **kwargs: Any) -> forms.Field:
    says = f"{entry.label} must start with {entry.sid_prefix}, followed by 32 characters from 0-9 and a-f."
    return VisibleText(leaves_out="all", validators=[RegexValidator(rf"\A{entry.pattern}\Z", says)], **kwargs)


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
    return WebAddress(leaves_out="ends", max_length=entry.max_length, widget=forms.URLInput, **kwargs)


_MAKERS = {"text": _text, "sid": _sid, "enum": _enum, "boolean": _boolean, "integer": _integer, "url": _url}
