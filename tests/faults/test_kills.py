"""Short form of `python -m tests.faults.kills`: a few kills of a busy site."""

import pytest
from django.db import connection

from tests.faults import kills
from tests.faults.witness import APPLIED

pytestmark = pytest.mark.django_db(transaction=True)


def test_log_tells_the_truth_of_a_killed_site(tmp_path):
    report = kills.simulate(kills=5, people=3, flows=6, seed=1, folder=tmp_path)

    assert report.verdict.complaints == []
    assert report.chain == "valid"
    assert report.integrity == ("ok" if connection.vendor == "sqlite" else kills.NOT_CHECKED)
    assert report.is_good
    assert report.kills == {"a worker": 4, "the whole site": 1}
    assert report.verdict.counts[APPLIED] > 0
