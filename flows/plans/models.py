"""Bulk changes: a plan, and the planned change of each flow in it."""

from __future__ import annotations

import uuid

from django.db import models


class Plan(models.Model):
    """A bulk change: reviewed first, then run change by change in the background.

    Its id is the `request_id` of all events of its changes. The results are stored only in the
    audit log.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    title = models.CharField(max_length=200)
    undoes = models.ForeignKey(
        "self", on_delete=models.SET_NULL, null=True, related_name="undone_by"
    )
    made_at = models.DateTimeField()
    made_by = models.CharField(max_length=150)
    reason = models.CharField(max_length=200, blank=True)
    actor = models.JSONField(default=dict)  # the user who started it: the fields of `Actor`
    started_at = models.DateTimeField(null=True)
    stop_asked_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # The reason for an early end. Empty if all changes were processed.
    ended_because = models.CharField(max_length=200, blank=True)
    runner = models.UUIDField(null=True)  # the lease of the run that is making the changes
    alive_at = models.DateTimeField(null=True)  # the last heartbeat of that run

    class Meta:
        ordering = ["-made_at"]

    def __str__(self) -> str:
        return self.title

    @property
    def state(self) -> str:
        """One of draft, running, stopping, stopped (some changes remain) and done."""
        if self.started_at is None:
            return "draft"
        if self.ended_at is None:
            return "stopping" if self.stop_asked_at else "running"
        return "stopped" if self.ended_because else "done"


class PlannedChange(models.Model):
    """The change of one flow in a plan.

    `before` and `asked` hold the current and the requested values, with secrets masked. When the
    change is sent, the masked parts are filled in from the flow at Twilio.
    """

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="changes")
    place = models.IntegerField()
    # The change's id in the audit log, which is unique there: nothing can be sent twice.
    change_id = models.UUIDField(unique=True, default=uuid.uuid4)
    action = models.CharField(max_length=64)  # flow.create, flow.update or flow.delete
    account_sid = models.CharField(max_length=34, blank=True)
    target_sid = models.CharField(max_length=34, blank=True)  # empty for a creation
    friendly_name = models.TextField(blank=True)
    before = models.JSONField(default=dict)
    asked = models.JSONField(default=dict)
    refers_to = models.UUIDField(null=True)  # the event that this change undoes
    # The change_id of the planned change that this one retries.
    repeats = models.UUIDField(null=True)
    skipped = models.CharField(max_length=300, blank=True)  # the reason if nothing is sent
    done_at = models.DateTimeField(null=True)  # the time when a worker had processed it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "place"], name="one_change_of_a_place")
        ]
        indexes = [models.Index(fields=["target_sid"], name="planned_target")]

    def __str__(self) -> str:
        return f"{self.action} {self.target_sid}"
