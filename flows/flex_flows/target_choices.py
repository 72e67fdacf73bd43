"""The choices of the pickers in a flow's form: the targets of the account, the most used first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django import forms
from django.db.models import Count

from flows.core.safe_text import short
from flows.flex_flows.forms import (
    PICKED_FIELDS,
    SID_ATTRIBUTES,
    UPDATE_ATTRIBUTES,
    WORKSPACE_FIELD,
    FlowForm,
)
from flows.flex_flows.target_picker import MAX_OPTIONS, Option, OptionGroup, TargetPicker
from flows.mirror.models import Flow
from flows.names.models import ResourceName
from flows.twilio.chat.chat_service import CHAT_SERVICE
from flows.twilio.conversations.conversation_service import CONVERSATION_SERVICE
from flows.twilio.studio.studio_flow import STUDIO_FLOW
from flows.twilio.taskrouter.task_channel import TASK_CHANNEL
from flows.twilio.taskrouter.workflow import WORKFLOW
from flows.twilio.taskrouter.workspace import WORKSPACE

_FIELDS_BY_RESOURCE: Final = {
    STUDIO_FLOW.name: "integration_flow_sid",
    WORKSPACE.name: WORKSPACE_FIELD,
    WORKFLOW.name: "integration_workflow_sid",
    TASK_CHANNEL.name: "integration_channel",
    CONVERSATION_SERVICE.name: "chat_service_sid",
    CHAT_SERVICE.name: "chat_service_sid",
}
_FIELDS_BELOW_WORKSPACE: Final = frozenset({"integration_workflow_sid", "integration_channel"})
_OTHER_LABELS: Final = {"integration_channel": "Another SID or name"}


@dataclass(slots=True)
class _Target:
    """Something that a field can point to. `value` is what the field has for it."""

    value: str
    sid: str = ""
    name: str = ""
    parent_sid: str = ""
    is_draft: bool = False
    is_gone: bool = False
    flows: int = 0
    workspaces: set[str] = field(default_factory=set)  # of the flows that use it

    def is_in(self, workspace_sid: str) -> bool:
        """Return True if it belongs to a workspace, as far as that is known."""
        if self.parent_sid:
            return self.parent_sid == workspace_sid
        return not self.workspaces or workspace_sid in self.workspaces

    def describe(self, note: str = "") -> str:
        """Return a label such as "Support IVR · FW1234…abcd · 12 flows"."""
        identifier = self.value if self.value != self.sid else short(self.sid)
        parts = [self.name, identifier, "draft" if self.is_draft else "", note]
        if self.flows:
            parts.append("1 flow" if self.flows == 1 else f"{self.flows} flows")
        return " · ".join(filter(None, parts))


class TargetChoices:
    """The targets of an account by field, with the number of flows that use each."""

    def __init__(self, account_sid: str) -> None:
        self._targets = _load_targets(account_sid)
        _count_uses(account_sid, self._targets)

    def groups(self, field_name: str, chosen: str, workspace_sid: str) -> list[OptionGroup]:
        """Return the options of a field: the targets that flows use, and the others."""
        targets = self._targets[field_name]
        offered = [
            target
            for target in targets.values()
            if not target.is_gone and (not workspace_sid or target.is_in(workspace_sid))
        ]
        offered.sort(key=lambda target: (-target.flows, target.name.casefold(), target.value))
        del offered[MAX_OPTIONS:]
        current = targets.get(chosen)
        groups = [
            OptionGroup("Current", [_describe_current(current, workspace_sid)])
            if current is not None and current not in offered
            else None,
            _group("Used by flows", (target for target in offered if target.flows)),
            _group("Not used yet", (target for target in offered if not target.flows)),
        ]
        return [group for group in groups if group is not None]


def offer_targets(form: FlowForm, account_sid: str) -> None:
    """Replace the form's inputs for SIDs by pickers. A field without choices keeps its input."""
    choices = TargetChoices(account_sid)
    workspace_sid = _value_of(form, WORKSPACE_FIELD)
    for name in PICKED_FIELDS:
        if name in form.fields:
            is_below = name in _FIELDS_BELOW_WORKSPACE
            groups = choices.groups(name, _value_of(form, name), workspace_sid if is_below else "")
            is_other = name in form.typed_fields
            _set_picker(form.fields[name], name, groups, is_other=is_other)


def offer_target(
    form: forms.Form, input_name: str, field_name: str, account_sid: str, *, is_other: bool
) -> None:
    """Replace one input of a form by a picker for a flow's field.

    `is_other` keeps "Another SID…" selected even if nothing is typed yet.
    """
    groups = TargetChoices(account_sid).groups(field_name, _value_of(form, input_name), "")
    _set_picker(form.fields[input_name], field_name, groups, is_other=is_other)


def _set_picker(
    form_field: forms.Field, field_name: str, groups: list[OptionGroup], *, is_other: bool
) -> None:
    if not groups:
        return
    form_field.widget = TargetPicker(
        groups,
        empty_label="Choose…" if form_field.required else "Not set",
        other_label=_OTHER_LABELS.get(field_name, f"Another {form_field.label}"),
        is_other=is_other,
        attrs=_select_attributes(field_name, form_field.widget.attrs),
    )


def _select_attributes(field_name: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the attributes of a field's input as a select has them.

    A chosen workspace swaps in its workflows. One that is typed does not, because the swap would
    take away what is typed next.
    """
    select_attributes = {
        name: value
        for name, value in attributes.items()
        if name not in (*SID_ATTRIBUTES, "maxlength")
    }
    return (
        select_attributes | UPDATE_ATTRIBUTES
        if field_name == WORKSPACE_FIELD
        else select_attributes
    )


def _value_of(form: forms.Form, name: str) -> str:
    """Return the SID in a field, or "" if it has none yet."""
    return str(form[name].value() or "") if name in form.fields else ""


def _load_targets(account_sid: str) -> dict[str, dict[str, _Target]]:
    """Return the named targets by field and value, with one query."""
    targets: dict[str, dict[str, _Target]] = {name: {} for name in PICKED_FIELDS}
    rows = ResourceName.objects.filter(
        account_sid=account_sid, resource__in=_FIELDS_BY_RESOURCE
    ).values_list("resource", "sid", "name", "status", "parent_sid", "reference", "gone_at")
    for resource, sid, name, status, parent_sid, reference, gone_at in rows:
        value = reference or sid
        target = _Target(value, sid, name, parent_sid, status == "draft", gone_at is not None)
        of_field = targets[_FIELDS_BY_RESOURCE[resource]]
        earlier = of_field.setdefault(value, target)
        if earlier is not target:  # each workspace has its own task channel of a name
            earlier.parent_sid, earlier.is_gone = "", earlier.is_gone and target.is_gone
    return targets


def _count_uses(account_sid: str, targets: dict[str, dict[str, _Target]]) -> None:
    """Count the flows that use each target, with one query. Add targets that have no name."""
    flows = Flow.objects.filter(account_sid=account_sid, gone_at=None)
    columns = [f"resource__{name}" for name in targets]
    for *values, count in flows.values_list(*columns).annotate(flows=Count("sid")):
        workspace_sid = dict(zip(targets, values, strict=True))[WORKSPACE_FIELD]
        for name, value in zip(targets, values, strict=True):
            if isinstance(value, str) and value:
                target = targets[name].setdefault(value, _Target(value, value))
                target.flows += count
                if isinstance(workspace_sid, str):
                    target.workspaces.add(workspace_sid)


def _describe_current(target: _Target, workspace_sid: str) -> Option:
    """Return the option of the current value, which would not be offered otherwise."""
    note = ""  # of a target that `MAX_OPTIONS` cut off
    if target.is_gone:
        note = "deleted at Twilio"
    elif workspace_sid and not target.is_in(workspace_sid):
        note = "in another workspace"
    return Option(target.value, target.describe(note))


def _group(label: str, targets: Iterable[_Target]) -> OptionGroup | None:
    options = [Option(target.value, target.describe()) for target in targets]
    return OptionGroup(label, options) if options else None
