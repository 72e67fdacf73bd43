import pytest

from flows.audit.audit_log import Actor


@pytest.fixture
def operator_actor(person):
    user = person("operator")
    return Actor(id=str(user.pk), label="operator", role="operator", source_ip="192.0.2.7")
