"""Fixtures of the security tests."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from flows.twilio.sandbox.server import Sandbox
from tests.security.places import SampleSite


@pytest.fixture
def site(sandbox: Sandbox, person: Callable[..., User]) -> SampleSite:
    return SampleSite(sandbox, person).populate()
