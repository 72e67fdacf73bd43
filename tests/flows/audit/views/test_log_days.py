"""The log's days: headings between the rows, and presets that fill in days or the own name."""

import re
import uuid
from datetime import date

import pytest

from flows.audit import log_presets
from flows.audit.audit_log import Actor
from flows.audit.log_query import LogQuery
from tests import ACCOUNT
from tests.flows.audit.views.logged_days import log_events
from tests.flows.audit.views.test_log_rows import APPLIED, ATTEMPT, LOST_OUTCOME, stage
from tests.markup import squeezed

pytestmark = pytest.mark.django_db

HEADING = re.compile(r'<tr class="day"><th scope="rowgroup" colspan="5">(.*?)</th></tr>')


def rows_by_day(page):
    """Return the headings of a page, each with the number of rows in its group."""
    groups = squeezed(page.content.decode()).split("<tbody>")[1:]
    return [
        (heading[1], group.count('<td class="time">'))
        for group in groups
        if (heading := HEADING.match(group))
    ]


def presets(page):
    return {preset.label: preset for preset in page.context["presets"]}


def active_presets(page):
    html = squeezed(page.content.decode())
    return re.findall(r'<a class="chip plain" href="[^"]*" aria-current="true">(.*?)</a>', html)


def test_each_day_is_a_group_of_rows_with_a_heading(client_of, at):
    for days, count in ((5, 2), (1, 1), (0, 3)):
        with at(days):
            log_events(count)

    page = client_of("viewer").get("/audit/")

    assert rows_by_day(page) == [
        ("Today, Thu 26 Nov 2026", 3),
        ("Yesterday, Wed 25 Nov 2026", 1),
        ("Sat 21 Nov 2026", 2),
    ]


def test_page_that_starts_within_a_day_has_its_heading(client_of, at):
    with at(3):
        log_events(1)
    with at(2):
        log_events(53)
    client = client_of("viewer")

    first = client.get("/audit/")
    second = client.get("/audit/" + first.context["older_url"])

    assert rows_by_day(first) == [("Tue 24 Nov 2026", 50)]
    assert rows_by_day(second) == [("Tue 24 Nov 2026", 3), ("Mon 23 Nov 2026", 1)]


def test_change_stands_on_the_day_of_its_start(client_of, at):
    with at(4):
        attempt = stage(uuid.uuid4(), *ATTEMPT)
        stage(attempt.change_id, *LOST_OUTCOME)
    with at(1):
        log_events(1)
    stage(attempt.change_id, *APPLIED)

    page = client_of("viewer").get("/audit/")

    assert [heading for heading, _ in rows_by_day(page)] == [
        "Yesterday, Wed 25 Nov 2026",
        "Sun 22 Nov 2026",
    ]


@pytest.mark.parametrize(
    ("label", "found", "query"),
    [
        ("Today", 1, "?actor=omar&from=2026-11-26&to=2026-11-26"),
        ("Last 7 days", 2, "?actor=omar&from=2026-11-20&to=2026-11-26"),
        ("Last 30 days", 3, "?actor=omar&from=2026-10-28&to=2026-11-26"),
        ("Last month", 3, "?actor=omar&from=2026-10-01&to=2026-10-31"),
    ],
)
def test_preset_fills_in_plain_dates_and_keeps_other_filters(client_of, at, label, found, query):
    for days in (57, 56, 30, 29, 6, 0):
        with at(days):
            log_events(1)
            log_events(1, actor=Actor(id="2", label="ada", role="admin"))
    client = client_of("viewer")

    preset = presets(client.get("/audit/?actor=omar&before=9"))[label]
    page = client.get("/audit/" + preset.url)

    assert preset.url == query
    assert len(page.context["events"]) == found
    assert {event.actor_label for event in page.context["events"]} == {"omar"}
    assert active_presets(page) == [label]


@pytest.mark.parametrize(
    ("today", "first", "last"),
    [
        ("2026-01-05", "2025-12-01", "2025-12-31"),
        ("2028-03-31", "2028-02-01", "2028-02-29"),
    ],
)
def test_last_month_is_the_whole_month_before(today, first, last):
    found = log_presets.build_presets(LogQuery(), "ada", date.fromisoformat(today))

    (last_month,) = [preset for preset in found if preset.label == "Last month"]
    assert last_month.url == f"?from={first}&to={last}"


def test_bookmark_of_a_preset_shows_the_same_days_tomorrow(client_of, at):
    log_events(2)
    today = presets(client_of("viewer").get("/audit/"))["Today"].url

    with at(-1):
        page = client_of("viewer").get("/audit/" + today)

    assert len(page.context["events"]) == 2
    assert active_presets(page) == []


def test_preset_of_own_changes_combines_with_days(client_of, at):
    client = client_of("viewer")
    log_events(2)
    log_events(1, actor=Actor(id="2", label="viewer", role="viewer"))
    today = client.get("/audit/" + presets(client.get("/audit/"))["Today"].url)

    page = client.get("/audit/" + presets(today)["Mine"].url)

    assert [event.actor_label for event in page.context["events"]] == ["viewer"]
    assert active_presets(page) == ["Today", "Mine"]


def test_own_changes_are_a_valid_filter_before_the_first_one(client, person, at):
    log_events(1, account_sid=ACCOUNT)
    client.force_login(person("viewer", name="eva", account_sid=ACCOUNT))

    page = client.get("/audit/?actor=eva")

    assert list(page.context["faults"]) == []
    assert page.context["events"] == []
    assert ("eva", "eva") in page.context["choices"]["actor"]
    assert list(client.get("/audit/?actor=adam").context["faults"]) != []


def test_presets_are_renewed_with_the_results(client_of, at):
    log_events(1)

    page = client_of("viewer").get("/audit/?result=failed", headers={"HX-Request": "true"})

    assert presets(page)["Mine"].url == "?actor=viewer&result=failed"
    assert "Last 30 days" in page.content.decode()
