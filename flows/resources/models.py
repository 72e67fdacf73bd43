"""What Twilio refuses to list, as the pages of the Flex API have found it."""

from __future__ import annotations

from django.db import models


class ResourceRefusal(models.Model):
    """A resource that Twilio refused to list in an account, until it lists it again."""

    account_sid = models.CharField(max_length=34)
    resource = models.CharField(max_length=64)  # the name of the resource
    status = models.IntegerField()
    code = models.IntegerField(null=True)
    refused_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["account_sid", "resource"], name="one_refusal_of_a_resource"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account_sid} {self.resource}"
