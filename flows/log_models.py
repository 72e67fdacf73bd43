"""The audit log's list as a table: one row for each change, with the outcome that is known now."""

from __future__ import annotations

from django.db import models


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
    resolved_by = models.CharField(max_length=150, null=True)  # who found out later; null if nobody had to
    account_sid = models.CharField(
        max_length=34, blank=True
    )  # empty for sign-ins and users: no single account's
    target_sid = models.CharField(max_length=64, blank=True)
    text = models.TextField(blank=True)  # what the search compares, folded (log_text.py); holds personal data

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
