"""The migration of a flow to an Address Configuration, and its steps.

The results of the steps are stored only in the audit log, each under the step's `change_id`.
"""

from __future__ import annotations

import uuid

from django.db import models

from flows.migration.status import ENDED_STATUSES, RUNNING_STATUSES, MigrationStatus
from flows.redaction.redacted import Redacted


class FlowMigration(models.Model):
    """The move of one flow's messages to an Address Configuration of the same identity.

    A flow has at most one migration that hasn't ended. The times say when it reached a status for
    the last time, and are empty before and after a rollback of it.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    account_sid = models.CharField(max_length=34, db_index=True)
    flow_sid = models.CharField(max_length=34, db_index=True)
    friendly_name = models.TextField(blank=True)
    channel_type = models.CharField(max_length=16)
    contact_identity = models.TextField(blank=True)
    address_sid = models.CharField(max_length=34, blank=True)  # once the address exists
    # Only `change_status` changes it.
    status = models.CharField(
        max_length=16, choices=MigrationStatus, default=MigrationStatus.PREPARING
    )
    # Sentences for users: why it can't go on by itself and what to do, or why it went back.
    problem = models.TextField(blank=True)
    # The status in which it got stuck.
    interrupted_status = models.CharField(max_length=16, blank=True)
    deployment_key = models.CharField(max_length=64, blank=True)  # of a web chat
    # What a user asked for last: who, why and when. The worker sends its steps in their name.
    actor = models.JSONField(default=dict)  # the fields of `Actor`
    reason = models.CharField(max_length=200, blank=True)
    requested_at = models.DateTimeField(null=True)
    begun_at = models.DateTimeField(null=True)  # when a worker began with that
    created_at = models.DateTimeField()
    prepared_at = models.DateTimeField(null=True)
    switched_at = models.DateTimeField(null=True)
    verified_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)  # done or rolled back
    erased_at = models.DateTimeField(null=True)  # when its personal data was erased
    # When a user last started a rollback although the account's policy required approvals.
    unapproved_rollback_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["flow_sid"],
                condition=~models.Q(status__in=ENDED_STATUSES),
                name="one_open_migration_of_a_flow",
            )
        ]

    def __str__(self) -> str:
        return self.friendly_name or self.flow_sid

    @property
    def is_running(self) -> bool:
        """True if a worker has something to do."""
        return self.status in RUNNING_STATUSES

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED_STATUSES


class MigrationStep(models.Model):
    """One call to Twilio of a migration, or of its rollback, which has steps of its own.

    `before` and `requested` hold values with secrets masked. A value with a mask can't be put back,
    so no step is planned that would have to.
    """

    migration = models.ForeignKey(FlowMigration, on_delete=models.CASCADE, related_name="steps")
    position = models.IntegerField()
    kind = models.CharField(max_length=32)
    # The change's id in the audit log, which is unique there: nothing can be sent twice.
    change_id = models.UUIDField(unique=True, default=uuid.uuid4)
    # The step that this one takes back. A refused reversal is followed by another one.
    reverses = models.ForeignKey(
        "self", on_delete=models.CASCADE, null=True, related_name="reversals"
    )
    target_sid = models.CharField(max_length=34, blank=True)
    parent_sid = models.CharField(max_length=34, blank=True)
    before: models.JSONField[Redacted, Redacted] = models.JSONField(default=dict)
    requested: models.JSONField[Redacted, Redacted] = models.JSONField(default=dict)
    # The reason if nothing had to be sent, because Twilio had the requested values already.
    skip_reason = models.CharField(max_length=200, blank=True)
    done_at = models.DateTimeField(null=True)  # when its outcome was known

    class Meta:
        default_permissions = ()
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(
                fields=["migration", "position"], name="one_migration_step_at_a_position"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.target_sid}"


class MigrationLease(models.Model):
    """The run that makes the steps of an account: one number at a time."""

    account_sid = models.CharField(max_length=34, primary_key=True)
    lease_id = models.UUIDField(null=True)
    heartbeat_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.account_sid
