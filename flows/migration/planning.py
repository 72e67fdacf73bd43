"""The steps of a migration, decided from what Twilio has now, with the values to put back."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Max, Q

from flows.audit.models import AuditEvent
from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.readings import CannotMigrate, Readings
from flows.migration.status import MigrationStatus
from flows.migration.step_kinds import (
    CALLS,
    PREPARING_KINDS,
    REVERSALS,
    SWITCHING_KINDS,
    StepKind,
)
from flows.migration.step_states import StepState, load_states, load_steps
from flows.redaction.masking import has_mask
from flows.redaction.redacted import redact_snapshot
from flows.twilio.conversations.address_configuration import ADDRESS_CONFIGURATION
from flows.twilio.flex.flex_flow import FLEX_FLOW, is_on
from flows.twilio.resource import Resource

DETACHED = {"sms_url": "", "sms_application_sid": ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDraft:
    """A step before it is stored. The values may be unmasked: `redact` them before that."""

    kind: StepKind
    target_sid: str = ""
    parent_sid: str = ""
    before: Mapping[str, Any] = field(default_factory=dict)
    requested: Mapping[str, Any] = field(default_factory=dict)


TURN_ON_ADDRESS = StepDraft(
    kind=StepKind.TURN_ON_ADDRESS,
    before={"auto_creation_enabled": False},
    requested={"auto_creation_enabled": True},
)


def draft_steps(readings: Readings) -> list[StepDraft]:
    """Return the steps up to the switch-over, in their order. Raises `CannotMigrate`."""
    if not is_on(readings.flow):
        raise CannotMigrate(
            "The flow is off, so no message arrives through it. Turn it on, then prepare again, or "
            "delete the flow."
        )
    return [_draft_address(readings), *draft_switch(readings)]


def draft_switch(readings: Readings) -> list[StepDraft]:
    """Return the steps of the switch-over. Raises `CannotMigrate` if one couldn't be taken back."""
    flow_fields = _writable_values(FLEX_FLOW, readings.flow)
    return [
        *_draft_number(readings),
        StepDraft(
            kind=StepKind.TURN_OFF_FLOW,
            target_sid=readings.flow["sid"],
            before=flow_fields,
            requested={"enabled": False},
        ),
        TURN_ON_ADDRESS,
    ]


def store_steps(migration: FlowMigration, drafts: Iterable[StepDraft]) -> list[MigrationStep]:
    """Append steps to a migration, each with a `change_id`, and return them."""
    position = next_position(migration)
    steps = [
        MigrationStep(
            migration=migration,
            position=position + number,
            kind=draft.kind,
            target_sid=draft.target_sid,
            parent_sid=draft.parent_sid,
            before=redact_snapshot(draft.before),
            requested=redact_snapshot(draft.requested),
        )
        for number, draft in enumerate(drafts)
    ]
    return MigrationStep.objects.bulk_create(steps)


def store_reversals(migration: FlowMigration, steps: Sequence[MigrationStep]) -> None:
    """Append the reversals of these steps, the last step first."""
    position = next_position(migration)
    MigrationStep.objects.bulk_create(
        MigrationStep(
            migration=migration,
            position=position + number,
            kind=REVERSALS[StepKind(step.kind)],
            reverses=step,
            target_sid=step.target_sid,
            parent_sid=step.parent_sid,
            before=step.requested,
            requested=step.before,
        )
        for number, step in enumerate(reversed(steps))
    )


def plan_switch_again(migration: FlowMigration) -> None:
    """Replace the steps that are left of a failed switch-over by all of them, with new ids."""
    latest = {}
    for step in load_steps(migration):
        if step.kind in SWITCHING_KINDS:
            latest[step.kind, step.target_sid, step.parent_sid] = step
    drafts = [
        StepDraft(
            kind=StepKind(step.kind),
            target_sid=step.target_sid,
            parent_sid=step.parent_sid,
            before=step.before,
            requested=step.requested,
        )
        for step in sorted(
            latest.values(), key=lambda step: SWITCHING_KINDS.index(StepKind(step.kind))
        )
    ]
    drop_unsent(migration, SWITCHING_KINDS)
    store_steps(migration, drafts)


def drop_unsent(migration: FlowMigration, kinds: Collection[StepKind] = tuple(StepKind)) -> None:
    """Delete the planned steps of these kinds that nothing was sent of."""
    states = load_states(load_steps(migration))
    unsent = [
        step.pk
        for step, state in states.items()
        if step.kind in kinds and state == StepState.PLANNED
    ]
    migration.steps.filter(pk__in=unsent).delete()


def steps_in_effect(migration: FlowMigration, kinds: Collection[StepKind]) -> list[MigrationStep]:
    """Return the steps of these kinds that were made and not taken back, in their order."""
    states = load_states(load_steps(migration))
    return [
        step for step, state in states.items() if step.kind in kinds and state == StepState.DONE
    ]


def has_sent(migration: FlowMigration, kinds: Collection[StepKind]) -> bool:
    """Return True if a step of these kinds is in effect, or may be."""
    states = load_states(load_steps(migration))
    return any(
        step.kind in kinds and state in (StepState.DONE, StepState.UNKNOWN)
        for step, state in states.items()
    )


def next_position(migration: FlowMigration) -> int:
    last = migration.steps.aggregate(last=Max("position"))["last"]
    return 0 if last is None else last + 1


def find_change(steps: Iterable[MigrationStep], readings: Readings) -> str:
    """Return a sentence about what changed at Twilio since these steps were planned, or "".

    The steps are those of a switch-over that nothing was sent of.
    """
    planned = {(step.kind, step.target_sid, step.parent_sid): step for step in steps}
    drafts = draft_switch(readings)
    if planned.keys() != {(draft.kind, draft.target_sid, draft.parent_sid) for draft in drafts}:
        return "Who answers the number changed"
    for draft in drafts:
        step = planned[draft.kind, draft.target_sid, draft.parent_sid]
        resource = CALLS[draft.kind].resource
        names = resource.differing_fields(step.before, redact_snapshot(draft.before))
        if names:
            labels = ", ".join(resource.label_of(name) for name in names)
            return f"{labels} of the {resource.noun} changed"
    return ""


def find_address_change(prepared: Mapping[str, Any], readings: Readings) -> str:
    """Return a sentence if the address isn't as it was prepared, which are masked values, or ""."""
    if readings.address is None:
        return "The address no longer exists"
    # Twilio may write the address itself in another way than it was entered.
    if readings.address["sid"] != prepared.get("sid"):
        return "The address was replaced by another one"
    names = ADDRESS_CONFIGURATION.differing_fields(
        prepared, redact_snapshot(readings.address), prepared.keys() - {"type", "address"}
    )
    labels = ", ".join(ADDRESS_CONFIGURATION.label_of(name) for name in names)
    return f"{labels} of the address changed" if names else ""


def _writable_values(resource: Resource, snapshot: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in snapshot.items() if resource.is_writable(name)}


def _draft_address(readings: Readings) -> StepDraft:
    """Return the step that makes the address: a creation, or a change of one that is off."""
    existing, planned = readings.address, readings.planned_address
    if existing is None:
        return StepDraft(kind=StepKind.CREATE_ADDRESS, requested=planned)
    _refuse_shared_address(existing, readings.flow["sid"])
    resource = ADDRESS_CONFIGURATION
    if resource.normalize_value("auto_creation_enabled", existing["auto_creation_enabled"]):
        raise CannotMigrate(
            f"The address {existing['sid']} of the same identity is on already, so two answer. "
            "Turn off the one that shouldn't, then prepare again."
        )
    changeable = {entry.name for entry in resource.fields_set_by("update")}
    requested = {name: value for name, value in planned.items() if name in changeable}
    names = changeable & existing.keys()
    if resource.is_same_value(
        resource.variant_field, existing.get(resource.variant_field), planned["auto_creation_type"]
    ):
        names |= requested.keys()  # also those that Twilio's answer lacks, to empty them again
    # As a request takes them: Twilio writes some values in another way than it takes them.
    before = {name: resource.normalize_value(name, existing.get(name)) for name in names}
    _refuse_unrestorable(resource, before, requested)
    return StepDraft(
        kind=StepKind.ADOPT_ADDRESS, target_sid=existing["sid"], before=before, requested=requested
    )


def _refuse_shared_address(address: Mapping[str, Any], flow_sid: str) -> None:
    """Refuse an address that another flow's migration made: its rollback would take it away.

    The account's lease makes sure that no other migration of the account is being prepared now.
    """
    changes = AuditEvent.objects.filter(target_sid=address["sid"]).values("change_id")
    preparing_steps = MigrationStep.objects.filter(
        Q(target_sid=address["sid"]) | Q(change_id__in=changes), kind__in=PREPARING_KINDS
    ).exclude(migration__flow_sid=flow_sid)
    step = preparing_steps.exclude(migration__status=MigrationStatus.ROLLED_BACK).first()
    if step is not None:
        raise CannotMigrate(
            f"The address {address['sid']} of the same identity belongs to the migration of the flow "
            f"“{step.migration}”. Roll that migration back first, or handle this flow by hand."
        )


def _refuse_unrestorable(
    resource: Resource, before: Mapping[str, Any], requested: Mapping[str, Any]
) -> None:
    """Refuse a change of an existing address that no later change could take back."""
    variant = resource.variant_field
    has_new_variant = not resource.is_same_value(
        variant, before.get(variant), requested.get(variant)
    )
    masked = redact_snapshot(before)
    lost_fields = [
        name
        for name in before
        if has_mask(masked[name])
        and (
            (has_new_variant and resource.by_name[name].is_nested)
            or name in resource.differing_fields(before, requested, requested)
        )
    ]
    if lost_fields:
        labels = ", ".join(resource.label_of(name) for name in lost_fields)
        raise CannotMigrate(
            f"An address of the same identity exists and is off. Its {labels} contains a secret, "
            "which this dashboard doesn't store, so a rollback couldn't put it back. Delete the "
            "address or set its values by hand, then prepare again."
        )


def _draft_number(readings: Readings) -> Iterator[StepDraft]:
    """Yield the steps that detach the number from what answers its messages in the address's place."""
    number = readings.number
    if number is None:
        return
    for service_sid in readings.service_sids:
        yield StepDraft(
            kind=StepKind.LEAVE_SERVICE,
            target_sid=number["sid"],
            parent_sid=service_sid,
            before={"sid": number["sid"]},
        )
    before = {name: number.get(name) or "" for name in DETACHED}
    if not any(before.values()):
        return
    if any(map(has_mask, redact_snapshot(before).values())):
        raise CannotMigrate(
            f"The SMS webhook of {number.get('phone_number')} contains a secret, which this "
            "dashboard doesn't store, so a rollback couldn't put it back. Detach the number by hand "
            "in the Twilio Console and keep its URL, then prepare again."
        )
    yield StepDraft(
        kind=StepKind.DETACH_NUMBER, target_sid=number["sid"], before=before, requested=DETACHED
    )
