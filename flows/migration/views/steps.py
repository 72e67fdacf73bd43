"""The page of a flow's migration: its steps, who answers customers, and what a user can do next."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from flows.accounts import twilio_accounts
from flows.accounts.permissions import has_permission
from flows.audit.access import Request, require_permission
from flows.audit.models import AuditEvent
from flows.availability import restrictions
from flows.changes import change_guard
from flows.migration import execution, leases, sentences, services
from flows.migration.forms import (
    CloseForm,
    DeleteFlowForm,
    MigrationForm,
    RollbackForm,
    VerifyForm,
)
from flows.migration.load_flow import judge_flows
from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.sending import describe_failure, target_sid
from flows.migration.sentences import describe_service, was_finished_by_hand
from flows.migration.status import MigrationStatus
from flows.migration.step_kinds import CALLS, SWITCHING_KINDS, Call, StepKind
from flows.migration.step_states import StepState, load_events, load_states, load_steps
from flows.migration.unserved import (
    LOST_ANSWER,
    Handler,
    describe_seconds,
    find_handler,
    longest_unserved_seconds,
    rollback_unserved,
)
from flows.migration.verdict_reasons import Effect, Found
from flows.migration.views.board import FLOW_DELETED
from flows.mirror.models import Flow
from flows.names.named_sids import name_sids
from flows.redaction.masking import redact_field
from flows.twilio import labels

STATUS_CLASSES: Final = {
    MigrationStatus.PREPARING: "busy",
    MigrationStatus.READY: "none",
    MigrationStatus.SWITCHING: "busy",
    MigrationStatus.SWITCHED: "doubt",
    MigrationStatus.VERIFIED: "good",
    MigrationStatus.DELETING: "busy",
    MigrationStatus.DONE: "good",
    MigrationStatus.ROLLING_BACK: "busy",
    MigrationStatus.ROLLED_BACK: "none",
    MigrationStatus.STUCK: "bad",
}
STATE_CLASSES: Final = {
    StepState.PLANNED: "none",
    StepState.DONE: "good",
    StepState.NOT_DONE: "bad",
    StepState.UNKNOWN: "doubt",
    StepState.REVERSED: "none",
}
ROLLBACK_STATUSES: Final = (
    MigrationStatus.READY,
    MigrationStatus.SWITCHED,
    MigrationStatus.VERIFIED,
    MigrationStatus.STUCK,
)
FINISHED_BY_HAND: Final = "Finished by hand"
BEFORE_SWITCH: Final = (
    MigrationStatus.PREPARING,
    MigrationStatus.READY,
    MigrationStatus.SWITCHING,
)


@require_GET
@require_permission("flows.view_flow", action="flow.view")
def steps(request: Request, sid: str) -> HttpResponse:
    is_fragment = request.htmx and not request.htmx.history_restore_request
    template = "migration/_steps.html" if is_fragment else "migration/steps.html"
    return render_steps(request, find_migration(sid), template=template)


def find_migration(sid: str) -> FlowMigration:
    """Return the flow's latest migration, or raise Http404."""
    migration = services.latest_migration(sid)
    if migration is None:
        raise Http404("This flow has no migration")
    return migration


def render_steps(
    request: Request,
    migration: FlowMigration,
    *,
    form: MigrationForm | None = None,
    form_name: str = "",
    template: str = "migration/steps.html",
    status: int = 200,
) -> HttpResponse:
    """Render the page. `form` is a form as it was posted, if one was: that of `form_name`."""
    migration_steps = load_steps(migration)
    states = load_states(migration_steps)
    handler = find_handler(states)
    flow = None if migration.is_ended else Flow.objects.filter(sid=migration.flow_sid).first()
    gone_at = flow.gone_at if flow else None
    hand_reasons = _find_hand_reasons(migration, flow)
    is_before_switch = migration.status in BEFORE_SWITCH
    context = {
        "migration": migration,
        "status": (
            _status_label(migration, states, gone_at),
            STATUS_CLASSES[MigrationStatus(migration.status)],
        ),
        "flow_gone_at": gone_at,
        "account": twilio_accounts.account_or_removed(migration.account_sid),
        "has_several_accounts": twilio_accounts.only_account() is None,
        "service": _describe_service(migration, handler, gone_at, hand_reasons),
        "hand_reasons": hand_reasons,
        "address_note": _address_note(states),
        "verification": services.verification(migration),
        "rollback_unserved": rollback_unserved(migration),
        **_approval_context(request, migration),
        "is_unserved": not migration.is_ended and handler in (Handler.NONE, Handler.UNKNOWN),
        "rows": _build_rows(migration, _shown_steps(migration, states), states),
        "unserved": describe_unserved(migration_steps, states) if is_before_switch else "",
        "lost_answer": LOST_ANSWER,
        "is_waiting": _is_waiting_for_worker(migration),
        "queue_position": _queue_position(migration),
        "form": form,
        **_actions(request, migration, handler, gone_at),
        **_forms(migration, form, form_name),
    }
    return render(request, template, context, status=status)


def _find_hand_reasons(migration: FlowMigration, flow: Flow | None) -> list[Found]:
    """Return what is left to do by hand, as far as it is known, until a user has verified it."""
    is_open = migration.status in (MigrationStatus.READY, MigrationStatus.SWITCHED)
    if flow is None or flow.gone_at or not is_open:
        return []
    reasons = judge_flows([flow])[flow.sid].open_reasons
    return [each for each in reasons if each.effect == Effect.NEEDS_HAND]


def _describe_service(
    migration: FlowMigration,
    handler: Handler,
    gone_at: datetime | None,
    hand_reasons: Sequence[Found],
) -> str:
    if gone_at:
        return sentences.flow_is_gone(migration, handler)
    if handler == Handler.ADDRESS and hand_reasons:
        return sentences.may_not_answer_yet(migration)
    return describe_service(migration)


def _address_note(states: Mapping[MigrationStep, StepState]) -> str:
    """Return what a rollback did with the address, or ""."""
    notes = {
        StepKind.CREATE_ADDRESS: "Deleted by the rollback.",
        StepKind.ADOPT_ADDRESS: "It has its earlier values again.",
    }
    reversed_kinds = [step.kind for step, state in states.items() if state == StepState.REVERSED]
    return next((notes[kind] for kind in notes if kind in reversed_kinds), "")


def _status_label(
    migration: FlowMigration,
    states: Mapping[MigrationStep, StepState],
    gone_at: datetime | None,
) -> str:
    if gone_at:
        return FLOW_DELETED
    if was_finished_by_hand(migration, states):
        return FINISHED_BY_HAND
    return migration.get_status_display()


def describe_unserved(
    migration_steps: Iterable[MigrationStep], states: Mapping[MigrationStep, StepState]
) -> str:
    """Return in words how long customers are unserved at most in a switch-over, or "" without one."""
    planned = [
        step
        for step in migration_steps
        if step.kind in SWITCHING_KINDS and states[step] == StepState.PLANNED
    ]
    seconds = longest_unserved_seconds(planned)
    return describe_seconds(seconds) if seconds else ""


def _actions(
    request: Request, migration: FlowMigration, handler: Handler, gone_at: datetime | None
) -> dict[str, Any]:
    """Return what the user can do now. Read-only mode takes all but "stop" away.

    After the flow was deleted outside, there is nothing to switch over, and no flow to go back to.
    """
    sid, status = migration.account_sid, migration.status
    can_change = has_permission(request.user, "flows.change_flow", sid)
    can_delete = has_permission(request.user, "flows.delete_flow", sid)
    is_available = restrictions.find_restriction(sid, "update") is None
    possible_at = services.deletion_possible_at(migration)
    can_act = can_change and is_available and migration.erased_at is None
    return {
        "can_switch": can_act and status == MigrationStatus.READY and not gone_at,
        "can_verify": can_act and status == MigrationStatus.SWITCHED,
        "can_roll_back": can_act
        and status in ROLLBACK_STATUSES
        and not (gone_at and handler == Handler.ADDRESS),
        "can_resume": can_act and status == MigrationStatus.STUCK,
        "can_close": can_change and is_available and status == MigrationStatus.STUCK,
        "can_stop": can_change and status == MigrationStatus.SWITCHING and not migration.begun_at,
        "can_prepare": can_act and status == MigrationStatus.ROLLED_BACK,
        "deletion_possible_at": possible_at,
        "can_delete": can_delete
        and is_available
        and status == MigrationStatus.VERIFIED
        and possible_at is not None
        and possible_at <= timezone.now(),
    }


def _approval_context(request: Request, migration: FlowMigration) -> dict[str, bool]:
    """Return whether a rollback would be without an approval, and whether others are told of it."""
    guard = change_guard.guard()
    if not guard.requires_approvals(migration.account_sid):
        return {"requires_approvals": False}
    is_told_to_no_one = guard.is_told_to_no_one(migration.account_sid, request.user)
    return {"requires_approvals": True, "is_told_to_no_one": is_told_to_no_one}


def _forms(
    migration: FlowMigration, form: MigrationForm | None, form_name: str
) -> dict[str, MigrationForm]:
    forms: dict[str, MigrationForm] = {
        "verify_form": VerifyForm(),
        "rollback_form": RollbackForm(needs_care=bool(rollback_unserved(migration))),
        "close_form": CloseForm(),
        "delete_form": DeleteFlowForm(expected=str(migration), sid=migration.flow_sid),
    }
    for name, each in forms.items():
        each.auto_id = f"{name.removesuffix('_form')}_%s"
    if form is not None and form_name:
        forms[f"{form_name}_form"] = form
        form.auto_id = f"{form_name}_%s"
    return forms


def _is_waiting_for_worker(migration: FlowMigration) -> bool:
    """Return True if no worker has taken the account's migrations up for longer than that takes."""
    if not migration.is_running or migration.requested_at is None:
        return False
    if leases.is_held(migration.account_sid):
        return False
    return (
        migration.problem == "" and migration.requested_at < timezone.now() - leases.PICKUP_TIMEOUT
    )


def _queue_position(migration: FlowMigration) -> int:
    """Return how many migrations of the account come before this one."""
    if not migration.is_running:
        return 0
    waiting = list(execution.waiting_migrations(migration.account_sid).values_list("pk", flat=True))
    return waiting.index(migration.pk) if migration.pk in waiting else 0


def _shown_steps(
    migration: FlowMigration, states: Mapping[MigrationStep, StepState]
) -> list[MigrationStep]:
    """Return the steps without those of a later switch-over, while one is being rolled back."""
    if migration.status in BEFORE_SWITCH:
        return list(states)
    return [
        step
        for step, state in states.items()
        if step.kind not in SWITCHING_KINDS
        or step.reverses_id is not None
        or state != StepState.PLANNED
    ]


def _build_rows(
    migration: FlowMigration,
    migration_steps: Iterable[MigrationStep],
    states: Mapping[MigrationStep, StepState],
) -> list[dict[str, Any]]:
    events = load_events(states)
    rows = [_build_row(step, states[step], events.get(step)) for step in migration_steps]
    differences = (
        (migration.account_sid, difference) for row in rows for difference in row["differences"]
    )
    name_sids(differences, ["before", "after"])
    return rows


def _build_row(step: MigrationStep, state: StepState, event: AuditEvent | None) -> dict[str, Any]:
    call = CALLS[StepKind(step.kind)]
    return {
        "step": step,
        "label": StepKind(step.kind).label,
        "target_sid": target_sid(step),
        "parent_sid": step.parent_sid,
        "is_creation": call.operation == "create",
        "differences": _differences(step, call),
        "state": (state.label, STATE_CLASSES[state]),
        "explanation": describe_failure(event) if event and state == StepState.NOT_DONE else "",
        "event": event,
    }


def _differences(step: MigrationStep, call: Call) -> list[dict[str, Any]]:
    """Return the values that a step changes, as the rows of a bulk change have them."""
    if call.operation == "delete" or step.kind == StepKind.JOIN_SERVICE:
        return []
    is_switch = step.kind in (StepKind.TURN_OFF_FLOW, StepKind.TURN_ON_FLOW)
    names = ["enabled"] if is_switch else list(step.requested)
    changed = call.resource.differing_fields(step.before, step.requested, names)
    return [
        _difference(call, name, step.before.get(name), step.requested.get(name)) for name in changed
    ]


def _difference(call: Call, name: str, before: Any, after: Any) -> dict[str, Any]:
    entry = call.resource.field(name)
    return {
        "label": entry.label,
        "is_sid": entry.kind == "sid",
        "before": labels.display_value(call.resource, name, redact_field(name, before)),
        "after": labels.display_value(call.resource, name, redact_field(name, after)),
    }
