"""Erasure of the personal data in subscriptions. Messages have none: they name events only."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from flows.notifications.models import Subscription

DATA_ERASED: Final = "Its filter or its name had personal data that was erased."


def contents_of(subscription: Subscription) -> list[Any]:
    """Return the values that can hold personal data of a flow."""
    return [subscription.name, subscription.query, subscription.recipients]


def erase(keys: Collection[int]) -> None:
    """Empty these subscriptions, and disable them: without its filter one would send more."""
    for subscription in Subscription.objects.filter(pk__in=keys):
        subscription.name = f"Notification {subscription.pk}"
        subscription.query, subscription.recipients = "", []
        subscription.is_enabled, subscription.disabled_reason = False, DATA_ERASED
        subscription.save(
            update_fields=["name", "query", "recipients", "is_enabled", "disabled_reason"]
        )
