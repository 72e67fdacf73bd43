"""Days of the log are those of the user's time zone: filters, presets, headings, chart, export."""

from datetime import UTC, date, datetime
from unittest import mock

import pytest
from django.contrib.auth.models import User

from flexadmin.models import Profile
from flows.audit.models import AuditEvent
from tests.flows.audit.views.logged_days import log_events
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

LATE_EVENING = datetime(2026, 11, 25, 23, 30, tzinfo=UTC)  # already the 26th in Berlin
EARLY_MORNING = datetime(2026, 11, 26, 3, 30, tzinfo=UTC)  # still the 25th in New York
DAY = "?from=2026-11-26&to=2026-11-26"


@pytest.fixture
def in_zone(client_of, at):
    """Return a function that gives a client whose user has chosen a time zone."""
    for moment, reason in ((LATE_EVENING, "late"), (EARLY_MORNING, "early")):
        with mock.patch("django.utils.timezone.now", return_value=moment):
            log_events(1, reason=reason)

    def sign_in(zone, role="viewer"):
        client = client_of(role)
        Profile.objects.create(person=User.objects.get(username=role), time_zone=zone)
        return client

    return sign_in


def reasons(page):
    return sorted(event.reason for event in page.context["events"])


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("", ["early"]),
        ("Europe/Berlin", ["early", "late"]),
        ("America/New_York", []),
        ("Asia/Kathmandu", ["early", "late"]),
    ],
)
def test_filter_takes_days_of_the_users_zone(in_zone, zone, expected):
    page = in_zone(zone).get(f"/audit/{DAY}")

    assert reasons(page) == expected


def test_headings_and_times_are_of_the_same_zone(in_zone):
    html = squeezed(in_zone("America/New_York").get("/audit/").content.decode())

    assert "Yesterday, Wed 25 Nov 2026" in html
    assert "Today" not in html.split("<table")[-1]
    assert ">25 Nov 2026, 22:30 EST</time>" in html
    assert "Days are in your time zone, America/New_York." in html


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("UTC", {25: 1, 26: 1}), ("Europe/Berlin", {26: 2}), ("America/New_York", {25: 2})],
)
def test_chart_counts_days_of_the_users_zone(in_zone, zone, expected):
    client = in_zone(zone)
    page = client.get("/audit/")

    histogram = page.context["histogram"]
    assert {day.day.day: day.total for day in histogram.days if day.total} == expected
    for row in histogram.rows:  # each bar leads to as many events as it counts
        assert len(client.get(row.url).context["events"]) == row.day.total


def test_today_is_the_users_day(in_zone, at):
    client = in_zone("Pacific/Auckland")  # UTC+13: the 27th since 11:00

    page = client.get("/audit/")

    assert page.context["presets"][0].url == "?from=2026-11-27&to=2026-11-27"


def test_chip_names_the_zone_of_its_day(in_zone):
    html = squeezed(in_zone("Europe/Berlin").get(f"/audit/{DAY}").content.decode())

    assert "From: 2026-11-26 (Europe/Berlin)" in html


def test_export_of_days_takes_the_users_zone_and_records_it(in_zone):
    form = {"from": "2026-11-26", "to": "2026-11-26", "format": "ndjson", "what": "shown"}

    answer = in_zone("Europe/Berlin", "auditor").post("/audit/export/", form)

    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert '"at":"2026-11-25T23:30:00.000000+00:00"' in lines[0]
    recorded = AuditEvent.objects.latest("seq").payload.requested["filters"]
    assert recorded["time zone"] == "Europe/Berlin"


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Pacific/Pago_Pago"])
def test_ends_of_the_calendar_are_days_too(in_zone, zone, day):
    client = in_zone(zone)

    assert client.get(f"/audit/?from={day}").status_code == 200
    assert client.get(f"/audit/?to={day}").status_code == 200


@pytest.mark.parametrize(
    ("zone", "counts"),
    [
        ("UTC", {date(2026, 11, 25): 1, date(2026, 11, 26): 1}),
        ("Europe/Berlin", {date(2026, 11, 26): 2}),
        ("America/New_York", {date(2026, 11, 25): 2}),
    ],
)
def test_overview_counts_the_users_days(in_zone, zone, counts):
    histogram = in_zone(zone).get("/").context["histogram"]

    assert {row.day.day: row.day.total for row in histogram.rows if row.day.total} == counts
