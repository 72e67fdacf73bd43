"""What can't be done at present: calls that Twilio refuses, and changes while an account is read-only."""

from __future__ import annotations

from django.db import models


class Closure(models.Model):
    """Something that can't be done: a kind of call that Twilio refuses whatever flow it is about, or every change,
    because a person said so. Of an account, or, with an empty SID, of the whole site."""

    account_sid = models.CharField(max_length=34, blank=True)
    kind = models.CharField(
        max_length=16
    )  # list, fetch, create, update, delete; a person's: "change"
    since = models.DateTimeField()
    status = models.IntegerField(null=True)  # what Twilio answered
    code = models.IntegerField(null=True)
    said_by = models.CharField(max_length=150, blank=True)  # the person
    reason = models.CharField(max_length=200, blank=True)

    class Meta:
        permissions = [("close_account", "Can make an account, or the site, read-only")]
        constraints = [
            models.UniqueConstraint(fields=["account_sid", "kind"], name="one_closure_of_a_kind")
        ]

    def __str__(self) -> str:
        return f"{self.account_sid or 'site'} {self.kind}"
