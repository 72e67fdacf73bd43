"""Forms of a bulk change: its action with a value, its start, and the columns of an import."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError

from flows.changes.forms.fields import build_field
from flows.core.forms import ReasonField, VisibleTextField, error_summary
from flows.flex_flows.details_form import clean_detail, owner_help
from flows.flex_flows.target_picker import resolve_choices, typed_fields
from flows.local_details.fields import clean_owner, clean_tags, join_tags
from flows.plans.details_drafts import DETAILS_KINDS, SET_OWNER
from flows.plans.import_table import TARGETS, Table, column_note, propose_targets
from flows.twilio.cleaning import InvalidValue
from flows.twilio.fields import Field
from flows.twilio.flex.flex_flow import FLEX_FLOW

# The actions in the order of the menu: label, and the field of the flow that takes the value.
BULK_ACTIONS: Final = {
    "enable": ("Turn on", ""),
    "disable": ("Turn off", ""),
    "retry_count": ("Set retry count", "integration_retry_count"),
    "webhook_host": ("Change webhook host", "integration_url"),
    "studio_flow": ("Route to a Studio Flow", "integration_flow_sid"),
    "delete": ("Delete", ""),
    "owner": ("Set owner", ""),
    "add_tag": ("Add tags", ""),
    "remove_tag": ("Remove tags", ""),
}
NO_TAGS: Final = "Enter at least one tag."
_TARGET_CHOICES: Final = [(name, FLEX_FLOW.by_name[name].label) for name in TARGETS]
_HOST_PATTERN = re.compile(
    r"(?=.{1,253}(?::|\Z))[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?", re.IGNORECASE
)


class BulkActionForm(forms.Form):
    """The action for the selected flows, with a value if the action takes one."""

    kind = forms.ChoiceField(
        label="Action", choices=[(kind, title) for kind, (title, _) in BULK_ACTIONS.items()]
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        kind: str = "",
        value: str | None = None,
        owners: Iterable[str] = (),
    ) -> None:
        """Build the form of one action. `owners` are those that flows have already."""
        self.typed_fields = typed_fields(data or {}, ["value"])
        if data is not None:
            data = resolve_choices(dict(data.items()), ["value"])
        super().__init__(data, initial={"kind": kind, "value": value})
        self.action_kind = kind
        self.title, name = BULK_ACTIONS.get(kind, ("", ""))
        self.entry: Field | None = None
        self.fields["kind"].widget = forms.HiddenInput()
        if kind == "webhook_host":
            self.fields["value"] = VisibleTextField(
                strip_invisible="all",
                label="New host",
                max_length=260,
                error_messages={"required": "New host is missing."},
                help_text="For example hooks.example.com or hooks.example.com:8443. Path, query "
                "and secrets stay the same and will be sent to the new host.",
                widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
            )
        elif kind in DETAILS_KINDS:
            self.fields["value"] = _details_field(kind, owners)
        elif name:
            self.entry = FLEX_FLOW.by_name[name]
            self.fields["value"] = build_field(self.entry, required=True)
            self.fields["value"].widget.attrs["autocomplete"] = "off"

    def clean_value(self) -> Any:
        value = self.cleaned_data["value"]
        if self.entry is not None:
            return _clean_entry(self.entry, value)
        if self.action_kind == SET_OWNER:
            return clean_detail(clean_owner, value)
        if self.action_kind in DETAILS_KINDS:
            return _clean_tags(value)
        if not _HOST_PATTERN.fullmatch(value):
            raise ValidationError(
                "Enter a host name without https:// or a path, such as hooks.example.com."
            )
        return value

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)


class PlanStartForm(forms.Form):
    """The reason for all changes of a plan and, if it deletes flows, their number."""

    reason = ReasonField(note="Shown in the audit log with each change.")

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, deletes: int, reason: str = ""
    ) -> None:
        super().__init__(data, initial={"reason": reason})
        self.deletes = deletes
        if deletes:
            flows = "flow" if deletes == 1 else "flows"
            self.fields["confirm"] = VisibleTextField(
                strip_invisible="all",
                label=f"{deletes} {flows} will be deleted. Enter this number to confirm",
                error_messages={"required": "Enter the number of flows to delete."},
                widget=forms.TextInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
            )
            self.order_fields(["confirm", "reason"])

    def clean_confirm(self) -> str:
        number = str(self.cleaned_data["confirm"])
        if number != str(self.deletes):
            raise ValidationError(f"Enter {self.deletes} to confirm.")
        return number

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)


class ColumnsForm(forms.Form):
    """The mapping of a table's columns to fields, proposed from the header."""

    def __init__(self, table: Table, data: Mapping[str, Any] | None = None) -> None:
        super().__init__(data)
        self.table = table
        choices = [("", "Ignore"), *_TARGET_CHOICES]
        proposed = propose_targets(table.header)
        for column, title in enumerate(table.header):
            name = f"column_{column}"
            self.fields[name] = forms.ChoiceField(
                label=f"Field for column {column + 1}, {title or 'without a title'}",
                choices=choices,
                required=False,
                initial=proposed.get(column, ""),
                error_messages={
                    "invalid_choice": "Choose a field from the list, or ignore the column."
                },
            )

    @property
    def columns(self) -> list[dict[str, Any]]:
        """The columns for the page: title, sample values, form field and note."""
        return [
            {
                "title": title,
                "samples": self.table.samples(column),
                "field": self[f"column_{column}"],
                "note": column_note(title),
            }
            for column, title in enumerate(self.table.header)
        ]

    @property
    def ignored(self) -> list[str]:
        return [title for column, title in enumerate(self.table.header) if not self._target(column)]

    @property
    def has_sid(self) -> bool:
        return "sid" in map(self._target, range(len(self.table.header)))

    @property
    def targets(self) -> dict[int, str]:
        """The names of the fields by column, of those columns that are valid."""
        return {
            int(name.removeprefix("column_")): target
            for name, target in self.cleaned_data.items()
            if target
        }

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)

    def clean(self) -> dict[str, Any]:
        targets = self.targets
        first_columns: dict[str, int] = {}
        for column, target in targets.items():
            first = first_columns.setdefault(target, column)
            if first != column:
                columns = f"{self._title(first)} and {self._title(column)}"
                label = FLEX_FLOW.by_name[target].label
                self.add_error(f"column_{column}", f"{columns} are both mapped to {label}.")
        if not self.errors and not set(targets.values()) - {"sid", "account_sid"}:
            raise ValidationError("Choose a field for at least one column other than the SIDs.")
        return self.cleaned_data

    def _target(self, column: int) -> str:
        return str(self[f"column_{column}"].value() or "")

    def _title(self, column: int) -> str:
        return f"Column {column + 1} (“{self.table.header[column][:40]}”)"


def _details_field(kind: str, owners: Iterable[str]) -> VisibleTextField:
    """Return the field for an owner, which can be empty, or for tags."""
    if kind == SET_OWNER:
        help_text = f"{owner_help(owners)} Leave it empty to remove the owner."
        return VisibleTextField(label="Owner", required=False, help_text=help_text)
    return VisibleTextField(
        label="Tags",
        help_text="Words separated by commas, such as vip, billing.",
        error_messages={"required": NO_TAGS},
    )


def _clean_tags(text: str) -> str:
    """Return the tags as an action takes them. Raises `ValidationError`, also for no tags."""
    tags = clean_detail(clean_tags, text)
    if not tags:
        raise ValidationError(NO_TAGS)
    return join_tags(tags)


def _clean_entry(entry: Field, value: Any) -> Any:
    try:
        return entry.clean(value, required=True)
    except InvalidValue as error:
        raise ValidationError(str(error)) from error
