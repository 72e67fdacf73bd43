"""Model of Twilio's rate limits, shared by all processes of the site."""

from __future__ import annotations

from django.db import models


class RateLimit(models.Model):
    """The slots of one operation that an account has at Twilio (flows/accounts/shared_rates.py).

    `free_at` lists the time at which each slot becomes free, in seconds since 1970 by the
    database's clock.
    """

    account_sid = models.CharField(max_length=34)
    operation = models.CharField(max_length=16)
    free_at = models.TextField(default="[]")  # JSON; a booking compares the exact text

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account_sid", "operation"], name="one_rate_limit_of_an_operation"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_sid} {self.operation}"
