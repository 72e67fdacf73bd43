"""Times as text for pages: in the user's time zone, with UTC in the tooltip and the age next to it.

The stylesheet puts a dot between time and age. Days are those of the user's time zone, too.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from flows.core import local_days

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
    """Return a time with its age."""
    return _time_element(moment, timestamp(moment))


def table_timestamp(value: datetime | None) -> SafeString:
    """Return a time with its age, in short HTML for a table of many rows."""
    if value is None:
        return UNKNOWN_TIME
    return SafeString(f"<time>{timestamp(value)}</time> {ago(value)}")


def timestamp(moment: datetime, zone: tzinfo | None = None) -> str:
    """Return a time to the minute in a zone or the user's, such as "26 Nov 2026, 14:05 CET"."""
    local = local_days.local_time(moment, zone)
    return f"{local.day} {local:%b %Y, %H:%M} {_zone_name(local)}"


def exact_time(moment: datetime) -> SafeString:
    """Return a time to the second and without its age, such as "26 Nov 2026, 14:05:12 CET"."""
    local = local_days.local_time(moment)
    return format_html(
        '<span title="{}"><time datetime="{}">{}</time></span>',
        utc_timestamp(moment),
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}",
        f"{local.day} {local:%b %Y, %H:%M:%S} {_zone_name(local)}",
    )


def utc_minute(moment: datetime | None) -> str:
    """Return a time in UTC as `timestamp` writes it, or "" for None.

    In a long table, a tooltip like its text takes little of the compressed page.
    """
    if moment is None:
        return ""
    in_utc = moment.astimezone(UTC)
    return f"{in_utc.day} {in_utc:%b %Y, %H:%M} UTC"


def utc_timestamp(moment: datetime | None) -> str:
    """Return a time in UTC for a tooltip, such as "2026-11-26 13:05:12 UTC", or "" for None."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if moment else ""


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


def inline_timestamp(moment: datetime | None) -> SafeString:
    """Return a time with its age for a line of text. The date is omitted if it is today."""
    if moment is None:
        return UNKNOWN_TIME
    if local_days.day_of(moment) != local_days.today():
        return when(moment)
    local = local_days.local_time(moment)
    return _time_element(moment, f"{local:%H:%M} {_zone_name(local)}")


def day_label(day: date) -> str:
    """Return a day of the user's time zone for a heading, such as "Today, Thu 26 Nov 2026"."""
    today = local_days.today()
    text = f"{day:%a} {day.day} {day:%b %Y}"
    if day == today:
        return f"Today, {text}"
    if day == today - timedelta(days=1):
        return f"Yesterday, {text}"
    return text


def _time_element(moment: datetime, text: str) -> SafeString:
    """Return a time with its age, which never breaks across two lines."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time> {}',
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}",
        utc_timestamp(moment),
        text,
        ago(moment).replace(" ", "\N{NO-BREAK SPACE}"),
    )


def _zone_name(local: datetime) -> str:
    """Return the abbreviation of a time's zone, or its offset such as "UTC-3" or "UTC+5:45"."""
    name = local.tzname() or ""
    if name.isalpha():
        return name
    offset = f"{local:%z}"  # such as -0300
    minutes = "" if offset[3:5] == "00" else f":{offset[3:5]}"
    return f"UTC{offset[0]}{int(offset[1:3])}{minutes}"
