"""The map of SIDs between two accounts."""

from __future__ import annotations

from django.db import models


class SidMapping(models.Model):
    """The object of one account that stands for an object of another one in copied flows.

    The map of a pair of accounts has a direction. Only `mappings` writes it, in the transaction of
    the event that records the change. The event has the user and the time.
    """

    source_account_sid = models.CharField(max_length=34)
    target_account_sid = models.CharField(max_length=34)
    source_sid = models.CharField(max_length=34)
    target_sid = models.CharField(max_length=34)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["source_account_sid", "target_account_sid", "source_sid"],
                name="one_counterpart_of_a_sid",
            )
        ]

    def __str__(self) -> str:
        return f"{self.source_sid} → {self.target_sid}"
