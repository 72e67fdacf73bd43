"""Times as text for pages, in UTC and with their age.

The stylesheet puts a dot between the two.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

UNKNOWN_TIME: Final = format_html('<span class="unset">{}</span>', "Unknown")
_UNITS: Final = (  # with their seconds
    ("y", 31_557_600),
    ("mo", 2_629_800),
    ("d", 86_400),
    ("h", 3600),
    ("min", 60),
    ("s", 1),
)


def when(moment: datetime) -> SafeString:
    """Return a time in UTC with its age."""
    utc = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{} UTC</time> {}',
        f"{utc:%Y-%m-%d %H:%M:%SZ}",
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        f"{utc.day} {utc:%b %Y, %H:%M}",
        ago(utc),
    )


def table_timestamp(value: datetime | None) -> SafeString:
    """Return a time to the minute with its age, in short HTML for a table of many rows."""
    if value is None:
        return UNKNOWN_TIME
    return SafeString(f"<time>{minute_timestamp(value)}</time> {ago(value)}")


def minute_timestamp(value: datetime | None) -> str:
    """Return a time in UTC to the minute, such as "2026-11-20 10:42Z", or "" for None."""
    return f"{value.astimezone(UTC):%Y-%m-%d %H:%MZ}" if value else ""


def ago(moment: datetime | None) -> str:
    """Return the age of a time in the largest unit that fits, such as "3 h ago"."""
    if moment is None:
        return "never"
    seconds = (timezone.now() - moment).total_seconds()
    size = abs(seconds)
    for unit, length in _UNITS:
        if size >= length:
            amount = f"{int(size // length)} {unit}"
            return f"{amount} ago" if seconds > 0 else f"in {amount}"
    return "just now"


def clock(moment: datetime | None) -> str:
    """Return the time of day of a recent time, such as "10:42 UTC"."""
    return f"{moment.astimezone(UTC):%H:%M} UTC" if moment else "unknown time"


def inline_timestamp(moment: datetime | None) -> SafeString:
    """Return a time with its age for a line of text. The date is omitted if it is today."""
    if moment is None:
        return UNKNOWN_TIME
    utc, today = moment.astimezone(UTC), timezone.now().astimezone(UTC).date()
    day = "" if utc.date() == today else f"{utc.day} {utc:%b %Y}, "
    text = f"{day}{utc:%H:%M} UTC"
    return format_html(
        '<time datetime="{}" title="{}">{}</time> {}',
        f"{utc:%Y-%m-%d %H:%M:%SZ}",
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        text,
        ago(utc),
    )


def day_label(day: date) -> str:
    """Return a day in UTC for a heading, such as "Today, Thu 26 Nov 2026"."""
    today = timezone.now().astimezone(UTC).date()
    text = f"{day:%a} {day.day} {day:%b %Y}"
    if day == today:
        return f"Today, {text}"
    if day == today - timedelta(days=1):
        return f"Yesterday, {text}"
    return text
