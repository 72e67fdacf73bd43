"""Short form of `python -m tests.faults.plan_runs`: a bulk change with a killed worker."""

import pytest

from tests.faults import plan_runs
from tests.faults.witness import APPLIED

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_fate_of_a_killed_plan_is_on_record_and_the_way_back_is_exact():
    report = plan_runs.simulate(flows=16, seed=3)

    assert report.verdict.complaints == []
    assert report.chain == "valid"
    assert report.is_as_before
    assert report.is_good
    assert report.killed_after >= 8
    assert report.faulty > 0
    assert sum(report.fates.values()) == 16
    assert report.verdict.counts[APPLIED] >= 2 * report.fates["made"]
