"""Times of schedules are times of the named zone, and those that the clocks skip are refused."""

from datetime import UTC, datetime

import pytest

from flows.schedules.forms import ReturningScheduleForm
from flows.schedules.timing import TimeNotUsable, to_utc


@pytest.mark.parametrize(
    ("local", "in_utc"),
    [
        ("2026-12-24T18:00", datetime(2026, 12, 24, 17, 0, tzinfo=UTC)),
        ("2027-07-01T18:00", datetime(2027, 7, 1, 16, 0, tzinfo=UTC)),
        ("2027-03-28T03:00", datetime(2027, 3, 28, 1, 0, tzinfo=UTC)),
        ("2027-10-31T01:59", datetime(2027, 10, 30, 23, 59, tzinfo=UTC)),
    ],
)
def test_a_time_is_that_of_its_zone_in_winter_and_summer(local, in_utc):
    assert to_utc(datetime.fromisoformat(local), "Europe/Berlin") == in_utc


@pytest.mark.parametrize(
    ("local", "words"),
    [
        ("2027-03-28T02:30", "doesn't exist in Europe/Berlin"),
        ("2027-10-31T02:30", "comes twice in Europe/Berlin"),
    ],
)
def test_a_time_that_the_clocks_skip_or_repeat_is_refused(local, words):
    with pytest.raises(TimeNotUsable, match=words):
        to_utc(datetime.fromisoformat(local), "Europe/Berlin")


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"due_at": ""}, "due_at", "Enter the date and time"),
        ({"due_at": "tomorrow"}, "due_at", "Enter a date and time such as"),
        ({"due_at": "2026-12-24T18:00Z"}, "due_at", "Enter a date and time such as"),
        ({"due_at": "2020-01-01T08:00"}, "due_at", "in the future"),
        ({"due_at": "9999-12-31T23:59"}, "due_at", "within a year"),
        ({"window": "0"}, "window", "greater than or equal to 1"),
        ({"window": "2000"}, "window", "less than or equal to 1440"),
        ({"time_zone": "Mars/Olympus"}, "time_zone", "not known"),
        ({"return_at": "2020-01-01T08:00"}, "return_at", "after the change"),
        ({"return_at": "9999-01-01T08:00"}, "return_at", "within a year"),
        ({"return_at": "soon"}, "return_at", "Enter a date and time such as"),
    ],
)
def test_bad_input_gets_a_message_at_its_field(soon, values, field, words):
    data = {"due_at": soon, "window": "15", "time_zone": "Europe/Berlin", **values}
    form = ReturningScheduleForm(data)

    assert not form.is_valid()
    assert words in str(form.errors[field])
    assert form[field].value() == data[field]


def test_the_return_comes_after_the_whole_window(soon):
    data = {"due_at": soon, "window": "60", "time_zone": "Europe/Berlin", "return_at": soon}
    assert "return_at" in ReturningScheduleForm(data).errors
