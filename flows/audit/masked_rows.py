"""Rows of the log as they are read: masked by the rules of today, since an older version may have recorded
what they mask. What was written is kept beside it, for the seal."""

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
    """A row that can't be changed any more. `masks`: its columns that are masked on reading, and how."""

    masks: ClassVar[Redactors] = {}
    recorded: dict[str, tuple[Any, Any]] = {}  # by column: as it was written, and as it is shown

    class Meta:
        abstract = True

    @classmethod
    def from_db(cls, *row: Any, **more: Any) -> Self:
        loaded = super().from_db(*row, **more)
        values = loaded.__dict__  # without the columns that were not asked for
        loaded.recorded = {
            name: (values[name], mask(values[name]))
            for name, mask in cls.masks.items()
            if name in values
        }
        for name, (_, shown) in loaded.recorded.items():
            setattr(loaded, name, shown)
        return loaded

    def recorded_value(self, name: str) -> Any:
        """A column as it was written, unless it was changed here since."""
        value = getattr(self, name)
        written, shown = self.recorded.get(name, (value, value))
        return written if value == shown else value
