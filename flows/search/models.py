"""The tables that the flow list searches and counts, targets, and the users' saved views."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class FlowEntry(models.Model):
    """The columns of a flow that the list filters, searches and sorts by.

    Only triggers write it (projection.py).
    """

    sid = models.CharField(max_length=34, unique=True)
    account_sid = models.CharField(max_length=34)
    name_folded = models.TextField()
    identity_folded = models.TextField()
    channel_type = models.CharField(max_length=64)
    integration_type = models.CharField(max_length=64)
    enabled = models.BooleanField(null=True)
    date_updated = models.DateTimeField(null=True)
    gone_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            # With the filters' columns and the condition's, so that a page needs the index alone.
            models.Index(
                fields=[
                    "name_folded",
                    "sid",
                    "account_sid",
                    "channel_type",
                    "integration_type",
                    "enabled",
                    "gone_at",
                ],
                condition=models.Q(gone_at=None),
                name="entry_name",
            ),
            models.Index(
                fields=["identity_folded", "sid", "gone_at"],
                condition=models.Q(gone_at=None),
                name="entry_identity",
            ),
            models.Index(
                fields=["date_updated", "name_folded", "sid", "gone_at"],
                condition=models.Q(gone_at=None),
                name="entry_updated",
            ),
            models.Index(
                fields=["gone_at"], condition=models.Q(gone_at__isnull=False), name="entry_gone"
            ),
        ]

    def __str__(self) -> str:
        return self.sid


class FlowTally(models.Model):
    """The number of flows of a kind in the mirror. Only triggers write it (counters.py)."""

    account_sid = models.CharField(max_length=34)
    channel_type = models.CharField(max_length=64)
    integration_type = models.CharField(max_length=64)
    state = models.CharField(max_length=8)  # true, false, unset or gone
    flows = models.IntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_sid", "channel_type", "integration_type", "state"],
                name="one_tally_of_a_kind",
            )
        ]

    def __str__(self) -> str:
        kind = f"{self.account_sid} {self.channel_type} {self.integration_type} {self.state}"
        return f"{kind}: {self.flows}"


class Target(models.Model):
    """Something that flows of an account use, and how many do.

    Only triggers write it (target_tables.py), from the mirror's column `targets`.
    """

    account_sid = models.CharField(max_length=34)
    kind = models.CharField(max_length=16)  # a TargetKind
    value = models.CharField(max_length=500)  # a SID, a task channel's name, or a host
    value_folded = models.CharField(max_length=500)
    flows_on = models.IntegerField()
    flows_off = models.IntegerField()
    flows_gone = models.IntegerField()  # deleted at Twilio

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_sid", "kind", "value"], name="one_target_of_a_value"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.value}"


class TargetUse(models.Model):
    """A flow's use of a target. Only triggers write it (target_tables.py)."""

    flow_sid = models.CharField(max_length=34)
    target = models.ForeignKey(
        Target, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False
    )

    class Meta:
        indexes = [
            models.Index(fields=["target", "flow_sid"], name="use_target"),
            models.Index(fields=["flow_sid", "target"], name="use_flow"),
        ]

    def __str__(self) -> str:
        return f"{self.flow_sid} {self.target_id}"


class SavedView(models.Model):
    """A query of the flow list that a user saved under a name, as a URL's query string.

    Only saved_views.py changes it.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="flow_views"
    )
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=600)
    is_shared = models.BooleanField(default=False)  # everyone sees it

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "name"], name="one_view_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name
