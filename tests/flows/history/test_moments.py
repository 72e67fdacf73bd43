"""A moment as it is typed, and its place in the log."""

from datetime import UTC, datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.actions import AuditAction
from flows.audit.models import Result, Stage
from flows.history.moments import (
    InvalidMoment,
    find_position,
    input_value,
    log_start,
    parse_moment,
    second_after,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture(autouse=True)
def _now():
    with mock.patch("django.utils.timezone.now", return_value=NOW):
        yield


def append_at(moment, actor):
    with mock.patch("django.utils.timezone.now", return_value=moment):
        return audit_log.append(
            action=AuditAction.VERIFY, stage=Stage.ACCESS, result=Result.SUCCEEDED, actor=actor
        ).seq


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-20T14:05", datetime(2026, 11, 20, 13, 5, tzinfo=UTC)),
        (" 2026-11-20 14:05:30 ", datetime(2026, 11, 20, 13, 5, 30, tzinfo=UTC)),
        ("2026-11-20T14:05:30Z", datetime(2026, 11, 20, 14, 5, 30, tzinfo=UTC)),
        ("2026-11-20T14:05+05:45", datetime(2026, 11, 20, 8, 20, tzinfo=UTC)),
        ("2026-07-01", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-10-25T02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # the first of two
    ],
)
def test_moment_is_read_in_the_users_zone_unless_it_names_another(text, expected):
    with timezone.override(BERLIN):
        assert parse_moment(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("yesterday", "Not a date and time: yesterday"),
        ("2026-13-01", "There is no such date or time"),
        ("2026-02-30T10:00", "There is no such date or time"),
        ("2026-03-29T02:30", "There is no such date or time"),  # the clocks skip it
        ("0001-01-01T00:00", "There is no such date or time"),  # before the first moment in UTC
        ("2026-11-27T13:01", "is in the future"),
        ("9999-12-31T23:59:59-23:59", "There is no such date or time"),
        ("2026-11-20T14:05\x00", "Not a date and time"),
        ("٢٠٢٦-11-20", "Not a date and time"),
        ("x" * 5000, "Not a date and time"),
    ],
)
def test_other_texts_are_refused_with_the_reason(text, words):
    with timezone.override(BERLIN), pytest.raises(InvalidMoment, match=words) as refusal:
        parse_moment(text)

    assert len(str(refusal.value)) < 120


def test_input_has_the_users_time_to_the_second():
    with timezone.override(BERLIN):
        assert input_value(NOW) == "2026-11-27T13:00:00"


def test_link_to_an_event_is_a_moment_that_includes_it():
    assert second_after(NOW) == NOW
    assert second_after(NOW + timedelta(microseconds=1)) == NOW + timedelta(seconds=1)


@pytest.mark.django_db
def test_position_is_the_last_event_that_was_recorded_by_then(actor):
    days = [NOW - timedelta(days=number) for number in (3, 2, 2, 0)]
    first, second, third, last = (append_at(moment, actor) for moment in days)

    assert log_start() == days[0]
    assert find_position(days[0] - timedelta(microseconds=1)).seq == 0
    assert find_position(days[0]).seq == first
    assert find_position(days[1] - timedelta(hours=1)).seq == first
    assert find_position(days[1]).seq == third
    assert find_position(NOW - timedelta(seconds=1)).seq == third
    assert find_position(NOW).seq == last
    assert second < third


@pytest.mark.django_db
def test_position_keeps_the_order_of_the_log_when_a_clock_goes_back(actor):
    append_at(NOW - timedelta(hours=1), actor)
    ahead = append_at(NOW, actor)
    behind = append_at(NOW - timedelta(minutes=30), actor)

    # The event that a fast clock dated later was recorded before the last one.
    assert find_position(NOW - timedelta(minutes=20)).seq == behind > ahead


@pytest.mark.django_db
def test_empty_log_has_no_start():
    assert log_start() is None
    assert find_position(NOW).seq == 0
