"""The owner, tags and note of a flow. They are kept here and never sent to Twilio.

They have no foreign key to the mirror: a sync replaces its rows, and an erasure deletes them.
"""

from __future__ import annotations

from django.db import models


class LocalDetails(models.Model):
    """The owner and the note of one flow. A flow without owner, tags and note has no row.

    Only `local_details.services` and erasures write it, in the transaction of an event.
    """

    sid = models.CharField(max_length=34, primary_key=True)  # of the flow
    account_sid = models.CharField(max_length=34)
    owner = models.CharField(max_length=60, blank=True)
    owner_folded = models.TextField(blank=True)  # normalized for filters
    note = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["owner_folded", "owner", "account_sid", "sid"], name="details_owner"
            ),
        ]

    def __str__(self) -> str:
        return self.sid


class FlowTag(models.Model):
    """One tag of a flow, in lower case."""

    details = models.ForeignKey(LocalDetails, on_delete=models.CASCADE, related_name="tags")
    account_sid = models.CharField(max_length=34)
    name = models.CharField(max_length=30)
    name_folded = models.TextField(blank=True)  # normalized for searches

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["details", "name"], name="one_tag_of_a_name"),
        ]
        indexes = [
            models.Index(fields=["name", "account_sid", "details"], name="tag_name"),
            models.Index(fields=["name_folded", "details"], name="tag_name_folded"),
        ]

    def __str__(self) -> str:
        return self.name
