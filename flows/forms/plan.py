"""The forms of a bulk change: what is asked of each flow, and the word to begin."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from flows.flexapi import schema
from flows.forms.fields import VisibleText, field_of

# What can be asked, in the order of the list, and the field of the schema whose value it takes.
KINDS: Final = {
    "enable": ("Turn on", ""),
    "disable": ("Turn off", ""),
    "retry_count": ("Set retry count", "integration_retry_count"),
    "webhook_host": ("Change webhook host", "integration_url"),
    "studio_flow": ("Route to a Studio Flow", "integration_flow_sid"),
    "delete": ("Delete", ""),
}
_HOST = re.compile(r"(?=.{1,253}(?::|\Z))[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?", re.IGNORECASE)


class PlanForm(forms.Form):
    """What is asked of each of the chosen flows. Without `data`, what it takes is asked for."""

    kind = forms.ChoiceField(label="Action", choices=[(kind, title) for kind, (title, _) in KINDS.items()])

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, kind: str = "", value: str | None = None
    ) -> None:
        super().__init__(data, initial={"kind": kind, "value": value})
        self.title, name = KINDS.get(kind, ("", ""))
        self.fields["kind"].widget = forms.HiddenInput()
        if kind == "webhook_host":
            self.fields["value"] = VisibleText(
                leaves_out="all",
                label="New host",
                max_length=260,
                error_messages={"required": "New host is missing."},
                help_text="For example hooks.example.com or hooks.example.com:8443. Path, query and secrets stay the same and "
                "will be sent to the new host.",
                widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )
        elif name:
            self.fields["value"] = field_of(schema.BY_NAME[name], required=True)
            self.fields["value"].widget.attrs["autocomplete"] = "off"

    def clean_value(self) -> Any:
        value = self.cleaned_data["value"]
        if self.data.get("kind") == "webhook_host" and not _HOST.fullmatch(value):
            raise ValidationError("Enter a host name without https:// or a path, such as hooks.example.com.")
        return value

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return _error_list(self)


class StartForm(forms.Form):
    """The reason for all of a plan's changes; where flows are deleted, their number too."""

    reason = VisibleText(
        label="Reason",
        max_length=200,
        required=False,
        help_text="Optional. Shown in the audit log with each change. Up to 200 characters.",
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, deletes: int, reason: str = "") -> None:
        super().__init__(data, initial={"reason": reason})
        self.deletes = deletes
        if deletes:
            self.fields["confirm"] = VisibleText(
                leaves_out="all",
                label=f"{deletes} {'flow' if deletes == 1 else 'flows'} will be deleted. Enter this number to confirm",
                error_messages={"required": "Enter the number of flows to delete."},
                widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
            )
            self.order_fields(["confirm", "reason"])

    def clean_confirm(self) -> str:
        typed = str(self.cleaned_data["confirm"])
        if typed != str(self.deletes):
            raise ValidationError(f"Enter {self.deletes} to confirm.")
        return typed

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return _error_list(self)


def _error_list(form: forms.Form) -> list[tuple[str, str]]:
    """The errors for the summary at the top of the page: (id of the field, message)."""
    return [
        (form[name].auto_id if name in form.fields else "", str(message))
        for name, messages in form.errors.items()
        for message in messages
    ]
