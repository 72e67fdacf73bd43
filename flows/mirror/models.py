"""The mirror: Twilio's flows as last read, the state of each account's sync, and look-ups."""

from __future__ import annotations

from typing import Any

from django.db import models

from flows.redaction.redacted import Redacted


class Flow(models.Model):
    """A Flex Flow as Twilio last showed it.

    `resource` is the whole snapshot with secrets masked. Most columns are taken from it, for
    searching and sorting.
    """

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
    resource: models.JSONField[Redacted, Redacted] = models.JSONField(default=dict)
    targets = models.JSONField(default=list)  # what the flow points to (targets.py)
    # Warnings about its own settings, not about its targets. None if it was not checked yet.
    has_warnings = models.BooleanField(null=True)
    mirrored_at = models.DateTimeField()  # last change of this row
    gone_at = models.DateTimeField(null=True)  # first time that Twilio no longer had it

    # The name of the Studio Flow or workflow that handles its messages, once a page has loaded it.
    handler_name = ""

    class Meta:
        indexes = [
            models.Index(fields=["name_folded", "sid"], name="flow_name"),
            models.Index(fields=["-date_updated", "sid"], name="flow_updated"),
            models.Index(fields=["channel_type", "contact_identity"], name="flow_identity"),
            models.Index(
                fields=["sid"], condition=models.Q(has_warnings=True), name="flow_has_warnings"
            ),
        ]

    def __str__(self) -> str:
        return self.friendly_name or self.sid

    def value(self, name: str) -> Any:
        """Return the field's last value, or None if Twilio sent none."""
        return self.resource.get(name)


class SyncState(models.Model):
    """The last sync of an account, complete or failed, and the running one."""

    account_sid = models.CharField(max_length=34, primary_key=True)
    started_at = models.DateTimeField(null=True)  # set while a sync is running
    synced_at = models.DateTimeField(null=True)  # end of the last complete sync
    failed_at = models.DateTimeField(null=True)  # end of the last sync if it failed
    error = models.TextField(blank=True)
    flows = models.IntegerField(default=0)
    # When the state of every flow was first recorded.
    baseline_at = models.DateTimeField(null=True)
    # Numbers of flows that Twilio's list lacks: not fetched by SID yet (`missing`), fetched since
    # the first was missing (`missing_checked`), and found to exist (`left_out`).
    missing = models.IntegerField(default=0)
    missing_checked = models.IntegerField(default=0)
    left_out = models.IntegerField(default=0)
    check_error = models.TextField(blank=True)  # failure that ended the last checks

    def __str__(self) -> str:
        return self.account_sid

    @property
    def has_gap(self) -> bool:
        """True if Twilio's last list lacked flows that may exist."""
        return bool(self.missing or self.left_out)


class MissingFlow(models.Model):
    """A flow that Twilio's list lacks, and whose deletion is not proven."""

    sid = models.CharField(max_length=34, primary_key=True)
    account_sid = models.CharField(max_length=34, db_index=True)
    since = models.DateTimeField()
    # When Twilio last returned the flow by its SID. None if it was not fetched yet.
    asked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.sid


class LookedUpObject(models.Model):
    """An object that someone looked up by its SID, since Twilio has no list of such objects."""

    account_sid = models.CharField(max_length=34)
    resource = models.CharField(max_length=64)  # the name of the resource
    sid = models.CharField(max_length=34)
    first_at = models.DateTimeField()
    at = models.DateTimeField()  # the last time

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["account_sid", "resource", "sid"], name="one_lookup_of_an_object"
            )
        ]
        indexes = [models.Index(fields=["account_sid", "resource", "-at"], name="latest_lookups")]

    def __str__(self) -> str:
        return f"{self.account_sid} {self.sid}"
