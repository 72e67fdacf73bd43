"""Short run of tests.security.fuzz, with the same random requests each time."""

import random

import pytest

from flows.audit import verification
from tests.security.fuzz import Fuzzer
from tests.security.places import SampleSite

pytestmark = pytest.mark.django_db


@pytest.mark.quick("0")
@pytest.mark.parametrize("seed", range(4))
def test_nothing_breaks_the_site(site: SampleSite, seed):
    fuzzer = Fuzzer(site, random.Random(seed))

    fuzzer.send_requests(150)

    assert fuzzer.failures == []
    assert verification.verify().bad_seq is None
    assert sum(fuzzer.statuses.values()) == 150
