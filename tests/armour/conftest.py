"""What the tests of the armour share."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from flows.twilio.sandbox.server import Sandbox
from tests.armour.places import SampleSite


@pytest.fixture
def world(sandbox: Sandbox, person: Callable[..., User]) -> SampleSite:
    return SampleSite(sandbox, person).populate()
