"""Two accounts with flows."""

import pytest

from tests.flows.copying.samples import add_flows


@pytest.fixture
def two(db, sandbox, staging):
    return add_flows(sandbox, staging)
