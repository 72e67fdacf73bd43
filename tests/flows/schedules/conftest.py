"""Users, a clock, and a flow that is scheduled to be turned off in one hour."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.flows.schedules.scheduling import Clock, schedule_switch


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def omar(person):
    return person("operator", "omar")


@pytest.fixture
def ana(person):
    return person("operator", "ana")


@pytest.fixture
def adam(person):
    return person("admin", "adam")


@pytest.fixture
def schedule(flow_sid, omar, clock):
    return schedule_switch(omar, flow_sid, clock)


@pytest.fixture
def soon():
    """A time in ten days, as the input of a form has it."""
    return f"{timezone.now() + timedelta(days=10):%Y-%m-%d}T12:00"
