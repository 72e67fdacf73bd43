"""Short form of `python -m tests.faults.two_sites`: two sites on one database."""

import pytest
from django.db import connection

from tests.faults import two_sites

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="two sites share a PostgreSQL"),
]


def test_two_sites_are_one(tmp_path):
    report = two_sites.simulate(
        clients=6, workers=2, flows=20, seed=1, folder=tmp_path, progress=lambda heard: heard / 150
    )

    assert report.failed == {}
    assert report.verdict.complaints == []
    assert (report.syncs_at_once, report.is_gapless, report.chain) == (1, True, "valid")
    assert report.is_good
