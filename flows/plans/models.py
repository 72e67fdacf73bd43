"""Bulk changes: a plan, and the planned change of each flow in it.

`db_column` names columns whose names are older than those of their fields.
"""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import QuerySet

from flows.plans.status import PlanStatus
from flows.redaction.redacted import Redacted


class Plan(models.Model):
    """A bulk change: reviewed first, then run change by change in the background.

    Its id is the `request_id` of all events of its changes. The results are stored only in the
    audit log.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=200)
    rollback_of = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        related_name="rollbacks",
        db_column="undoes_id",
    )
    created_at = models.DateTimeField(db_column="made_at")
    created_by = models.CharField(max_length=150, db_column="made_by")
    # Only `change_status` changes it, together with the three times below.
    status = models.CharField(max_length=16, choices=PlanStatus, default=PlanStatus.DRAFT)
    reason = models.CharField(max_length=200, blank=True)
    actor = models.JSONField(default=dict)  # the user who started it: the fields of `Actor`
    started_at = models.DateTimeField(null=True)
    stop_requested_at = models.DateTimeField(null=True, db_column="stop_asked_at")
    ended_at = models.DateTimeField(null=True)
    # The reason for an early end. Empty if all changes were processed.
    stop_reason = models.CharField(max_length=200, blank=True, db_column="ended_because")
    # The lease of the run that is making the changes, and the last heartbeat of that run.
    lease_id = models.UUIDField(null=True, db_column="runner")
    heartbeat_at = models.DateTimeField(null=True, db_column="alive_at")

    class Meta:
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return self.title

    @property
    def included_changes(self) -> QuerySet[PlannedChange]:
        """The changes that aren't skipped."""
        return self.changes.filter(skip_reason="")

    @property
    def remaining_changes(self) -> QuerySet[PlannedChange]:
        """The changes that no run has processed yet."""
        return self.included_changes.filter(done_at=None)


class PlannedChange(models.Model):
    """The change of one flow in a plan.

    `before` and `requested` hold the current and the requested values, with secrets masked. When
    the change is sent, the masked parts are filled in from the flow at Twilio.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="changes")
    position = models.IntegerField(db_column="place")
    # The change's id in the audit log, which is unique there: nothing can be sent twice.
    change_id = models.UUIDField(unique=True, default=uuid.uuid4)
    # flow.create, flow.update or flow.delete; flow.details is not sent to Twilio.
    action = models.CharField(max_length=64)
    account_sid = models.CharField(max_length=34, blank=True)
    target_sid = models.CharField(max_length=34, blank=True)  # empty for a creation
    friendly_name = models.TextField(blank=True)
    before: models.JSONField[Redacted, Redacted] = models.JSONField(default=dict)
    requested: models.JSONField[Redacted, Redacted] = models.JSONField(
        default=dict, db_column="asked"
    )
    refers_to = models.UUIDField(null=True)  # the event that this change rolls back
    # The change_id of the planned change that this one retries.
    retry_of = models.UUIDField(null=True, db_column="repeats")
    # The reason if nothing is sent.
    skip_reason = models.CharField(max_length=300, blank=True, db_column="skipped")
    done_at = models.DateTimeField(null=True)  # the time when a worker had processed it
    # The SHA-256 of the change as a change request has it. Empty without a request.
    content_hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "position"], name="one_change_of_a_place")
        ]
        indexes = [models.Index(fields=["target_sid"], name="planned_target")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_sid}"
