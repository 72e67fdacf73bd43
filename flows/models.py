"""The mirror of Twilio's Flex Flows, and the audit log. Only the services write these tables."""

from __future__ import annotations

from typing import Any, Final

from django.db import models


class Flow(models.Model):
    """A Flex Flow as Twilio last showed it. `resource` is its whole snapshot, secrets masked; the other
    columns are taken from it, for searching and sorting."""

    sid = models.CharField(max_length=34, primary_key=True)
    account_sid = models.CharField(max_length=34, db_index=True)
    friendly_name = models.TextField(blank=True)
    name_folded = models.TextField(blank=True)
    channel_type = models.CharField(max_length=64, blank=True)
    contact_identity = models.TextField(blank=True)
    identity_folded = models.TextField(blank=True)
    enabled = models.BooleanField(null=True)
    integration_type = models.CharField(max_length=64, blank=True)
    date_created = models.DateTimeField(null=True)
    date_updated = models.DateTimeField(null=True)
    resource = models.JSONField(default=dict)
    mirrored_at = models.DateTimeField()  # when this row last took something over
    gone_at = models.DateTimeField(null=True)  # when Twilio was first found not to have it any more

    class Meta:
        indexes = [
            models.Index(fields=["name_folded", "sid"], name="flow_name"),
            models.Index(fields=["-date_updated", "sid"], name="flow_updated"),
            models.Index(fields=["channel_type", "contact_identity"], name="flow_identity"),
        ]

    def __str__(self) -> str:
        return self.friendly_name or self.sid

    def value(self, name: str) -> Any:
        """The field's value as last seen, None where Twilio sent none."""
        return self.resource.get(name)


class SyncState(models.Model):
    """One row an account: when the mirror was last compared with Twilio, and how that went."""

    account_sid = models.CharField(max_length=34, primary_key=True)
    started_at = models.DateTimeField(null=True)  # set while a sync is under way
    synced_at = models.DateTimeField(null=True)  # the last complete one
    failed_at = models.DateTimeField(null=True)  # the last that failed, if later than synced_at
    error = models.TextField(blank=True)
    flows = models.IntegerField(default=0)

    def __str__(self) -> str:
        return self.account_sid


class Stage(models.TextChoices):
    """Where in a change's life an event stands. Nothing is ever updated: a new stage is a new event."""

    ATTEMPT = "attempt"
    OUTCOME = "outcome"
    RECONCILED = "reconciled"
    OBSERVED = "observed"
    ACCESS = "access"


class Result(models.TextChoices):
    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    APPLIED = "applied"
    NOT_APPLIED = "not_applied"
    CONFLICT = "conflict"
    DENIED = "denied"


# The stages that a change has at most once each.
ONCE: Final = (Stage.ATTEMPT, Stage.OUTCOME, Stage.RECONCILED)


class AuditEvent(models.Model):
    """One thing that happened. Append-only in the database itself (migration 0002); `seq` is commit order.

    Actors and flows are kept as text, without foreign keys: the log outlives them.
    """

    seq = models.BigIntegerField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    change_id = models.UUIDField(null=True)
    request_id = models.UUIDField(null=True)
    stage = models.CharField(max_length=16, choices=Stage.choices)
    action = models.CharField(max_length=64)
    result = models.CharField(max_length=16, choices=Result.choices)
    at = models.DateTimeField()
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=150, blank=True)
    actor_role = models.CharField(max_length=64, blank=True)
    source_ip = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=256, blank=True)
    account_sid = models.CharField(max_length=34, blank=True)
    target_sid = models.CharField(max_length=64, blank=True)
    changed_fields = models.JSONField(default=list)
    reason = models.CharField(max_length=200, blank=True)
    remote_status = models.IntegerField(null=True)
    remote_code = models.IntegerField(null=True)
    remote_request_id = models.CharField(max_length=64, blank=True)
    duration_ms = models.IntegerField(null=True)
    payload_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        permissions = [("export_auditevent", "Can export the audit log")]
        constraints = [
            models.UniqueConstraint(
                fields=["change_id", "stage"], condition=models.Q(stage__in=ONCE), name="one_event_per_stage"
            ),
        ]
        indexes = [
            # Plain, beside the constraint's partial one, which SQLite can't use for a set of stages.
            models.Index(fields=["change_id", "stage"], name="event_change"),
            models.Index(fields=["stage", "seq"], name="event_stage"),
            models.Index(fields=["target_sid", "-seq"], name="event_target"),
            models.Index(fields=["actor_label", "-seq"], name="event_actor"),
            models.Index(fields=["action", "-seq"], name="event_action"),
            models.Index(fields=["result", "-seq"], name="event_result"),
            models.Index(fields=["at"], name="event_at"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action} {self.stage} {self.result}"


class AuditPayload(models.Model):
    """What a change was about. It stands apart from its event, which holds a salted hash of it, so that
    personal data can be erased and the chain still verifies."""

    event = models.OneToOneField(
        AuditEvent, on_delete=models.PROTECT, primary_key=True, related_name="payload"
    )
    salt = models.CharField(max_length=32)
    friendly_name = models.TextField(blank=True)
    contact_identity = models.TextField(blank=True)
    before = models.JSONField(null=True)
    requested = models.JSONField(null=True)
    after = models.JSONField(null=True)
    message = models.TextField(blank=True)  # Twilio's own words, where it gave any

    def __str__(self) -> str:
        return f"payload of {self.pk}"


class Doubt(models.Model):
    """A change in doubt that a first read found not applied. A second read, some time later, settles it."""

    change_id = models.UUIDField(primary_key=True)
    not_applied_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.change_id)


class ChainHead(models.Model):
    """One row: the last event's place and hash. Its lock gives commit order to `seq`."""

    name = models.CharField(max_length=16, primary_key=True)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.name} {self.seq}"
