"""Rows of the conflict page: each field that two users changed, with its three values.

They are the value when the form was opened, the value at Twilio now, and the form's own. Nothing is
selected until the user selects it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from flows.audit import audit_log
from flows.audit.models import AuditEvent, Stage
from flows.changes import flow_changes
from flows.changes.forms.conflict import Conflict, choice_label
from flows.flex_flows.forms import FlowForm
from flows.names.named_sids import name_sids
from flows.redaction.masking import redact_field, replace_unstorable
from flows.redaction.redacted import redact_fields
from flows.twilio import labels
from flows.twilio.cleaning import to_text
from flows.twilio.flex.flex_flow import FLEX_FLOW

HISTORY_LIMIT: Final = 50  # events to search for the last change of a field
_BOOLEAN_BY_TEXT: Final = {"true": True, "false": False}
_BOOLEAN_LABELS: Final = {True: "Yes", False: "No"}


def build_conflict_form(form: FlowForm, conflict: flow_changes.Conflict) -> FlowForm:
    """Return the form for the flow as it is at Twilio now, with a conflict to resolve."""
    form_conflict = Conflict.from_fields(
        conflict.merged.conflicting_names,
        base=form.base_flow,
        theirs=conflict.theirs,
        mine=form.values,
    )
    return form.rebase(conflict.theirs, form_conflict)


def build_conflict_rows(form: FlowForm, account_sid: str) -> list[dict[str, Any]]:
    """Return a row for each choice, secrets masked, or nothing if there is no conflict."""
    conflict = form.pending_conflict
    if conflict is None:
        return []
    theirs = redact_fields(form.base_flow)
    mine = _form_values(form)
    last_changes = _last_change_by_field(to_text(theirs.get("sid")), conflict.before)
    selections = conflict.selections(form.input)
    errors = dict(form.conflict_errors)
    rows = [
        {
            "name": choice,
            "label": choice_label(choice, conflict),
            "last": _latest_change(last_changes, conflict.decided_fields(choice)),
            "choice": selections[choice],
            "error": errors.get(f"pick_{choice}_theirs", ""),
            "base": _display_value(conflict, choice, conflict.before),
            "theirs": _display_value(conflict, choice, theirs),
            "mine": _display_value(conflict, choice, mine),
        }
        for choice in conflict.choices
    ]
    name_sids(((account_sid, row) for row in rows), ["base", "theirs", "mine"])
    return rows


def _form_values(form: FlowForm) -> dict[str, Any]:
    """Return the form's own values of the fields in conflict."""
    return {field.name: _parse_input(field.name, field.value()) for field in form.conflict_fields}


def _display_value(conflict: Conflict, choice: str, values: Mapping[str, Any]) -> Any:
    """Return a value for the page; of a whole integration, one line for each field that is set."""
    if not conflict.is_whole_integration(choice):
        return display_redacted(choice, values.get(choice))
    lines = []
    for name in conflict.decided_fields(choice):
        value = values.get(name)
        if value not in (None, ""):
            lines.append(_display_line(name, value))
    return "\n".join(lines) or None


def _display_line(name: str, value: Any) -> str:
    """Return a line with the label and the value of a field."""
    displayed_value = display_redacted(name, value)
    if isinstance(displayed_value, bool):
        displayed_value = _BOOLEAN_LABELS[displayed_value]
    return f"{FLEX_FLOW.label_of(name)}: {displayed_value}"


def display_redacted(name: str, value: Any) -> Any:
    """Return a field's value as pages show it, without secrets."""
    redacted = redact_field(name, replace_unstorable(value))
    return labels.display_value(FLEX_FLOW, name, redacted)


def _parse_input(name: str, value: Any) -> Any:
    """Return a form's text as the kind of value that the field has."""
    if FLEX_FLOW.by_name[name].kind == "boolean":
        return _BOOLEAN_BY_TEXT.get(str(value))
    return replace_unstorable(value)


def _latest_change(
    last_changes: Mapping[str, AuditEvent], names: Iterable[str]
) -> AuditEvent | None:
    events = [last_changes[name] for name in last_changes.keys() & names]
    return max(events, key=lambda event: event.seq, default=None)


def _last_change_by_field(sid: str, names: Iterable[str]) -> dict[str, AuditEvent]:
    """Return the last event that changed each of these fields, as far as the log has one."""
    events = AuditEvent.objects.filter(
        target_sid=sid, result__in=audit_log.APPLIED_RESULTS
    ).exclude(stage=Stage.ACCESS)
    field_names = set(names)
    last_changes: dict[str, AuditEvent] = {}
    for event in events.order_by("-seq")[:HISTORY_LIMIT]:
        for name in field_names.intersection(event.changed_fields):
            last_changes.setdefault(name, event)
    return last_changes


def displayed_values(snapshot: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Return these fields of a flow as pages show them."""
    redacted = redact_fields(snapshot)
    return {name: redacted.get(name) for name in names}
