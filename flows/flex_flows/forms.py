"""The form of a flow: the create and update schemas with the fields of the chosen integration type.

Input for the fields of other types is carried along in hidden inputs. It is dropped before
validation and never sent.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, Final, Self

from django import forms
from django.core import signing
from django.forms.boundfield import BoundField
from django.http import QueryDict

from flows.changes.cleaning import clean
from flows.changes.forms.conflict import TYPE_FIELD, Conflict, choice_label
from flows.changes.forms.fields import build_field
from flows.changes.forms.reason import ReasonForm
from flows.flex_flows.target_picker import resolve_choices, typed_fields
from flows.redaction.masking import replace_unstorable
from flows.twilio.cleaning import to_text
from flows.twilio.fields import Field
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.resource import Snapshot

BASE_SALT = "flows.forms.base"
_CHANNEL_NAMES: Final = (
    "friendly_name",
    "channel_type",
    "contact_identity",
    "chat_service_sid",
    "enabled",
)
_NESTED_NAMES: Final = tuple(entry.name for entry in FLEX_FLOW.nested_fields)
_OPTION_NAMES: Final = ("long_lived", "janitor_enabled")
_NAMES_ON_PAGE: Final = (*_CHANNEL_NAMES, TYPE_FIELD, *_NESTED_NAMES, *_OPTION_NAMES)
_FIELDS_WITH_DEFAULT: Final = tuple(
    entry for entry in FLEX_FLOW.writable_fields if entry.requires and entry.default is not None
)
# Fields whose SID can be chosen by its name (target_choices.py).
PICKED_FIELDS: Final = (
    "integration_flow_sid",
    "integration_workspace_sid",
    "integration_workflow_sid",
    "integration_channel",
    "chat_service_sid",
)
IDENTITY_FIELD: Final = "contact_identity"  # can be chosen as well (number_choices.py)
_CHOSEN_FIELDS: Final = (*PICKED_FIELDS, IDENTITY_FIELD)
SID_ATTRIBUTES = {"spellcheck": "false", "autocapitalize": "none", "class": "mono"}
WORKSPACE_FIELD: Final = "integration_workspace_sid"
# A new integration type swaps in its own fields, and a new workspace its own workflows.
UPDATE_ATTRIBUTES = {
    "hx-post": "",
    "hx-trigger": "change",
    "hx-include": "closest form",
    "hx-vals": '{"update_fields": "1"}',
    "hx-target": "#integration-fields",
    "hx-swap": "innerHTML",
    "hx-sync": "closest form:replace",
}


class FlowForm(ReasonForm):
    """Creates a flow (`base` is None) or edits one (`base` is the flow as the user saw it)."""

    base = forms.CharField(widget=forms.HiddenInput, required=False)
    # A signed `Conflict` that waits for the user's choices.
    conflict = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        base: Snapshot | None = None,
        initial: Mapping[str, Any] | None = None,
    ) -> None:
        self.snapshot = base
        self.base_flow = base or Snapshot({})
        sent_input = data if data is not None else initial or {}
        self.typed_fields = typed_fields(sent_input, _CHOSEN_FIELDS)
        base_values = _initial_values(self.base_flow)
        chosen = resolve_choices(initial or {}, _CHOSEN_FIELDS)
        initial_input = _to_input({**base_values, **chosen})
        base_input: dict[str, Any] = {}  # stands in for what the user's input lacks
        if base is not None:
            initial_input.setdefault("base", sign_base(base))
            base_input = _to_input(base_values)
        if data is not None:
            chosen = resolve_choices(dict(data.items()), _CHOSEN_FIELDS)
            data = {**base_input, **chosen}
        super().__init__(data, initial={"change_id": uuid.uuid4(), **initial_input})

        self.selected_type = FLEX_FLOW.chosen_variant(self.input, base)
        conflict_token = str(self.input.get("conflict", ""))
        self.pending_conflict = Conflict.load(conflict_token, _sid_of(self.base_flow))
        self.conflict_errors: list[tuple[str, str]] = []
        self.parked: list[tuple[str, str]] = []
        self._add_flow_fields()

    def _add_flow_fields(self) -> None:
        """Add the fields of the selected integration type, and carry along the input of others."""
        for entry in FLEX_FLOW.writable_fields:
            if entry.is_applicable(self.selected_type):
                self.fields[entry.name] = self._build_field(entry)
            else:
                self._park(entry.name)
        self.order_fields(_NAMES_ON_PAGE)  # the summary of errors has the order of the page

    @property
    def input(self) -> Mapping[str, Any]:
        """The input that the user sent, or else the initial one."""
        return self.data if self.is_bound else self.initial

    @property
    def values(self) -> dict[str, Any]:
        """The validated fields of the flow, only those of the chosen integration type."""
        names = FLEX_FLOW.in_order(self.fields.keys() & FLEX_FLOW.writable_names)
        return {name: self.cleaned_data[name] for name in names}

    def clean(self) -> dict[str, Any]:
        cleaned = clean(FLEX_FLOW, self.data, current=self.snapshot)
        self.cleaned_data.update(cleaned.values)
        for name, message in cleaned.errors.items():
            self.add_error(name, message)
        return self.cleaned_data

    def reopen(self) -> Self:
        return type(self)(self._renewed_data(), base=self.snapshot)

    def rebase(self, theirs: Snapshot, conflict: Conflict) -> Self:
        """Return the form for the flow as it is at Twilio now, with the user's edits.

        Fields that the user didn't edit take their values, except those that the `conflict`
        decides.
        """
        data = self._renewed_data()
        for name in self._unedited_names(conflict):
            data.pop(name, None)
        data["base"] = sign_base(theirs)
        data["conflict"] = conflict.sign(_sid_of(theirs))
        return type(self)(data, base=theirs)

    def _unedited_names(self, conflict: Conflict) -> set[str]:
        """Return the fields that the user left as they were, without those of the conflict.

        Parked fields count too: under another integration type they would come back as edits.
        """
        values = self.values
        edited_names = set(FLEX_FLOW.differing_fields(self.base_flow, values, values))
        edited_names |= conflict.hidden_names & set(values)
        return set(FLEX_FLOW.writable_names) - edited_names

    def add_choice_errors(self, conflict: Conflict) -> bool:
        """Add an error for each field in conflict without a choice. Return True if there is one."""
        self.conflict_errors = []
        for choice, selection in conflict.selections(self.data).items():
            if not selection:
                label = choice_label(choice, conflict)
                error = (f"pick_{choice}_theirs", f"Choose a value for {label}.")
                self.conflict_errors.append(error)
        return bool(self.conflict_errors)

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return [*self.conflict_errors, *super().error_list]

    @property
    def channel_fields(self) -> list[BoundField]:
        return self._visible_fields(*_CHANNEL_NAMES)

    @property
    def handling(self) -> BoundField | None:
        """The integration type, or None while a conflict decides it."""
        visible_fields = self._visible_fields(TYPE_FIELD)
        return visible_fields[0] if visible_fields else None

    @property
    def integration(self) -> list[BoundField]:
        return self._visible_fields(*_NESTED_NAMES)

    @property
    def options(self) -> list[BoundField]:
        return self._visible_fields(*_OPTION_NAMES)

    @property
    def conflict_fields(self) -> list[BoundField]:
        """The fields that a conflict above the form decides. The form carries them hidden."""
        names = FLEX_FLOW.in_order(self.fields.keys() & self._conflict_names())
        return [self[name] for name in names]

    def _conflict_names(self) -> set[str]:
        if self.pending_conflict is None:
            return set()
        return self.pending_conflict.hidden_names

    def _visible_fields(self, *names: str) -> list[BoundField]:
        """Return those of these fields that the selected type has and no conflict decides."""
        visible_names = self.fields.keys() - self._conflict_names()
        return [self[name] for name in names if name in visible_names]

    def _build_field(self, entry: Field) -> forms.Field:
        form_field = build_field(
            entry, required=FLEX_FLOW.is_required(entry, self.selected_type, self.snapshot)
        )
        if isinstance(form_field, forms.ChoiceField):
            values = self.snapshot or self.initial
            value = FLEX_FLOW.to_input(entry.name, replace_unstorable(values.get(entry.name)))
            form_field.choices = _field_choices(form_field, value)
        form_field.widget.attrs.update(_input_attributes(entry))
        return form_field

    def _park(self, name: str) -> None:
        """Carry the input of a field along without showing it, even if it is empty."""
        value = self.input.get(name)
        if value is not None:
            self.parked.append((name, str(value)))


def sign_base(snapshot: Snapshot) -> str:
    """Return the form's `base`: the flow as the user saw it. Users can't make one up."""
    whole = {**writable_values(snapshot), **snapshot}
    return signing.dumps(whole, salt=BASE_SALT, compress=True)


def read_base(value: str, sid: str) -> Snapshot | None:
    """Return the flow in a form's `base`, or None if it isn't signed here or of another flow."""
    try:
        snapshot = signing.loads(value, salt=BASE_SALT)
    except signing.BadSignature:
        return None
    if not isinstance(snapshot, dict) or snapshot.get("sid") != sid:
        return None
    return Snapshot(snapshot)


def resolve_conflict(data: QueryDict, base: Snapshot, conflict: Conflict) -> QueryDict:
    """Return the form's data with the choices that resolve its conflict."""
    return conflict.resolve(data, _to_input(base))


def writable_values(flow: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the fields that the form of a flow has, None for those not set."""
    return {name: flow.get(name) for name in FLEX_FLOW.writable_names}


def _sid_of(snapshot: Snapshot) -> str:
    """Return the flow's SID, or "" for a flow to create."""
    return to_text(snapshot.get("sid"))


def _initial_values(base: Snapshot) -> dict[str, Any]:
    """Return the flow's values, with Twilio's defaults for other integration types.

    A default is only set where that type requires a value and the flow has none.
    """
    values = dict(base)
    current_type = FLEX_FLOW.variant_of(values)
    for entry in _FIELDS_WITH_DEFAULT:
        is_empty = values.get(entry.name) in (None, "")
        if is_empty and not entry.is_applicable(current_type):
            values[entry.name] = entry.default
    return values


def _to_input(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a flow's values as a form's inputs have them."""
    storable_values = replace_unstorable(values)
    return {name: FLEX_FLOW.to_input(name, value) for name, value in storable_values.items()}


def _field_choices(form_field: forms.ChoiceField, current_value: Any) -> list[Any]:
    """Return the choices of a field for a flow with this value.

    An unknown value becomes a choice. "Not set" is omitted if it can't be chosen again.
    """
    choices = list(form_field.widget.choices)
    if current_value is None:
        return choices
    if not form_field.valid_value(current_value):
        choices.append((current_value, str(current_value)))
    if form_field.required:
        del choices[0]  # "Not set"
    return choices


def _input_attributes(entry: Field) -> dict[str, str]:
    """Return the HTML attributes of a field's input."""
    attributes = {"autocomplete": "off"}
    if entry.kind == "sid":
        attributes |= SID_ATTRIBUTES
    if entry.name == TYPE_FIELD:
        attributes |= UPDATE_ATTRIBUTES
    return attributes
