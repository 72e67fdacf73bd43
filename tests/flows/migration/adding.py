"""Migrations of flows, as the database has them once they reached a status."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from flows.mirror.models import Flow
from tests import ACCOUNT

# The statuses that come before each, and the times that it has.
_TIMES = {
    MigrationStatus.READY: ["prepared_at"],
    MigrationStatus.SWITCHED: ["prepared_at", "switched_at"],
    MigrationStatus.VERIFIED: ["prepared_at", "switched_at", "verified_at"],
    MigrationStatus.DONE: ["prepared_at", "switched_at", "verified_at", "done_at", "ended_at"],
    MigrationStatus.ROLLED_BACK: ["ended_at"],
}


def add_migration(
    flow_sid: str, status: MigrationStatus, *, at: datetime | None = None, **fields: Any
) -> FlowMigration:
    """Add a migration that began at a time, and reached each of its times a day after the last."""
    began_at = at or timezone.now()
    times = {
        name: began_at + timedelta(days=index) for index, name in enumerate(_TIMES.get(status, ()))
    }
    values = {"account_sid": ACCOUNT, "channel_type": "sms", "created_at": began_at, **times}
    return FlowMigration.objects.create(flow_sid=flow_sid, status=status, **{**values, **fields})


def add_sample_migrations() -> None:
    """Give flows of the mirror a migration in each status, unless some have one."""
    if FlowMigration.objects.exists():
        return
    began_at = timezone.now() - timedelta(days=12)
    flows = (
        Flow.objects.filter(gone_at=None).exclude(contact_identity="").order_by("contact_identity")
    )
    statuses = [status for status in MigrationStatus for _ in range(2)]
    for index, (flow, status) in enumerate(zip(flows, statuses, strict=False)):
        is_stuck = status == MigrationStatus.STUCK
        add_migration(
            flow.sid,
            status,
            at=began_at + timedelta(days=index % 7),
            account_sid=flow.account_sid,
            friendly_name=flow.friendly_name,
            channel_type=flow.channel_type,
            contact_identity=flow.contact_identity,
            problem="Twilio refused the address. Check the number in the Console, then try again."
            if is_stuck
            else "",
        )
