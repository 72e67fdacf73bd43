"""The board: groups of statuses, counts, filters, the order, and the burn-down."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from flows.migration.board import Board, BoardRow, sort_rows
from flows.migration.board_chart import Lifetimes, count_remaining
from flows.migration.board_progress import Progress, progress_of
from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from flows.migration.verdicts import Judgement, Verdict
from tests import ACCOUNT

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EXPECTED = {
    None: Progress.NOT_STARTED,
    MigrationStatus.ROLLED_BACK: Progress.NOT_STARTED,
    MigrationStatus.READY: Progress.READY,
    MigrationStatus.PREPARING: Progress.IN_PROGRESS,
    MigrationStatus.SWITCHING: Progress.IN_PROGRESS,
    MigrationStatus.ROLLING_BACK: Progress.IN_PROGRESS,
    MigrationStatus.DELETING: Progress.IN_PROGRESS,
    MigrationStatus.STUCK: Progress.IN_PROGRESS,
    MigrationStatus.SWITCHED: Progress.SWITCHED,
    MigrationStatus.VERIFIED: Progress.VERIFIED,
    MigrationStatus.DONE: Progress.DONE,
}


def migration(status=None, **times):
    return FlowMigration(status=status, **times) if status or times else None


def row(sid, identity="+14155550123", verdict=Verdict.AUTOMATIC, status=None, name=""):
    judgement = Judgement(verdict) if verdict else None
    return BoardRow(sid, ACCOUNT, name, "sms", identity, judgement, migration(status))


@pytest.mark.parametrize("status", EXPECTED)
def test_group_of_a_status(status):
    assert progress_of(migration(status)) == EXPECTED[status]


def test_every_status_has_a_group():
    assert set(EXPECTED) - {None} == set(MigrationStatus)


BOARD = Board(
    [
        row("1"),
        row("2", verdict=Verdict.BLOCKED),
        row("3", verdict=Verdict.BLOCKED, status=MigrationStatus.STUCK),
        row("4", verdict=None, status=MigrationStatus.DONE),
    ]
)


def test_counts():
    assert BOARD.count_progress("") == [2, 0, 1, 0, 0, 1]
    assert BOARD.count_progress(ACCOUNT) == [2, 0, 1, 0, 0, 1]
    assert BOARD.count_progress("AC2") == [0] * 6
    assert BOARD.count_verdicts() == {
        Verdict.BLOCKED: 1,
        Verdict.BY_HAND: 0,
        Verdict.UNCERTAIN: 0,
        Verdict.AUTOMATIC: 1,
    }


@pytest.mark.parametrize(
    ("verdict", "progress", "sids"),
    [
        (None, None, "1234"),
        (Verdict.BLOCKED, None, "23"),
        (None, Progress.DONE, "4"),
        (Verdict.BLOCKED, Progress.IN_PROGRESS, "3"),
        (Verdict.AUTOMATIC, Progress.DONE, ""),
    ],
)
def test_filters(verdict, progress, sids):
    assert "".join(each.sid for each in BOARD.find(verdict, progress)) == sids


def test_flows_of_one_number_are_together_and_those_without_come_last():
    rows = [
        row("1", ""),
        row("2", "whatsapp:+14155550123", name="B"),
        row("3", "+14155550199"),
        row("4", "+1 (415) 555-0123", name="A"),
    ]

    assert [each.sid for each in sort_rows(rows)] == ["4", "2", "3", "1"]


def days_ago(days):
    return NOW - timedelta(days=days)


def moved(began, switched=None, done=None):
    return FlowMigration(
        created_at=days_ago(began),
        switched_at=None if switched is None else days_ago(switched),
        done_at=None if done is None else days_ago(done),
    )


def test_burn_down_counts_each_day_since_the_first_migration():
    # Of five flows, one is new since yesterday, and the one that is done was deleted yesterday.
    flows = Lifetimes(
        [
            (None, None),
            (days_ago(90), None),
            (days_ago(90), None),
            (days_ago(1), None),
            (days_ago(90), days_ago(1)),
        ]
    )
    migrations = [moved(3, 2, 1), moved(3, 1), moved(2)]

    with timezone.override(UTC):
        chart = count_remaining(flows, migrations, NOW.date())

    assert [(each.day.day, *each.values) for each in chart.counts] == [
        (17, 4, 0, 0),
        (18, 3, 1, 0),
        (19, 3, 1, 1),
        (20, 3, 1, 1),
    ]
    assert not chart.is_weekly


def test_burn_down_counts_a_moved_flow_that_was_deleted_outside_as_done():
    flows = Lifetimes([(None, None), (None, days_ago(1))])
    migration = moved(2, 2)
    migration.flow_sid = "FO1"

    with timezone.override(UTC):
        chart = count_remaining(flows, [migration], NOW.date(), {"FO1": days_ago(1)})

    assert [each.values for each in chart.counts] == [(1, 1, 0), (1, 0, 1), (1, 0, 1)]


@pytest.mark.parametrize(
    ("days", "count", "is_weekly"),
    [(0, 1, False), (30, 31, False), (31, 5, True), (9999, 105, True)],
)
def test_burn_down_of_a_long_time_is_weekly(days, count, is_weekly):
    with timezone.override(UTC):
        chart = count_remaining(Lifetimes([(None, None)]), [moved(days)], NOW.date())

    assert (len(chart.counts), chart.is_weekly) == (count, is_weekly)
    assert chart.counts[-1].day == NOW.date()
