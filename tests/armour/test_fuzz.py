"""The short form of tests.armour.fuzz: so many requests that nobody thought of, the same ones each time."""

import random

import pytest

from flows.audit import verification
from tests.armour.fuzz import Fuzzer
from tests.armour.places import SampleSite

pytestmark = pytest.mark.django_db


@pytest.mark.quick("0")
@pytest.mark.parametrize("seed", range(4))
def test_nothing_breaks_the_site(world: SampleSite, seed):
    fuzzer = Fuzzer(world, random.Random(seed))

    fuzzer.go(150)

    assert fuzzer.broken == []
    assert verification.verify().bad_seq is None
    assert sum(fuzzer.answers.values()) == 150
