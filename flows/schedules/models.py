"""The schedule of a change request: the time at which its change is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import models
from django.utils import timezone

from flows.approvals.models import ChangeRequest
from flows.schedules.schedule_status import ScheduleStatus

# A worker looks every few seconds. A start after this much time is called late.
PUNCTUALITY: Final = timedelta(minutes=1)


class Schedule(models.Model):
    """The schedule of one change request. A new time replaces the earlier one; the log has both.

    Only `steps.move` changes the status. The change is made with the rights of `created_by`.
    """

    request = models.OneToOneField(ChangeRequest, on_delete=models.CASCADE, related_name="schedule")
    status = models.CharField(
        max_length=16, choices=ScheduleStatus.choices, default=ScheduleStatus.WAITING
    )
    account_sid = models.CharField(max_length=34)
    due_at = models.DateTimeField()
    not_later_than = models.DateTimeField()  # it is not started after this
    time_zone = models.CharField(max_length=64)  # in which the user chose the time
    content_hash = models.CharField(max_length=64)  # of the request when it was scheduled
    # The schedule of the first change, if this one is its return.
    return_of = models.OneToOneField(
        "self", on_delete=models.CASCADE, null=True, related_name="return_schedule"
    )
    created_by_id = models.CharField(max_length=64)
    created_by_label = models.CharField(max_length=150)
    set_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    note = models.TextField(blank=True)  # why it is suspended or cancelled

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["status", "due_at"], name="schedule_due")]

    def __str__(self) -> str:
        return str(self.request)

    @property
    def window_minutes(self) -> int:
        """The minutes after the due time in which the change may still be started."""
        return round((self.not_later_than - self.due_at).total_seconds() / 60)

    @property
    def lateness(self) -> timedelta | None:
        """The time from the due time to the start, or until now without one; None if punctual."""
        is_waiting = self.status == ScheduleStatus.WAITING
        start = timezone.now() if is_waiting else self.started_at
        return None if start is None else late_by(self.due_at, start)

    @property
    def is_overdue(self) -> bool:
        """Return True if it waits although it should have started: no worker looks at it."""
        return self.status == ScheduleStatus.WAITING and self.lateness is not None


def late_by(due_at: datetime, start: datetime) -> timedelta | None:
    """Return the lateness of a start, or None for a punctual one."""
    lateness = start - due_at
    return lateness if lateness > PUNCTUALITY else None
