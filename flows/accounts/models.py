"""Turns to call Twilio, shared by all processes of the site."""

from __future__ import annotations

from django.db import models


class RateLimit(models.Model):
    """The places of one kind of call that an account may make at Twilio, shared by all processes of the
    site: when each comes free, in seconds since 1970 by the database's clock (flows/services/rates.py)."""

    account_sid = models.CharField(max_length=34)
    operation = models.CharField(max_length=16)
    free_at = models.TextField(default="[]")  # JSON; compared as it stands before it is replaced

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_sid", "operation"], name="one_rate_limit_of_an_operation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_sid} {self.operation}"
