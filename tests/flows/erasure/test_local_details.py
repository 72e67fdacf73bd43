"""Erasure of owners, tags and notes that have the data of a flow or of a contact identity."""

import pytest

from flows.audit import verification
from flows.audit.models import AuditEvent
from flows.erasure import erasure
from flows.local_details.fields import Details
from flows.local_details.models import LocalDetails
from flows.local_details.reading import load_details
from flows.mirror.sync import sync_account
from tests import ACCOUNT
from tests.faults.acting import OMAR
from tests.flows.local_details.changing import set_details

pytestmark = pytest.mark.django_db(transaction=True)
NUMBER = "+33199000123"  # of the fixture's flow
SPELLING = "+33 199 000 123"


@pytest.fixture
def other_sid(sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Other", contact_identity="+4930111111")
    sync_account(ACCOUNT)
    return sid


@pytest.mark.parametrize("by", ["sid", "identity"])
def test_details_of_the_erased_flow_are_deleted_and_their_events_emptied(flow_sid, other_sid, by):
    set_details(flow_sid, owner="Claims", tags=["vip"], note="Ring Ada first")
    set_details(other_sid, owner="Claims", tags=["vip"], note="Ring Ada first")

    erasure.erase(actor=OMAR, **{by: flow_sid if by == "sid" else NUMBER})

    assert list(LocalDetails.objects.values_list("sid", flat=True)) == [other_sid]
    events = AuditEvent.objects.filter(action="flow.details").order_by("seq")
    assert [bool(event.payload.erased_at) for event in events] == [True, False]
    assert verification.verify().bad_seq is None


def test_mentions_in_the_details_of_other_flows_are_removed(flow_sid, other_sid):
    set_details(
        other_sid, owner=f"Team {SPELLING}", tags=[NUMBER, "vip"], note=f"Failover of {SPELLING}"
    )

    erasure.erase(actor=OMAR, identity=NUMBER)

    assert load_details(other_sid) == Details(tags=("vip",))
    assert LocalDetails.objects.get().owner_folded == ""
    assert AuditEvent.objects.get(action="flow.details").payload.erased_at


def test_owner_and_tag_with_the_name_of_an_erased_flow_stay(sandbox, flow_sid):
    sid = sandbox.add_flow(friendly_name="Claims", contact_identity="+4930111112")
    sync_account(ACCOUNT)
    set_details(flow_sid, owner="Claims", tags=["claims"])

    erasure.erase(actor=OMAR, sid=sid)

    assert load_details(flow_sid) == Details("Claims", ("claims",))
