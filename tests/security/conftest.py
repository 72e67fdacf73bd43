"""Fixtures of the security tests."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from flows.twilio.sandbox.server import Sandbox
from tests.security.places import SampleSite


@pytest.fixture
def site(sandbox: Sandbox, person: Callable[..., User], settings: Settings) -> SampleSite:
    settings.EMAIL_IS_CONFIGURED = True
    return SampleSite(sandbox, person).populate()
