"""The form that creates or edits an object of any resource, and the one that confirms
what can't be undone.

Their fields follow from the resource: which ones an operation takes, their kinds and their limits.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

from django import forms
from django.core import signing
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField

from flows.changes.cleaning import clean
from flows.changes.forms.fields import build_field
from flows.changes.forms.reason import ReasonForm
from flows.redaction.masking import has_mask, replace_unstorable
from flows.redaction.redacted import Redacted, redact_snapshot
from flows.resources.json_parts import combine
from flows.twilio.cleaning import to_text
from flows.twilio.fields import Field
from flows.twilio.json_values import ObjectMerge, merge_objects
from flows.twilio.resource import Resource, Snapshot

BASE_SALT: Final = "flows.resources.base"
SHOWN_END: Final = 6  # characters of a SID that confirm a deletion of an object without a name


class ResourceForm(ReasonForm):
    """Creates an object (`base` is None) or edits one (`base` is the object as the user saw it)."""

    base = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        resource: Resource,
        base: Snapshot | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        redacted = redact_snapshot(base or {})
        self.resource = resource
        self.snapshot = None if base is None else _without_json_secrets(resource, base, redacted)
        # Fields that someone else changed as well: the name and its three values.
        self.conflicts: list[tuple[str, Any, Any, Any]] = []
        self.entries = resource.fields_set_by("create" if base is None else "update")
        self.has_masked_secrets = any(_has_secrets(entry, redacted) for entry in self.entries)
        values = {"change_id": uuid.uuid4(), **_defaults(self.entries)}
        values |= _to_input(resource, self.snapshot or {})
        if base is not None:
            values["base"] = _sign(resource, base, redacted)
        super().__init__(data, initial={**values, **(initial or {})})
        for entry in self.entries:
            required = resource.is_required(entry, "", base)
            self.fields[entry.name] = build_field(entry, required=required)
            for part in entry.parts:
                self.fields[part.field.name] = build_field(
                    part.field, required=part.field.required_on_create
                )
        self.order_fields([*self._input_names, "reason"])

    @property
    def values(self) -> dict[str, Any]:
        """The validated fields of the object."""
        names = [entry.name for entry in self.entries]
        return {name: self.cleaned_data[name] for name in names if name in self.cleaned_data}

    @property
    def resource_fields(self) -> list[BoundField]:
        """The visible fields, without the reason."""
        return [self[name] for name in self._input_names]

    @property
    def _input_names(self) -> list[str]:
        """The names of the inputs in their order: the parts of an object come before it."""
        names = []
        for entry in self.entries:
            names += [*(part.field.name for part in entry.parts), entry.name]
        return names

    def clean(self) -> dict[str, Any]:
        data = dict(self.data.items())
        for entry in self.entries:
            if entry.kind == "choices":
                data[entry.name] = to_text(self[entry.name].data)
            if entry.parts:
                data[entry.name], errors = combine(entry, self.data)
                for name, message in errors.items():
                    self.add_error(name, message)
        cleaned = clean(self.resource, data, current=self.snapshot)
        names = {entry.name for entry in self.entries}
        self.cleaned_data.update(
            {name: value for name, value in cleaned.values.items() if name in names}
        )
        for name in cleaned.errors.keys() & names:
            self.add_error(name, cleaned.errors[name])
        self._remove_other_variants(data)
        return self.cleaned_data

    def _remove_other_variants(self, data: Mapping[str, Any]) -> None:
        """Remove the fields that the chosen variant doesn't have.

        One with a value that was entered now is an error: nothing of it would be sent.
        """
        current = self.snapshot or Snapshot({})
        variant = self.resource.chosen_variant({**current, **data}, self.snapshot)
        for entry in self.entries:
            if entry.is_applicable(variant):
                continue
            self.cleaned_data.pop(entry.name, None)
            value = data.get(entry.name)
            known_values = (None, entry.default, current.get(entry.name))
            if not any(self.resource.is_same_value(entry.name, value, one) for one in known_values):
                self.add_error(entry.name, _unused_message(self.resource, entry, variant))

    @property
    def dropped_names(self) -> list[str]:
        """The names of the fields with a value that the object loses with its present variant."""
        current = self.snapshot or Snapshot({})
        variant = self.resource.chosen_variant({**current, **self.values}, self.snapshot)
        return [
            entry.name
            for entry in self.entries
            if not entry.is_applicable(variant) and current.get(entry.name) not in (None, "", [])
        ]

    def _renewed_data(self) -> dict[str, Any]:
        data: dict[str, Any] = super()._renewed_data()
        for entry in self.entries:
            if entry.kind == "choices":
                data[entry.name] = self[entry.name].data
        return data

    def reopen(self) -> Self:
        return type(self)(self._renewed_data(), resource=self.resource, base=self.snapshot)

    def rebase_unsigned(self) -> Self:
        """Return the form with the same input, for the object as it was read now."""
        data = self._renewed_data()
        data["base"] = sign_base(self.resource, self.snapshot or Snapshot({}))
        return type(self)(data, resource=self.resource, base=self.snapshot)

    def rebase(self, theirs: Snapshot) -> Self:
        """Return the form for the object as it is at Twilio now, with what the user changed.

        Fields that the user left as they were take the present values. Within an object, too, only
        what the user changed differs from the present one.
        """
        data = self._renewed_data()
        base, values = self.snapshot or Snapshot({}), self.values
        edited_names = set(self.resource.differing_fields(base, values, values))
        theirs = _without_json_secrets(self.resource, theirs, redact_snapshot(theirs))
        inputs = _to_input(self.resource, theirs)
        for entry in self.entries:
            if entry.name not in edited_names:
                value = inputs.get(entry.name)
                data[entry.name] = value if entry.kind == "choices" else to_text(value)
            elif entry.kind == "json":
                merged = merge_values(
                    base.get(entry.name), theirs.get(entry.name), values[entry.name]
                )
                data[entry.name] = _json_text(merged.value if merged else values[entry.name])
        data["base"] = sign_base(self.resource, theirs)
        return type(self)(data, resource=self.resource, base=theirs)


def merge_values(base: Any, theirs: Any, mine: Any) -> ObjectMerge | None:
    """Return the merge of three values of a field, or None unless all of them are objects."""
    if not all(isinstance(value, dict) for value in (base, theirs, mine)):
        return None
    return merge_objects(base, theirs, mine)


class ConfirmationForm(ReasonForm):
    """Deletes or archives an object after the user has entered its name or the end of its SID."""

    confirm_name = forms.CharField(
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    base = forms.CharField(widget=forms.HiddenInput, required=False)
    field_order = ["confirm_name", "reason"]

    def __init__(
        self,
        *args: Any,
        resource: Resource,
        snapshot: Snapshot | Redacted | None,
        sid: str,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.resource, self.sid, self.snapshot = resource, sid, redact_snapshot(snapshot)
        self.name = resource.name_of(self.snapshot or {})
        field = self.fields["confirm_name"]
        text = "its name or SID" if self.name else f"the last {SHOWN_END} characters of its SID"
        field.label = f"Enter {text} to confirm"
        field.error_messages["required"] = f"Enter {text}."
        if self.snapshot is not None:
            self.initial["base"] = sign_base(resource, self.snapshot)

    @property
    def expected(self) -> str:
        """The text that confirms the deletion."""
        return self.name or self.sid[-SHOWN_END:]

    def clean_confirm_name(self) -> str:
        entered = str(self.cleaned_data["confirm_name"]).strip()
        if entered not in (self.expected.strip(), self.sid):
            raise ValidationError(f"This does not match. Enter “{self.expected}” exactly as shown.")
        return entered

    def reopen(self) -> Self:
        return type(self)(
            self._renewed_data(), resource=self.resource, snapshot=self.snapshot, sid=self.sid
        )


def sign_base(resource: Resource, snapshot: Mapping[str, Any]) -> str:
    """Return the object as the user saw it, signed. Users can't make one up, but they can read it.

    So it has no secrets, but for those in inputs of the form, which show them.
    """
    return _sign(resource, snapshot, redact_snapshot(snapshot))


def _sign(resource: Resource, snapshot: Mapping[str, Any], redacted: Redacted) -> str:
    """Return the signed object. `redacted` is the same one without secrets."""
    readable = _without_json_secrets(resource, snapshot, redacted)
    return signing.dumps(readable, salt=f"{BASE_SALT}.{resource.name}", compress=True)


def _without_json_secrets(
    resource: Resource, snapshot: Mapping[str, Any], redacted: Redacted
) -> Snapshot:
    """Return the object redacted, but for the fields whose inputs show the secrets themselves."""
    readable = Snapshot(dict(redacted))
    for field in resource.fields_set_by("update"):
        if field.name in snapshot and field.kind not in ("json", "json_list"):
            readable[field.name] = snapshot[field.name]
    return readable


def read_base(resource: Resource, value: str, sid: str) -> Snapshot | None:
    """Return the object in a form's `base`, or None if it is of another one or not signed here."""
    try:
        snapshot = signing.loads(value, salt=f"{BASE_SALT}.{resource.name}")
    except signing.BadSignature:
        return None
    if not isinstance(snapshot, dict) or snapshot.get("sid") != sid:
        return None
    return Snapshot(snapshot)


def _defaults(entries: Iterable[Field]) -> dict[str, Any]:
    """Return the choices that a new value begins with."""
    return {
        entry.name: to_text(entry.default)
        for entry in entries
        if entry.kind in ("enum", "boolean") and entry.default is not None
    }


def _to_input(resource: Resource, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object's values as a form's inputs have them."""
    inputs: dict[str, Any] = {}
    for name, value in replace_unstorable(dict(values)).items():
        kind = resource.field(name).kind
        if kind == "sids":
            inputs[name] = to_text(value)
        elif kind == "choices":
            inputs[name] = resource.normalize_value(name, value) or []
        elif kind in ("json", "json_list") and value is not None:
            inputs[name] = _json_text(value)
        else:
            inputs[name] = resource.to_input(name, value)
    return inputs


def _unused_message(resource: Resource, entry: Field, variant: str) -> str:
    """Return the error of a value in a field that the variant doesn't have."""
    chooser = resource.field(resource.variant_field)
    if not variant:
        return f"{entry.label} needs a choice in {chooser.label}. Make it, or clear this field."
    choice = chooser.choices.get(variant, variant)
    return f"{entry.label} is not used with {chooser.label} {choice}. Clear it."


def _json_text(value: Any) -> str:
    """Return JSON as a form shows it."""
    return "" if value is None else json.dumps(value, ensure_ascii=False, indent=2)


def _has_secrets(entry: Field, redacted: Redacted) -> bool:
    """Return True for an object or a list in which something is masked."""
    return entry.kind in ("json", "json_list") and has_mask(redacted.get(entry.name))
