"""What the list of flows searches and counts, and the views that users saved."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class FlowEntry(models.Model):
    """What the list reads of a flow: the columns that it filters, searches and sorts by, without the snapshot. The
    database itself keeps it (narrow.py); nobody else writes it."""

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
            # With the filters' columns and the condition's own, so that whole pages come from the index alone.
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
    """How many flows of a kind the mirror has. The database itself keeps it (tally.py); nobody else writes it."""

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
        return f"{self.account_sid} {self.channel_type} {self.integration_type} {self.state}: {self.flows}"


class SavedView(models.Model):
    """A question to the list of flows that a person gave a name: search, filters and order, as they stand in the
    address. Whoever has the address has the view."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="flow_views"
    )
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=600)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "name"], name="one_view_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name
