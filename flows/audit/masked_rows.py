"""Base model of the log's rows, which masks secrets when a row is read.

An older version of the site may have stored what today's rules mask. The stored values stay
available for the hash.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

from django.db import models

from flows.redaction.masking import redact, redact_note

Redactors = dict[str, Callable[[Any], Any]]
REASON_REDACTORS: Redactors = {"reason": redact_note}
BODY_REDACTORS: Redactors = dict.fromkeys(
    ("friendly_name", "contact_identity", "before", "requested", "after", "message", "findings"),
    redact,
)


class RedactedModel(models.Model):
    """A row that is never changed. `masks` holds the masking function of each masked column."""

    masks: ClassVar[Redactors] = {}
    recorded: dict[str, tuple[Any, Any]] = {}  # stored and masked value by column

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, *row: Any, **more: Any) -> Self:
        """Return a row with masked columns. Its stored values are kept in `recorded`."""
        loaded = super().from_db(*row, **more)
        values = loaded.__dict__  # lacks deferred columns
        loaded.recorded = {
            name: (values[name], mask(values[name]))
            for name, mask in cls.masks.items()
            if name in values
        }
        for name, (_, masked_value) in loaded.recorded.items():
            setattr(loaded, name, masked_value)
        return loaded

    def recorded_value(self, name: str) -> Any:
        """Return a column's stored value, or its current one if it was assigned since."""
        value = getattr(self, name)
        stored_value, masked_value = self.recorded.get(name, (value, value))
        return stored_value if value == masked_value else value
