"""Model of the restrictions that are in force: refusals by Twilio, and read-only mode."""

from __future__ import annotations

from django.db import models


class Closure(models.Model):
    """A restriction of one account, or of the whole site if `account_sid` is empty.

    Either Twilio refuses a kind of call for every flow, or an administrator made the account
    read-only.
    """

    account_sid = models.CharField(max_length=34, blank=True)
    # A call that Twilio refuses (list, fetch, create, update, delete), or "change" for read-only.
    kind = models.CharField(max_length=16)
    since = models.DateTimeField()
    status = models.IntegerField(null=True)  # HTTP status and error code of Twilio's refusal
    code = models.IntegerField(null=True)
    # The administrator's name.
    actor_label = models.CharField(max_length=150, blank=True, db_column="said_by")
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        permissions = [("close_account", "Can make an account, or the site, read-only")]
        constraints = [
            models.UniqueConstraint(fields=["account_sid", "kind"], name="one_closure_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.account_sid or 'site'} {self.kind}"
