"""Short form of `python -m tests.faults.schedule_runs`: two workers that are killed, and clock steps."""

import pytest

from tests.faults import schedule_runs

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_schedule_of_killed_workers_runs_once_or_is_suspended():
    report = schedule_runs.simulate(schedules=80, seed=4)

    assert report.violations == []
    assert report.chain == "valid"
    assert set(report.statuses) <= {"done", "suspended"}
    assert report.statuses["done"] > 20
    assert sum(report.statuses.values()) == 80
