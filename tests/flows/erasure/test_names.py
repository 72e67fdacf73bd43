"""An erasure removes the names of numbers and senders that have the identity, and no others."""

import pytest
from django.utils import timezone

from flows.erasure import erasure
from flows.names.models import ResourceName
from tests import ACCOUNT
from tests.flows.erasure.recorded_data import NUMBER

pytestmark = pytest.mark.django_db


def add_name(sid, **fields):
    ResourceName.objects.create(account_sid=ACCOUNT, sid=sid, changed_at=timezone.now(), **fields)


@pytest.fixture
def _names():
    add_name("PN1", resource="phone_number", name="Praxis", reference=NUMBER)
    add_name("XE1", resource="whatsapp_sender", name="", reference=f"whatsapp:{NUMBER}")
    add_name("FW1", resource="studio_flow", name=f"IVR {NUMBER}")
    add_name("FW2", resource="studio_flow", name="Réclamations Lyon")
    add_name("PN2", resource="phone_number", name="+331990001234", reference="+331990001234")


@pytest.mark.usefixtures("_names")
@pytest.mark.parametrize("by", ["identity", "sid"])
def test_names_with_the_identity_are_removed(flow_sid, actor, by):
    erasure.erase(actor=actor, **({"identity": NUMBER} if by == "identity" else {"sid": flow_sid}))

    assert set(ResourceName.objects.values_list("sid", flat=True)) == {"FW2", "PN2"}
