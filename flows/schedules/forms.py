"""The fields of a schedule: its time, its window, and the time of its return."""

from __future__ import annotations

import zoneinfo
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from flows.core.forms import error_summary
from flows.schedules.models import Schedule
from flows.schedules.timing import DEFAULT_WINDOW, TimeNotUsable, Timing, to_utc

MAX_WINDOW: Final = 24 * 60  # minutes
LONGEST: Final = timedelta(days=366)  # how far ahead a change can be scheduled
_INPUT_FORMAT: Final = "%Y-%m-%dT%H:%M"
_UNREADABLE: Final = "Enter a date and time such as 2026-12-24 18:00."


class LocalTimeField(forms.CharField):
    """A date and time as a browser's input has it, without a zone."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"})

    def clean(self, value: Any) -> datetime | None:
        text = str(super().clean(value) or "")
        if not text:
            return None
        try:
            local = datetime.fromisoformat(text)
        except ValueError as error:
            raise ValidationError(_UNREADABLE) from error
        if local.tzinfo is not None:
            raise ValidationError(_UNREADABLE)
        return local


class ScheduleForm(forms.Form):
    """When a change is sent. The times are in the zone that the page named."""

    when_refused = "Nothing was scheduled"

    due_at = LocalTimeField(
        label="Date and time",
        error_messages={"required": "Enter the date and time at which the change is sent."},
    )
    window = forms.IntegerField(
        label="Not later than, in minutes",
        min_value=1,
        max_value=MAX_WINDOW,
        initial=DEFAULT_WINDOW,
        help_text="If it can't start within this time, it is suspended.",
    )
    time_zone = forms.CharField(widget=forms.HiddenInput)

    def __init__(
        self, data: Mapping[str, Any] | None = None, *, schedule: Schedule | None = None
    ) -> None:
        zone_name = timezone.get_current_timezone_name()
        initial: dict[str, Any] = {"time_zone": zone_name}
        if schedule is not None:
            initial |= {
                "due_at": timezone.localtime(schedule.due_at).strftime(_INPUT_FORMAT),
                "window": schedule.window_minutes,
            }
        super().__init__(data, initial=initial)
        named = str(self["time_zone"].value() or zone_name)
        self.fields["due_at"].help_text = f"In the time zone {named}."

    @property
    def error_list(self) -> list[tuple[str, str]]:
        return error_summary(self)

    def clean_time_zone(self) -> str:
        name = str(self.cleaned_data["time_zone"])
        if name not in zoneinfo.available_timezones():
            raise ValidationError("This time zone is not known. Open the page again.")
        return name

    def clean(self) -> dict[str, Any]:
        """Refuse times that don't exist, come twice, or are not ahead."""
        data = super().clean() or {}
        self._convert("due_at")
        due_at = self.cleaned_data.get("due_at")
        now = timezone.now()
        if due_at is not None and due_at <= now:
            self.add_error("due_at", "Choose a time in the future.")
        elif due_at is not None and due_at > now + LONGEST:
            self.add_error("due_at", "Choose a time within a year.")
        return data

    def _convert(self, name: str) -> None:
        """Convert a local time of the form to UTC, or add an error to its field."""
        local, zone = self.cleaned_data.get(name), self.cleaned_data.get("time_zone")
        if local is None:
            return
        if zone is None:
            self.add_error(name, "Open the page again: its time zone is not known.")
            return
        try:
            self.cleaned_data[name] = to_utc(local, zone)
        except TimeNotUsable as error:
            self.add_error(name, str(error))
        except OverflowError:
            self.add_error(name, "Choose a time within a year.")

    @property
    def timing(self) -> Timing:
        """The timing of a valid form."""
        return self._timing_at(self.cleaned_data["due_at"])

    def _timing_at(self, due_at: datetime) -> Timing:
        data = self.cleaned_data
        return Timing(due_at=due_at, window=data["window"], time_zone=data["time_zone"])


class ReturningScheduleForm(ScheduleForm):
    """A schedule with an optional time at which the values return.

    It is part of a form that sends without it, so no browser may ask for its fields.
    """

    use_required_attribute = False

    return_at = LocalTimeField(
        label="Return at",
        required=False,
        help_text="Optional. Sets the same fields to their present values again.",
    )
    field_order = ["due_at", "window", "return_at"]

    def clean(self) -> dict[str, Any]:
        """Refuse a return that isn't after the change, its whole window included."""
        data = super().clean()
        self._convert("return_at")
        return_at = self.cleaned_data.get("return_at")
        if return_at is None:
            return data
        is_complete = {"due_at", "window"} <= self.cleaned_data.keys()
        if is_complete and return_at <= self.timing.not_later_than:
            self.add_error(
                "return_at", "Choose a time after the change and the minutes it may be late."
            )
        elif return_at > timezone.now() + LONGEST:
            self.add_error("return_at", "Choose a time within a year.")
        return data

    @property
    def return_timing(self) -> Timing | None:
        """The timing of the return of a valid form, or None without one."""
        return_at = self.cleaned_data.get("return_at")
        return None if return_at is None else self._timing_at(return_at)
