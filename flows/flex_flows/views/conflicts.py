"""The conflict page's rows: of each field that two people changed, what it was, what it is at Twilio now, and
what the operator's form has. None is chosen until the operator chooses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from flows.audit import audit_log
from flows.audit.models import AuditEvent, Stage
from flows.changes import flow_changes
from flows.changes.forms.conflict import Conflict, choice_label
from flows.flex_flows.forms import FlowForm
from flows.redaction.masking import redact, redact_field, replace_unstorable
from flows.twilio import labels
from flows.twilio.flex import flex_flow
from flows.twilio.flex.flex_flow import Snapshot

HISTORY_LIMIT: Final = 50  # events among which a conflict looks for who changed the field
_BOOLEAN_BY_TEXT: Final = {"true": True, "false": False}


def build_conflict_form(form: FlowForm, conflict: flow_changes.Conflict) -> FlowForm:
    """The form on the flow as it is at Twilio now, with the conflict that waits for the operator's choices."""
    names = [item.name for item in conflict.merged.conflicts]
    found = Conflict.between(
        names, base=form.snapshot or {}, theirs=conflict.theirs, mine=form.values
    )
    return form.again(theirs=conflict.theirs, conflict=found)


def build_conflict_rows(form: FlowForm) -> list[dict[str, Any]]:
    """A row for each choice; empty if the form has no conflict. Secrets are masked."""
    conflict = form.pending
    if conflict is None:
        return []
    theirs = redact(replace_unstorable(dict(form.snapshot or {})))
    mine = {
        name: _parse_input(name, form[name].value())
        for name in conflict.before
        if name in form.fields
    }
    if conflict.has_two_types:
        mine.setdefault("integration_type", form.chosen)
    changed_by = _last_change_by_field(str(theirs.get("sid") or ""), conflict.before)
    chosen = conflict.chosen(form.data if form.is_bound else form.initial)
    errors = dict(form.conflict_errors)
    return [
        {
            "name": choice,
            "label": choice_label(choice, conflict),
            "last": _latest_change(changed_by, conflict.fields_of(choice)),
            "choice": chosen[choice],
            "error": errors.get(f"pick_{choice}_theirs", ""),
            **{
                column: _display_value(conflict, choice, values)
                for column, values in (
                    ("base", conflict.before),
                    ("theirs", theirs),
                    ("mine", mine),
                )
            },
        }
        for choice in conflict.choices
    ]


def _display_value(conflict: Conflict, choice: str, values: Mapping[str, Any]) -> Any:
    """A value in words; of a whole integration, its type and each setting that has a value, one a line."""
    fields = conflict.fields_of(choice)
    if len(fields) == 1:
        return labels.display_value(choice, redact_field(choice, values.get(choice)))
    lines = [
        f"{labels.field_label(name)}: {_display_boolean(labels.display_value(name, redact_field(name, values[name])))}"
        for name in fields
        if values.get(name) not in (None, "")
    ]
    return "\n".join(lines) or None


def _display_boolean(value: Any) -> Any:
    return ("Yes" if value else "No") if isinstance(value, bool) else value


def _parse_input(name: str, value: Any) -> Any:
    """Return a form's text as the kind of value that the field holds."""
    is_boolean = flex_flow.FIELDS_BY_NAME[name].kind == "boolean"
    return _BOOLEAN_BY_TEXT.get(str(value)) if is_boolean else replace_unstorable(value)


def _latest_change(changed_by: Mapping[str, AuditEvent], names: Iterable[str]) -> AuditEvent | None:
    found = [changed_by[name] for name in names if name in changed_by]
    return max(found, key=lambda event: event.seq, default=None)


def _last_change_by_field(sid: str, names: Iterable[str]) -> dict[str, AuditEvent]:
    """Of each of these fields, the last event that the log has of a change of it."""
    events = AuditEvent.objects.filter(
        target_sid=sid, result__in=audit_log.APPLIED_RESULTS
    ).exclude(stage=Stage.ACCESS)
    wanted, found = set(names), dict[str, AuditEvent]()
    for event in events.order_by("-seq")[:HISTORY_LIMIT]:
        for name in wanted & set(event.changed_fields):
            found.setdefault(name, event)
    return found


def join_labels(names: Iterable[str]) -> str:
    """Fields by their labels, for a sentence."""
    return ", ".join(labels.field_label(name) for name in names)


def displayed_values(snapshot: Snapshot, names: Iterable[str]) -> dict[str, Any]:
    """Some fields of a flow as pages show them."""
    shown = redact(replace_unstorable(dict(snapshot)))
    return {name: shown.get(name) for name in names}
