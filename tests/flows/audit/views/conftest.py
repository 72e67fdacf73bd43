"""The clock of the tests of the log's days."""

from datetime import timedelta
from unittest import mock

import pytest

from tests.flows.audit.views.logged_days import NOON


@pytest.fixture
def at():
    """Return a context manager that sets the time to some days before a fixed noon."""

    def set_time(days=0):
        moment = NOON - timedelta(days=days)
        return mock.patch("django.utils.timezone.now", return_value=moment)

    with set_time():
        yield set_time
