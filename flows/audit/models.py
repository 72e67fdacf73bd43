"""The audit log: its events, what each was about, and the tables that follow from them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import models

from flows.audit.masked_rows import BODY_REDACTORS, REASON_REDACTORS, RedactedModel


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
UNIQUE_STAGES: Final = (Stage.ATTEMPT, Stage.OUTCOME, Stage.RECONCILED)


# How long after its attempt a lost creation can still be carried out, and how far Twilio's clock may be off ours.
LATE_APPLY_WINDOW: Final = timedelta(minutes=10)


CLOCK_SKEW: Final = timedelta(minutes=5)


class AuditEvent(RedactedModel):
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
    refers_to = models.UUIDField(null=True)  # the event that this one restores, undoes or accepts
    payload_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)
    masks = REASON_REDACTORS

    class Meta:
        permissions = [("export_auditevent", "Can export the audit log")]
        constraints = [
            models.UniqueConstraint(
                fields=["change_id", "stage"],
                condition=models.Q(stage__in=UNIQUE_STAGES),
                name="one_event_per_stage",
            ),
        ]
        indexes = [
            # Plain, beside the constraint's partial one, which SQLite can't use for a set of stages.
            models.Index(fields=["change_id", "stage"], name="event_change"),
            models.Index(fields=["target_sid", "-seq"], name="event_target"),
            models.Index(fields=["action", "-seq"], name="event_action"),
            models.Index(fields=["request_id", "seq"], name="event_request"),
            models.Index(fields=["remote_request_id"], name="event_remote_request"),
            models.Index(
                fields=["refers_to"],
                name="event_refers_to",
                condition=models.Q(refers_to__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action} {self.stage} {self.result}"


class AuditDay(models.Model):
    """The stretch of the log in which the events of a day (in UTC) are. The database itself keeps it (log_days.py):
    clocks may go back, so a time alone does not say where its events are."""

    day = models.DateField(primary_key=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.first} {self.last}"


class AuditPayload(RedactedModel):
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
    findings = models.JSONField(null=True)  # what was known when a user decided an unknown outcome
    erased_at = models.DateTimeField(
        null=True
    )  # when everything above was emptied; an event says by whom
    masks = BODY_REDACTORS

    def __str__(self) -> str:
        return f"payload of {self.pk}"


class OpenChange(models.Model):
    """A change whose fate is not known yet: under way, or its answer was lost. It follows from the log, and is
    kept beside it by `audit.append`, in the same transaction, so that what is open is found at once."""

    change_id = models.UUIDField(primary_key=True)
    attempt = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="+")
    latest = models.ForeignKey(
        AuditEvent, on_delete=models.PROTECT, related_name="+"
    )  # or "unknown"
    action = models.CharField(max_length=64)
    target_sid = models.CharField(max_length=64, blank=True, db_index=True)
    not_applied_at = models.DateTimeField(null=True)  # when a first read found it not applied
    puzzle = models.CharField(
        max_length=200, blank=True
    )  # why reading can't tell: a person has to decide
    candidates = models.JSONField(
        default=list
    )  # of a creation, the SIDs of the flows that it may have made
    is_unreadable = models.BooleanField(
        default=False
    )  # the puzzle is that nothing can be read; it is still tried
    last_reading = models.JSONField(
        default=dict
    )  # flows by SID as last read, secrets masked; None: not there
    read_at = models.DateTimeField(null=True)  # when `last_reading` was read

    def __str__(self) -> str:
        return f"{self.action} {self.change_id}"

    def may_have_created(self, created_at: datetime | None) -> bool:
        """Whether a flow that Twilio dates so may be the one that this creation asked for."""
        began = self.attempt.at
        return (
            created_at is None
            or began - CLOCK_SKEW <= created_at <= began + LATE_APPLY_WINDOW + CLOCK_SKEW
        )


class OpenDrift(models.Model):
    """Something found at Twilio that nobody made here, and that nobody has accepted or undone yet."""

    event = models.OneToOneField(
        AuditEvent, on_delete=models.PROTECT, primary_key=True, related_name="open_drift"
    )
    target_sid = models.CharField(max_length=64, db_index=True)

    def __str__(self) -> str:
        return f"{self.target_sid} {self.pk}"


class ChainHead(models.Model):
    """One row: the last event's place and hash. Its lock gives commit order to `seq`."""

    name = models.CharField(max_length=16, primary_key=True)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.name} {self.seq}"


class AuditEntry(models.Model):
    """One row of the log's list: a change with all of its stages, or an event that is no change.

    It follows from the log and is kept in the same transaction (services/log_entries.py). `start` is the
    first event of the change: it gives the row its place and its time, which never move, so that a change
    that is resolved while somebody pages through the list is neither shown twice nor missed.
    """

    start = models.OneToOneField(
        "flows.AuditEvent",
        on_delete=models.DO_NOTHING,
        primary_key=True,
        db_column="seq",
        db_constraint=False,  # verification names what points nowhere
        related_name="+",
    )
    # The event with the present outcome: the last that is conclusive, else the last.
    outcome = models.OneToOneField(
        "flows.AuditEvent",
        on_delete=models.DO_NOTHING,
        db_column="outcome_seq",
        db_constraint=False,
        related_name="entry",
    )
    at = models.DateTimeField()  # of the start
    change_id = models.UUIDField(null=True, unique=True)
    request_id = models.UUIDField(null=True)  # of the start; for a bulk change, the plan's id
    action = models.CharField(max_length=64)
    result = models.CharField(max_length=16)  # of the outcome
    actor_label = models.CharField(max_length=150, blank=True)  # who started it
    resolved_by = models.CharField(
        max_length=150, null=True
    )  # who found out later; null if nobody had to
    account_sid = models.CharField(
        max_length=34, blank=True
    )  # empty for sign-ins and users: no single account's
    target_sid = models.CharField(max_length=64, blank=True)
    text = models.TextField(
        blank=True
    )  # what the search compares, folded (log_text.py); holds personal data

    class Meta:
        indexes = [
            models.Index(fields=["actor_label", "-start"], name="log_actor"),
            models.Index(fields=["action", "-start"], name="log_action"),
            models.Index(fields=["result", "-start"], name="log_result"),
            models.Index(fields=["target_sid", "-start"], name="log_target"),
            models.Index(fields=["request_id", "-start"], name="log_request"),
            # Each account that a user may see has an order of its own, for each filter too.
            models.Index(fields=["account_sid", "-start"], name="log_account"),
            models.Index(fields=["account_sid", "actor_label", "-start"], name="log_account_actor"),
            models.Index(fields=["account_sid", "action", "-start"], name="log_account_action"),
            models.Index(fields=["account_sid", "result", "-start"], name="log_account_result"),
            models.Index(
                fields=["-start", "resolved_by"],
                name="log_resolved",
                condition=models.Q(resolved_by__isnull=False),
            ),
            models.Index(
                fields=["resolved_by", "-start"],
                name="log_resolver",
                condition=models.Q(resolved_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.action} {self.result}"
