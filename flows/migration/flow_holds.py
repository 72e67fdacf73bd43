"""What a migration forbids to do with its flow outside of it, and what the flow's page says of it."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Final

from django.urls import reverse

from flows.changes.flow_holds import FlowHold
from flows.core.database import split_batches
from flows.migration.models import FlowMigration, MigrationStep
from flows.migration.status import MigrationStatus
from flows.migration.step_states import load_states, load_steps
from flows.migration.unserved import Handler, find_handler

# While a worker is making steps that turn the flow on or off.
_MOVING: Final = (
    MigrationStatus.SWITCHING,
    MigrationStatus.ROLLING_BACK,
)
_MOVED: Final = (
    MigrationStatus.SWITCHED,
    MigrationStatus.VERIFIED,
    MigrationStatus.DELETING,
    MigrationStatus.DONE,
)
_SUMMARIES: Final = {
    MigrationStatus.PREPARING: "Its move to an address is being prepared. The flow answers.",
    MigrationStatus.READY: "Its address is prepared and still off. The flow answers.",
    MigrationStatus.SWITCHING: "Its messages are being moved to an address.",
    MigrationStatus.ROLLING_BACK: "Its move to an address is being rolled back.",
    MigrationStatus.STUCK: "Its move to an address can't go on by itself. It needs you.",
}
_VERIFIED: Final = (
    "It was moved to an address and is kept for a rollback. You can delete it on the page of its "
    "migration, 7 days after it was verified."
)
_SWITCHED: Final = (
    "It was moved to an address and is kept for a rollback. Send a test message and verify the "
    "migration. You can delete the flow on the page of its migration 7 days after that."
)
_UNFINISHED: Final = (
    "Its migration to an address has begun. Finish it or roll it back first. A flow that was moved "
    "can be deleted 7 days after that was verified."
)
_STUCK: Final = (
    "Its migration to an address needs you. Try again, roll it back, or close it as done by hand "
    "first."
)


class MigrationHolder:
    """The latest migration of each flow, unless it was rolled back."""

    def find(self, sids: Iterable[str], /) -> dict[str, FlowHold]:
        holds = {}
        for batch in split_batches(list(dict.fromkeys(sids))):
            rows = FlowMigration.objects.filter(flow_sid__in=batch).order_by("created_at")
            for sid, migration in {row.flow_sid: row for row in rows}.items():
                if migration.status != MigrationStatus.ROLLED_BACK:
                    holds[sid] = _build_hold(migration)
        return holds

    def describe_use_of_address(self, address_sid: str, /) -> str:
        migrations = FlowMigration.objects.filter(address_sid=address_sid)
        latest = migrations.order_by("created_at").last()
        if latest is None or latest.status in (MigrationStatus.ROLLED_BACK, MigrationStatus.DONE):
            return ""
        return (
            f"The migration of the flow {latest.flow_sid} isn't finished and uses this address. If "
            "you change it here, the migration may stop. Use the page of the migration instead."
        )

    def is_own_change(self, change_id: uuid.UUID, /) -> bool:
        return MigrationStep.objects.filter(change_id=change_id).exists()


def _build_hold(migration: FlowMigration) -> FlowHold:
    status = MigrationStatus(migration.status)
    is_moved = status in _MOVED
    return FlowHold(
        summary=_SUMMARIES.get(status, "Its messages were moved to an address."),
        url=reverse("migration:steps", args=[migration.flow_sid]),
        address_sid=migration.address_sid,
        moved_at=migration.switched_at if is_moved else None,
        deletion_refusal=_deletion_refusal(status),
        switch_refusal=_switch_refusal(migration) if status in _MOVING else "",
        turn_on_warning=_turn_on_warning(migration) if _has_address_on(migration) else "",
    )


def _deletion_refusal(status: MigrationStatus) -> str:
    if status == MigrationStatus.DONE:
        return ""
    refusals = {
        MigrationStatus.SWITCHED: _SWITCHED,
        MigrationStatus.VERIFIED: _VERIFIED,
        MigrationStatus.STUCK: _STUCK,
    }
    return refusals.get(status, _UNFINISHED)


def _switch_refusal(migration: FlowMigration) -> str:
    status = MigrationStatus(migration.status).label.lower()
    return f"Its migration to an address turns it on and off itself, and is running now ({status})."


def _has_address_on(migration: FlowMigration) -> bool:
    """Return True if the address answers, as far as the migration's own steps tell."""
    if migration.status == MigrationStatus.STUCK:
        return find_handler(load_states(load_steps(migration))) == Handler.ADDRESS
    return migration.status in _MOVED and migration.status != MigrationStatus.DONE


def _turn_on_warning(migration: FlowMigration) -> str:
    number = migration.contact_identity or "This channel"
    return (
        f"{number} is answered by the address {migration.address_sid} since the migration. With the "
        "flow on, both would answer. To go back to the flow, roll the migration back instead."
    )
