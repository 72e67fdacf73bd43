"""The create and update schemas as one form, which shows the fields of the chosen integration type; what was
typed for the others is parked in hidden inputs, dropped before validation and never sent.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any, Self

from django import forms
from django.core import signing
from django.forms.boundfield import BoundField
from django.http import QueryDict

from flows.flexapi import schema
from flows.flexapi.schema import Snapshot
from flows.forms.conflict import Conflict, label_of
from flows.forms.fields import field_of
from flows.forms.reason import ReasonForm
from flows.masking import has_mask, storable

BASE_SALT = "flows.forms.base"


class FlowForm(ReasonForm):
    """Creates a flow (`base` is None) or edits the one that the operator saw (`base`, its whole snapshot)."""

    base = forms.CharField(widget=forms.HiddenInput, required=False)
    conflict = forms.CharField(
        widget=forms.HiddenInput, required=False
    )  # a `Conflict` that waits for choices

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
            data = {**_as_choices(storable(start) if base else {}), **{name: data[name] for name in data}}
        shown = {**start, **(initial or {})}
        super().__init__(data, initial={"change_id": uuid.uuid4(), **_as_choices(storable(shown))})
        if base is not None:
            self.initial.setdefault("base", signed(base))
        shown_now = self.initial if data is None else data
        self.chosen = str(shown_now.get("integration_type") or "")
        had_type = schema.handler_type(base or {})
        if not self.chosen and base is not None and base.get("integration_type") in (None, ""):
            self.chosen = had_type  # what handles the flow by Twilio's default can be seen and changed
        sid = str((base or {}).get("sid") or "")
        self.pending = Conflict.read(str(shown_now.get("conflict") or ""), sid)
        self.conflict_errors: list[tuple[str, str]] = []
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
            elif has_mask(self.cleaned_data.get(entry.name)):
                self.add_error(
                    entry.name, f"{entry.label} contains a masked secret. Enter the secret itself."
                )
        return self.cleaned_data

    def again(self, *, theirs: Snapshot | None = None, conflict: Conflict | None = None) -> Self:
        """With `theirs`, on the flow as it is at Twilio now: fields that the operator left alone follow it,
        but for those that the `conflict` will decide."""
        typed = self._typed()
        if theirs is not None:
            seen, mine = self.snapshot or {}, self.values
            held = conflict.held if conflict else set()
            for entry in schema.WRITABLE:
                is_left = entry.name not in mine or schema.same(
                    entry.name, seen.get(entry.name), mine[entry.name]
                )
                # Parked ones too: under another integration type they would come back as edits.
                if is_left and not (entry.name in held and entry.name in mine):
                    typed.pop(entry.name, None)
            typed["base"] = signed(theirs)
            typed["conflict"] = conflict.signed(str(theirs.get("sid") or "")) if conflict else ""
        return type(self)(typed, base=theirs or self.snapshot)

    def ask_for_choices(self) -> bool:
        """Note an error for each field in conflict without a choice; False if there is none."""
        if self.pending is None:
            return False
        chosen = self.pending.chosen(self.data)
        self.conflict_errors = [
            (f"pick_{name}_theirs", f"Choose a value for {label_of(name, self.pending)}.")
            for name, value in chosen.items()
            if not value
        ]
        return bool(self.conflict_errors)

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return [*self.conflict_errors, *super().error_list]

    @property
    def basics(self) -> list[BoundField]:
        return self._open("friendly_name", "channel_type", "contact_identity", "chat_service_sid", "enabled")

    @property
    def handling(self) -> BoundField | None:
        """The integration type, unless a conflict holds it."""
        return next(iter(self._open("integration_type")), None)

    @property
    def integration(self) -> list[BoundField]:
        return self._open(*(entry.name for entry in schema.INTEGRATION_FIELDS))

    @property
    def options(self) -> list[BoundField]:
        return self._open("long_lived", "janitor_enabled")

    @property
    def held(self) -> list[BoundField]:
        """The fields that wait for a choice in the conflict above the form: carried along, and not shown in
        it."""
        return [self[name] for name in self.fields if self.pending and name in self.pending.held]

    def _open(self, *names: str) -> list[BoundField]:
        held = self.pending.held if self.pending else set()
        return [self[name] for name in names if name in self.fields and name not in held]

    def _made(self, entry: schema.Field) -> forms.Field:
        had = (self.snapshot or {}).get(entry.name)
        has_value = had not in (None, "")
        is_new = self.snapshot is None or self.chosen != schema.handler_type(self.snapshot)
        required = (
            # A flow that lacks it already, which lint says, can still be renamed or switched off.
            (schema.is_required(entry, self.chosen) and (is_new or has_value))
            or (entry.required_on_create and (self.snapshot is None or has_value))
            # Once there, these can be changed and not taken away.
            or (entry.kind in ("enum", "boolean") and has_value and not entry.of_integration)
        )
        made = field_of(entry, required=required)
        if isinstance(made, forms.ChoiceField):
            shown = had if self.snapshot else self.initial.get(entry.name)
            made.choices = _choices(made, _as_choice(entry.name, storable(shown)))
        if entry.kind == "sid":
            made.widget.attrs.update(
                {
                    "spellcheck": "false",
                    "autocapitalize": "none",
                    "class": "mono",
                    "list": f"offered-{entry.name}",
                }
            )
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


def picked(data: QueryDict, base: Snapshot) -> QueryDict:
    """What a form sent, with the flow's own value in the place of the fields of which a conflict page was told to
    keep theirs (`pick_<field>` is `theirs`)."""
    theirs = [entry.name for entry in schema.WRITABLE if data.get(f"pick_{entry.name}") == "theirs"]
    if theirs:
        data, had = data.copy(), _as_choices(storable(dict(base)))
        if any(not schema.is_active(schema.BY_NAME[name], data.get("integration_type")) for name in theirs):
            theirs.append("integration_type")  # keeping the field keeps the type that has it
        for name in theirs:
            data[name] = "" if had.get(name) is None else str(had[name])
    return data


def resolved(data: QueryDict, base: Snapshot, conflict: Conflict) -> QueryDict:
    """Return the form's data with the choices that settle its conflict."""
    return conflict.resolved(data, _as_choices(storable(dict(base))))


def _start(base: Snapshot | None) -> dict[str, Any]:
    """What a form begins with: the flow as it is, and Twilio's own default where Twilio demands a value of
    an integration type that the flow does not have yet."""
    had, kind = base or {}, schema.handler_type(base or {})
    return had | {
        entry.name: entry.default
        for entry in schema.WRITABLE
        if entry.requires
        and entry.default is not None
        and not schema.is_active(entry, kind)
        and had.get(entry.name) in (None, "")
    }


def _as_choices(values: Mapping[str, Any]) -> dict[str, Any]:
    """Booleans as the values of their select, and other values as they are meant: a flow may have a text for a number."""
    return {name: _as_choice(name, value) for name, value in values.items()}


def _as_choice(name: str, value: Any) -> Any:
    if value in (None, ""):  # one was emptied, the other was never there
        return value
    kind = schema.BY_NAME[name].kind if name in schema.BY_NAME else ""
    meant = schema.normalised(name, value) if kind in ("boolean", "integer", "enum") else value
    return ("true" if meant else "false") if isinstance(meant, bool) else meant


def _choices(made: forms.ChoiceField, had: Any) -> list[Any]:
    """The choices with the one that the flow has, and without "not set" where that can't be had again."""
    choices = [
        (value, words) for value, words in made.widget.choices if value or not made.required or had is None
    ]
    is_known = had in (None, "") or made.valid_value(had)
    return choices if is_known else [*choices, (had, str(had))]


def _is_left_alone(had: Any, typed: Any) -> bool:
    """Whether a form brought back what the flow had. A browser takes line breaks out of a field, and the form
    white space at its ends; neither is an edit."""
    if had in (None, ""):
        return False
    shown, brought = str(storable(had)), "" if typed is None else str(storable(typed))
    return re.sub(r"[\r\n]", "", brought).strip() == re.sub(r"[\r\n]", "", shown).strip()
