"""Short form of `python -m tests.faults.rates`: two sites and a worker on one account."""

import pytest

from tests.faults import rates
from tests.faults.rates import ArrivedCalls

pytestmark = pytest.mark.django_db(transaction=True)


def test_no_more_arrives_at_twilio_than_its_rates_allow(tmp_path):
    report = rates.simulate(
        seconds=5, workers=1, viewers=6, operators=2, planned=6, seed=1, folder=tmp_path
    )

    assert {kind.operation: kind for kind in report.arrived if not kind.is_within} == {}
    assert {kind.operation for kind in report.arrived} >= {"fetch", "update"}
    assert report.failed == []
    assert report.is_good


@pytest.mark.parametrize(
    ("at", "is_within"),
    [
        ([0.0, 1.1, 2.2, 3.3], True),
        ([0.0, 0.9, 2.2, 3.3], True),  # one that was held up on its way
        ([0.0, 0.5, 2.2, 3.3], False),
        ([0.0, 0.8, 1.6, 2.4, 3.2], False),
        ([0.0], True),
        ([], True),
    ],
)
def test_what_is_held_against_the_rates(at, is_within):
    assert ArrivedCalls("update", at).is_within is is_within
