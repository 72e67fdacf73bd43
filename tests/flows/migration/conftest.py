import pytest

from flows.audit.audit_log import Actor


@pytest.fixture
def operator_user(person):
    return person("operator")


@pytest.fixture
def operator_actor(operator_user):
    return Actor(id=str(operator_user.pk), label="operator", role="operator", source_ip="192.0.2.7")
