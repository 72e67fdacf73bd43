"""Users, and a change request under a policy."""

import pytest

from tests.flows.approvals.acting import ANY, request_rename, set_policy


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
def request_(flow_sid, omar, ana):
    """A request of Omar's to rename a flow, under a policy of one approval."""
    set_policy(ANY)
    return request_rename(omar, flow_sid)
