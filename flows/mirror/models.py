"""The mirror: Twilio's flows as they were last read, and how the last sync went."""

from __future__ import annotations

from typing import Any

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
    baseline_at = models.DateTimeField(
        null=True
    )  # when the state of every flow was first put on record
    # Flows that Twilio's list lacks: not asked for yet, asked for since the gap opened, and found to exist.
    missing = models.IntegerField(default=0)
    missing_checked = models.IntegerField(default=0)
    left_out = models.IntegerField(default=0)
    check_error = models.TextField(blank=True)  # why asking for them broke off, if it did

    def __str__(self) -> str:
        return self.account_sid


class MissingFlow(models.Model):
    """A flow that Twilio's list lacks, and that Twilio has not been found to have deleted."""

    sid = models.CharField(max_length=34, primary_key=True)
    account_sid = models.CharField(max_length=34, db_index=True)
    since = models.DateTimeField()
    asked_at = models.DateTimeField(
        null=True
    )  # when Twilio last said that the flow exists; None: not asked yet

    def __str__(self) -> str:
        return self.sid
