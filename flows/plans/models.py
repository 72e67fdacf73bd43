"""Bulk changes: plans, and what each changes of which flow."""

from __future__ import annotations

import uuid

from django.db import models


class Plan(models.Model):
    """Changes of many flows, looked over first and then made one after the other in the background. Its id is the
    `request_id` of every event that they leave. What became of each stands in the log, not here."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=200)
    undoes = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="undone_by"
    )
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=200, blank=True)
    actor = models.JSONField(default=dict)  # who started it, as the log keeps people
    started_at = models.DateTimeField(null=True)
    stop_asked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_because = models.CharField(max_length=200, blank=True)  # where it ended before its end
    runner = models.UUIDField(null=True)  # the worker's turn that is making the changes now
    alive_at = models.DateTimeField(null=True)  # when that turn last gave a sign of life

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return self.title

    @property
    def state(self) -> str:
        """draft, running, stopping, stopped (changes are left) or done."""
        if self.started_at is None:
            return "draft"
        if self.ended_at is None:
            return "stopping" if self.stop_asked_at else "running"
        return "stopped" if self.ended_because else "done"


class PlannedChange(models.Model):
    """One flow's part in a plan. `before` and `asked` hold the fields that it would change, secrets masked: what is
    masked is filled in from the flow itself when it is sent, and is never kept."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="changes")
    place = models.IntegerField()
    change_id = models.UUIDField(
        unique=True, default=uuid.uuid4
    )  # the log's: it makes a second sending impossible
    action = models.CharField(max_length=64)  # flow.create, flow.update or flow.delete
    account_sid = models.CharField(max_length=34, blank=True)
    target_sid = models.CharField(max_length=34, blank=True)  # of a creation, empty
    friendly_name = models.TextField(blank=True)
    before = models.JSONField(default=dict)
    asked = models.JSONField(default=dict)
    refers_to = models.UUIDField(null=True)  # the event that it undoes
    repeats = models.UUIDField(
        null=True
    )  # the change_id of the planned change that it tries once more
    skipped = models.CharField(max_length=300, blank=True)  # why nothing was sent, or will be
    done_at = models.DateTimeField(null=True)  # when the worker was through with it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "place"], name="one_change_of_a_place")
        ]
        indexes = [models.Index(fields=["target_sid"], name="planned_target")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_sid}"
