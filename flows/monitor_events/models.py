"""What Twilio's Monitor was asked about external changes, and how its last answers were."""

from __future__ import annotations

from django.db import models

from flows.audit.models import AuditEvent


class MonitorLookup(models.Model):
    """The lookup of one external change: events about its flow between `since` and `until`.

    The answer is an event of the log, so that it is exported and erased like any other. This row
    has no personal data.
    """

    event = models.OneToOneField(
        AuditEvent, on_delete=models.PROTECT, primary_key=True, related_name="monitor_lookup"
    )
    account_sid = models.CharField(max_length=34, db_index=True)
    since = models.DateTimeField()
    until = models.DateTimeField()
    attempts = models.IntegerField(default=0)
    asked_at = models.DateTimeField(null=True)  # the last attempt
    answered_at = models.DateTimeField(null=True)  # the last attempt that Twilio answered
    # The event of the log with Twilio's events, once there are any.
    answer = models.OneToOneField(
        AuditEvent, on_delete=models.PROTECT, null=True, related_name="monitor_answer"
    )

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.account_sid} {self.pk}"


class MonitorState(models.Model):
    """The last answer of Twilio's Monitor for an account, and the failure since then."""

    account_sid = models.CharField(max_length=34, primary_key=True)
    answered_at = models.DateTimeField(null=True)
    failed_at = models.DateTimeField(null=True)  # None if the last request was answered
    status = models.IntegerField(null=True)  # of Twilio's refusal
    code = models.IntegerField(null=True)  # Twilio's own, of its refusal
    error = models.TextField(blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.account_sid
