"""Days of the user's time zone, which the site activates for each request.

Outside a request it is the site's own zone.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.utils import timezone


def today() -> date:
    """Return the current day in the user's time zone."""
    return day_of(timezone.now())


def day_of(moment: datetime, zone: tzinfo | None = None) -> date:
    """Return the day of a time in a time zone, or in the user's."""
    return local_time(moment, zone).date()


def local_time(moment: datetime, zone: tzinfo | None = None) -> datetime:
    """Return a time in a time zone, or in the user's. It stays in UTC if its year doesn't fit."""
    try:
        return timezone.localtime(moment, zone)
    except OverflowError:
        return moment.astimezone(UTC)


def start_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first moment of a day in a time zone, in UTC.

    It is the earliest time there is for a day that begins before that.
    """
    try:
        return datetime.combine(day, time.min, zone).astimezone(UTC)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC)


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first moment after a day in a time zone, in UTC.

    It is the latest time there is for a day that ends after that.
    """
    try:
        return datetime.combine(day + timedelta(days=1), time.min, zone).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)
