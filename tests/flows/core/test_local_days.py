"""Days of the user's time zone, also where a clock change makes them longer or shorter."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from flows.core import local_days

LONG_DAY, SHORT_DAY = date(2026, 10, 25), date(2026, 3, 29)


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("UTC", LONG_DAY, "2026-10-25 00:00", "2026-10-26 00:00"),
        ("Europe/Berlin", LONG_DAY, "2026-10-24 22:00", "2026-10-25 23:00"),
        ("Europe/Berlin", SHORT_DAY, "2026-03-28 23:00", "2026-03-29 22:00"),
        ("America/Los_Angeles", LONG_DAY, "2026-10-25 07:00", "2026-10-26 07:00"),
        # Midnight doesn't exist: clocks go from 23:59 to 01:00.
        ("Asia/Beirut", SHORT_DAY, "2026-03-28 22:00", "2026-03-29 21:00"),
    ],
)
def test_day_has_its_own_bounds_in_each_zone(zone, day, start, end):
    bounds = (
        local_days.start_of_day(day, ZoneInfo(zone)),
        local_days.end_of_day(day, ZoneInfo(zone)),
    )

    assert [f"{moment:%Y-%m-%d %H:%M}" for moment in bounds] == [start, end]
    assert {moment.tzinfo for moment in bounds} == {UTC}


def test_first_and_last_day_of_the_calendar_have_bounds():
    east, west = ZoneInfo("Europe/Berlin"), ZoneInfo("Pacific/Pago_Pago")

    assert local_days.start_of_day(date.min, east) == datetime.min.replace(tzinfo=UTC)
    assert local_days.end_of_day(date.max, west) == datetime.max.replace(tzinfo=UTC)


def test_day_of_a_time_is_the_users():
    moment = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)

    with timezone.override("Asia/Tokyo"):
        assert local_days.day_of(moment) == date(2026, 11, 21)
        assert local_days.day_of(moment, UTC) == date(2026, 11, 20)
