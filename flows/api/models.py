"""What the API stores of its own: digests of requests with an Idempotency-Key."""

from __future__ import annotations

from django.db import models


class KeyedRequest(models.Model):
    """The digest of the request that sent a change, so that its key can't stand for another one.

    Only `replays` writes it. Rows are deleted after `replays.LIFETIME`.
    """

    change_id = models.UUIDField(primary_key=True)  # the Idempotency-Key
    digest = models.CharField(max_length=64)  # an HMAC of method, address and body
    sent_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.change_id)
