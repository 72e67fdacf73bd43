"""Models of the audit log: events, their payloads, and the tables derived from them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db import models

from flows.audit.masked_rows import BODY_REDACTORS, REASON_REDACTORS, RedactedModel
from flows.redaction.redacted import Redacted
from flows.twilio.registry import is_about_resource, resource_of_action
from flows.twilio.resource import Resource

Readings = dict[str, Redacted | None]  # flows by SID; None for a flow that did not exist


class Stage(models.TextChoices):
    """Stage of a change that an event records. Events are never updated: each stage is one."""

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


# A change has each of these stages at most once.
UNIQUE_STAGES: Final = (Stage.ATTEMPT, Stage.OUTCOME, Stage.RECONCILED)
APPLIED_RESULTS: Final = (Result.SUCCEEDED, Result.APPLIED)


def is_change_stage(change_id: UUID | None, stage: str) -> bool:
    """Return True for a stage of a change, False for an event of its own."""
    return change_id is not None and stage in UNIQUE_STAGES


# Twilio may still apply a creation this long after its attempt.
LATE_APPLY_WINDOW: Final = timedelta(minutes=10)

# Twilio's clock and ours may differ by this much.
CLOCK_SKEW: Final = timedelta(minutes=5)


class AuditEvent(RedactedModel):
    """One event of the log.

    The database refuses to change or delete it (append_only.py). `seq` is the commit order. Actors
    and flows are stored as text, without foreign keys, because the log outlives them.
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
    # The event that this one restores, reverts or accepts.
    refers_to = models.UUIDField(null=True)
    # The key of the API token that the actor's program used; null for pages and commands.
    token_key = models.CharField(max_length=32, null=True)
    payload_hash = models.CharField(max_length=64)
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)
    masks = REASON_REDACTORS

    class Meta:
        permissions = [
            ("export_auditevent", "Can export the audit log"),
            ("erase_auditevent", "Can erase personal data"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["change_id", "stage"],
                condition=models.Q(stage__in=UNIQUE_STAGES),
                name="one_event_per_stage",
            ),
        ]
        indexes = [
            # SQLite can't use the constraint's partial index for a set of stages.
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

    @property
    def operation(self) -> str:
        """The last part of the action, such as "delete" of "flow.delete"."""
        return self.action.rpartition(".")[2]

    @property
    def is_applied(self) -> bool:
        """True if what the event records has really happened."""
        return self.result in APPLIED_RESULTS

    @property
    def is_decision(self) -> bool:
        """True if a user, not a read from Twilio, resolved the change."""
        return self.stage == Stage.RECONCILED and bool(self.actor_id)

    @property
    def stored_payload(self) -> AuditPayload | None:
        """The payload, or None for an event whose payload was removed from the database."""
        return getattr(self, "payload", None)

    @property
    def parent_sid(self) -> str:
        """The SID of the object that the event's object belongs to, or "" if it has no parent.

        It is part of the payload, so an erasure removes it.
        """
        if not is_about_resource(self.action) or self.stored_payload is None:
            return ""
        resource, payload = resource_of_action(self.action), self.stored_payload
        if resource.parent is None:
            return ""
        return resource.parent_sid_of({**payload.requested_values, **payload.values_before})


class AuditDay(models.Model):
    """The first and last seq of the events of one day in UTC.

    A trigger maintains it (day_index.py). Clocks may go back, so an event's time alone does not say
    where in the log it is.
    """

    day = models.DateField(primary_key=True)
    first = models.BigIntegerField()
    last = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.first} {self.last}"


class AuditPayload(RedactedModel):
    """The content of an event.

    It has a table of its own, and the event holds a salted hash of it. So personal data can be
    erased and the chain still verifies.
    """

    event = models.OneToOneField(
        AuditEvent, on_delete=models.PROTECT, primary_key=True, related_name="payload"
    )
    salt = models.CharField(max_length=32)
    friendly_name = models.TextField(blank=True)
    contact_identity = models.TextField(blank=True)
    before: models.JSONField[Redacted | None, Redacted | None] = models.JSONField(null=True)
    requested: models.JSONField[Redacted | None, Redacted | None] = models.JSONField(null=True)
    after: models.JSONField[Redacted | None, Redacted | None] = models.JSONField(null=True)
    message = models.TextField(blank=True)  # Twilio's error message
    findings: models.JSONField[Redacted | None, Redacted | None] = models.JSONField(
        null=True
    )  # evidence shown to the user who resolved an outcome
    # Time when the columns above were emptied. An event records the actor.
    erased_at = models.DateTimeField(null=True)
    masks = BODY_REDACTORS

    def __str__(self) -> str:
        return f"payload of {self.pk}"

    @property
    def values_before(self) -> dict[str, Any]:
        return self.before or {}

    @property
    def requested_values(self) -> dict[str, Any]:
        return self.requested or {}

    @property
    def values_after(self) -> dict[str, Any]:
        return self.after or {}

    @property
    def resulting_values(self) -> dict[str, Any]:
        """The values after the event, or else the requested ones."""
        return self.after or self.requested_values


class OpenChange(models.Model):
    """A change without a known outcome: in progress, or its response was lost.

    It is derived from the log. `changes.in_flight` updates it in the transaction of the event, so
    that open changes are found without a search of the log.
    """

    change_id = models.UUIDField(primary_key=True)
    attempt = models.OneToOneField(AuditEvent, on_delete=models.PROTECT, related_name="+")
    # The attempt, or the outcome "unknown".
    latest = models.ForeignKey(AuditEvent, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=64)
    target_sid = models.CharField(max_length=64, blank=True, db_index=True)
    not_applied_at = models.DateTimeField(null=True)  # time of the first read without the change
    # The reason why reading can't resolve the change and a user has to decide.
    ambiguity = models.CharField(max_length=200, blank=True, db_column="puzzle")
    candidates = models.JSONField(default=list)  # SIDs of the flows that a creation may have made
    # The flow can't be read, which may pass: reading is tried again.
    is_unreadable = models.BooleanField(default=False)
    # Flows by SID as last read, with secrets masked. None for a flow that did not exist.
    last_reading: models.JSONField[Readings, Readings] = models.JSONField(default=dict)
    read_at = models.DateTimeField(null=True)  # time of `last_reading`

    def __str__(self) -> str:
        return f"{self.action} {self.change_id}"

    @property
    def operation(self) -> str:
        """The kind of API call: create, update or delete."""
        return self.action.rpartition(".")[2]

    @property
    def resource(self) -> Resource:
        """The resource that the change is of. Raises KeyError for an unregistered one."""
        return resource_of_action(self.action)

    @property
    def creates_unknown_sid(self) -> bool:
        """True for a creation of an object whose SID Twilio chooses."""
        return self.operation == "create" and not self.target_sid

    @property
    def may_be_unlisted(self) -> bool:
        """True if the object that a creation made can be one that is not a candidate."""
        return self.is_unreadable or "list" not in self.resource.operations

    def may_have_created(self, created_at: datetime | None) -> bool:
        """Return True if this creation may have made a flow with this creation date at Twilio."""
        if created_at is None:
            return True
        earliest = self.attempt.at - CLOCK_SKEW
        latest = self.attempt.at + LATE_APPLY_WINDOW + CLOCK_SKEW
        return earliest <= created_at <= latest


class OpenDrift(models.Model):
    """An external change that no user has accepted or reverted yet."""

    event = models.OneToOneField(
        AuditEvent, on_delete=models.PROTECT, primary_key=True, related_name="open_drift"
    )
    target_sid = models.CharField(max_length=64, db_index=True)

    def __str__(self) -> str:
        return f"{self.target_sid} {self.pk}"


class ChainHead(models.Model):
    """The seq and hash of the last event, in one row. Its lock makes `seq` the commit order."""

    name = models.CharField(max_length=16, primary_key=True)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64)

    def __str__(self) -> str:
        return f"{self.name} {self.seq}"


class AuditEntry(models.Model):
    """One row of the log's list: a change with all its stages, or an event that is no change.

    It is derived from the log and written in the same transaction (log_entries.py). `start` is the
    first event of the change. It fixes the row's position and time, so that a change that is
    resolved while somebody pages through the list is neither shown twice nor missed.
    """

    start = models.OneToOneField(
        "flows.AuditEvent",
        on_delete=models.DO_NOTHING,
        primary_key=True,
        db_column="seq",
        db_constraint=False,  # a verification reports rows without an event
        related_name="+",
    )
    # The event with the current outcome: the last conclusive one, else the last.
    outcome = models.OneToOneField(
        "flows.AuditEvent",
        on_delete=models.DO_NOTHING,
        db_column="outcome_seq",
        db_constraint=False,
        related_name="entry",
    )
    at = models.DateTimeField()  # time of the start
    change_id = models.UUIDField(null=True, unique=True)
    request_id = models.UUIDField(null=True)  # of the start; the plan's id for a bulk change
    action = models.CharField(max_length=64)
    result = models.CharField(max_length=16)  # of the outcome
    actor_label = models.CharField(max_length=150, blank=True)  # actor of the start
    # Actor of the resolution; null if the outcome was never unknown.
    resolved_by = models.CharField(max_length=150, null=True)
    # Empty for sign-ins and users, which belong to no single account.
    account_sid = models.CharField(max_length=34, blank=True)
    target_sid = models.CharField(max_length=64, blank=True)
    # Normalized text for the search (search_text.py). Holds personal data.
    text = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["actor_label", "-start"], name="log_actor"),
            models.Index(fields=["action", "-start"], name="log_action"),
            models.Index(fields=["result", "-start"], name="log_result"),
            models.Index(fields=["target_sid", "-start"], name="log_target"),
            models.Index(fields=["request_id", "-start"], name="log_request"),
            # A page reads each readable account in order, with each of the filters.
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


class KeyedRequest(models.Model):
    """The digest of the API request that sent a change (keyed_requests.py)."""

    change_id = models.UUIDField(primary_key=True)  # the Idempotency-Key
    digest = models.CharField(max_length=64)  # an HMAC of method, address and body
    sent_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.change_id)
