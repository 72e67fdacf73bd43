"""The create and update schemas as forms, made from the schema table; and the small forms that switch and
delete. Forms validate and do nothing else.

A form shows the fields of the chosen integration type; what was typed for the others is parked in hidden
inputs, dropped before validation and never sent.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.forms.boundfield import BoundField
from django.forms.renderers import TemplatesSetting

from flows import words
from flows.flexapi import schema
from flows.flexapi.schema import Snapshot
from flows.masking import has_mask, storable

BASE_SALT = "flows.forms.base"
UNSET_WORDS = {"integration_type": "Not set", "channel_type": "Choose a channel"}


class FieldRenderer(TemplatesSetting):
    """Every form field of the site is drawn by one template."""

    field_template_name = "forms/field.html"


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
        if not is_address or any(character.isspace() or ord(character) < 32 for character in value):
            raise ValidationError("Enter a web address that begins with https:// or http://.", code="invalid")
        if has_mask(value):
            raise ValidationError("A part of this address is masked. Enter the secret itself.", code="masked")


def _text(entry: schema.Field, **kwargs: Any) -> forms.Field:
    return forms.CharField(max_length=entry.max_length, **kwargs)


def _sid(entry: schema.Field, **kwargs: Any) -> forms.Field:
    says = f"Enter a SID that begins with {entry.sid_prefix}, followed by 32 characters from 0-9 and a-f."
    return forms.CharField(validators=[RegexValidator(rf"\A{entry.pattern}\Z", says)], **kwargs)


def _enum(entry: schema.Field, **kwargs: Any) -> forms.Field:
    choices = [("", UNSET_WORDS[entry.name]), *((value, words.ENUMS[value]) for value in entry.choices)]
    return forms.ChoiceField(choices=choices, **kwargs)


def _boolean(entry: schema.Field, **kwargs: Any) -> forms.Field:
    yes, no = ("On", "Off") if entry.name == "enabled" else ("Yes", "No")
    return forms.TypedChoiceField(
        choices=[("", "Not set"), ("true", yes), ("false", no)],
        coerce=lambda value: {"true": True, "false": False}.get(value, value),
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


class ReasonForm(forms.Form):
    """What every change carries: why, and the id that makes a double click one change."""

    reason = forms.CharField(
        label="Reason",
        max_length=200,
        required=False,
        help_text="Why, for the audit log. Everybody who reads the log sees it; 200 characters at most.",
    )
    change_id = forms.UUIDField(widget=forms.HiddenInput)

    @property
    def error_list(self) -> list[tuple[str, str]]:
        """The errors for the summary at the top of the page: (id of the field, message)."""
        return [
            (self[name].auto_id if name in self.fields else "", str(message))
            for name, messages in self.errors.items()
            for message in messages
        ]


class SwitchForm(ReasonForm):
    """Switches a flow on or off."""

    enabled = forms.TypedChoiceField(
        choices=[("true", "On"), ("false", "Off")],
        coerce=lambda value: value == "true",
        widget=forms.HiddenInput,
    )


class DeleteForm(ReasonForm):
    """Deletes a flow: its name is typed, so that it can't be the wrong one. A flow without a name takes its SID."""

    confirm_name = forms.CharField(
        label="Type the flow's name to confirm",
        strip=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    field_order = ["confirm_name", "reason"]

    def __init__(self, *args: Any, expected: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_confirm_name(self) -> str:
        typed = str(self.cleaned_data["confirm_name"])
        if " ".join(typed.split()) != " ".join(self.expected.split()):
            raise ValidationError("This is not the flow's name. Type it exactly as it is shown above.")
        return typed


class FlowForm(ReasonForm):
    """Creates a flow (`base` is None) or edits the one that the operator saw (`base`, its whole snapshot)."""

    base = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        base: Snapshot | None = None,
        initial: Snapshot | None = None,
    ) -> None:
        self.snapshot = base
        start = _start(base)
        if data is not None:
            data = {**_as_choices(start if base else {}), **{name: data[name] for name in data}}
        shown = {**start, **(initial or {})}
        super().__init__(data, initial={"change_id": uuid.uuid4(), **_as_choices(storable(shown))})
        if base is not None:
            self.initial.setdefault("base", signed(base))
        self.chosen = str((self.initial if data is None else data).get("integration_type") or "")
        self.parked: list[tuple[str, str]] = []
        for entry in schema.WRITABLE:
            if schema.is_active(entry, self.chosen):
                self.fields[entry.name] = self._made(entry)
            else:
                self._park(entry.name)
        self.order_fields([entry.name for entry in schema.WRITABLE])

    @property
    def values(self) -> dict[str, Any]:
        """The validated fields of the flow, those of the chosen integration type only."""
        names = [entry.name for entry in schema.WRITABLE if entry.name in self.fields]
        return {name: self.cleaned_data[name] for name in names}

    def clean(self) -> dict[str, Any]:
        """What the flow already has may stay, even where a form would not take it."""
        had = _as_choices(self.snapshot or {})
        for entry in schema.WRITABLE:
            if entry.name in self.fields and _is_left_alone(had.get(entry.name), self.data.get(entry.name)):
                self.errors.pop(entry.name, None)
                self.cleaned_data[entry.name] = (self.snapshot or {})[entry.name]
        return self.cleaned_data

    @property
    def basics(self) -> list[BoundField]:
        return [
            self[name]
            for name in ("friendly_name", "channel_type", "contact_identity", "chat_service_sid", "enabled")
        ]

    @property
    def handling(self) -> BoundField:
        return self["integration_type"]

    @property
    def integration(self) -> list[BoundField]:
        return [self[entry.name] for entry in schema.INTEGRATION_FIELDS if entry.name in self.fields]

    @property
    def options(self) -> list[BoundField]:
        return [self[name] for name in ("long_lived", "janitor_enabled")]

    def _made(self, entry: schema.Field) -> forms.Field:
        had = (self.snapshot or {}).get(entry.name)
        has_value = had not in (None, "")
        is_new = self.snapshot is None or self.chosen != (self.snapshot.get("integration_type") or "")
        required = (
            # A flow that lacks it already, which lint says, can still be renamed or switched off.
            (schema.is_required(entry, self.chosen) and (is_new or has_value))
            or (entry.required_on_create and (self.snapshot is None or has_value))
            # Once there, these can be changed and not taken away.
            or (entry.kind in ("enum", "boolean") and has_value and not entry.of_integration)
        )
        made = _MAKERS[entry.kind](entry, label=entry.label, help_text=entry.help, required=required)
        if isinstance(made, forms.ChoiceField):
            made.choices = _choices(made, had)
        if entry.kind == "sid":
            made.widget.attrs.update({"spellcheck": "false", "autocapitalize": "none", "class": "mono"})
        made.widget.attrs["autocomplete"] = "off"
        if entry.name == "integration_type":
            made.widget.attrs.update(
                {
                    "hx-post": "",
                    "hx-trigger": "change",
                    "hx-include": "closest form",
                    "hx-vals": '{"update_fields": "1"}',
                    "hx-target": "#integration-fields",
                    "hx-swap": "innerHTML",
                    "hx-sync": "closest form:replace",
                }
            )
        return made

    def _park(self, name: str) -> None:
        value = self.data.get(name) if self.is_bound else self.initial.get(name)
        if value is not None:  # an empty one too: it was emptied, and may be shown again
            self.parked.append((name, str(value)))


def signed(snapshot: Snapshot) -> str:
    """The flow as the operator saw it, for the form's `base`: it can't be made up, only handed back."""
    whole = {**dict.fromkeys(entry.name for entry in schema.WRITABLE), **snapshot}
    return signing.dumps(whole, salt=BASE_SALT, compress=True)


def read_base(value: str, sid: str) -> Snapshot | None:
    """The snapshot in a form's `base`, or None if it is not ours or of another flow."""
    try:
        snapshot = signing.loads(value, salt=BASE_SALT)
    except signing.BadSignature:
        return None
    return snapshot if isinstance(snapshot, dict) and snapshot.get("sid") == sid else None


def _start(base: Snapshot | None) -> dict[str, Any]:
    """What a form begins with: the flow as it is, and Twilio's own default where Twilio demands a value of
    an integration type that the flow does not have yet."""
    had = base or {}
    return had | {
        entry.name: entry.default
        for entry in schema.WRITABLE
        if entry.requires
        and entry.default is not None
        and not schema.is_active(entry, had.get("integration_type"))
        and had.get(entry.name) in (None, "")
    }


def _as_choices(values: Mapping[str, Any]) -> dict[str, Any]:
    """Booleans as the values of their select."""
    return {
        name: ("true" if value else "false") if isinstance(value, bool) else value
        for name, value in values.items()
    }


def _choices(made: forms.ChoiceField, had: Any) -> list[Any]:
    """The choices with the one that the flow has, and without "not set" where that can't be had again."""
    choices = [
        (value, words) for value, words in made.widget.choices if value or not made.required or had is None
    ]
    is_known = isinstance(had, bool) or had in (None, "") or made.valid_value(had)
    return choices if is_known else [*choices, (had, str(had))]


def _is_left_alone(had: Any, typed: Any) -> bool:
    """Whether a form brought back what the flow had. A browser takes line breaks out of a field, and white
    space at its ends; neither is an edit."""
    if had in (None, ""):
        return False
    shown, brought = str(storable(had)), "" if typed is None else str(storable(typed))
    return brought.split() in (shown.split(), re.sub(r"[\r\n]", "", shown).split())
