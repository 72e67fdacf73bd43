"""Short form of `python -m tests.faults.slow_clients`: slow clients don't delay others."""

import pytest

from tests.faults import slow_clients

pytestmark = pytest.mark.django_db(transaction=True)


def test_everybody_else_has_their_pages(tmp_path):
    reports = list(
        slow_clients.simulate(
            fronts=["straight"], counts=[16], seconds=1, pause=0.1, folder=tmp_path
        )
    )

    assert [report.attack for report in reports] == [*slow_clients.ATTACKS]
    for report in reports:
        assert report.failed == []
        assert report.waits
        assert report.connected
