"""What a user prefers in the list of flows."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from flows.search.models import SavedView


class ListPreferences(models.Model):
    """The columns that a user has hidden in the list of flows, its density, and the default view.

    The default view is what the list shows without a query.
    """

    class Density(models.TextChoices):
        COMFORTABLE = "comfortable", "Comfortable"
        COMPACT = "compact", "Compact"

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="list_preferences",
        primary_key=True,
    )
    hidden_columns = models.JSONField(default=list)  # keys of list_columns.py
    density = models.CharField(max_length=12, choices=Density.choices, default=Density.COMFORTABLE)
    default_view = models.ForeignKey(
        SavedView, on_delete=models.SET_NULL, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"list of flows of {self.person}"

    @property
    def is_saved(self) -> bool:
        """False for the defaults of a user who has not chosen anything."""
        return not self._state.adding
