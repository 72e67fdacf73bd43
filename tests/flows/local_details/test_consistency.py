"""Verifications compare owners, tags and notes with the log."""

import pytest

from flows.audit import consistency
from flows.erasure import erasure
from flows.local_details.models import FlowTag, LocalDetails
from tests.faults.acting import OMAR
from tests.flows.local_details.changing import set_details

pytestmark = pytest.mark.django_db(transaction=True)


def differences(sid):
    sentence = f"The owner, tags or note of flow {sid} differ from the log."
    return consistency.violations().count(sentence)


@pytest.fixture
def sid(flow_sid):
    set_details(flow_sid, owner="Claims", tags=["vip"], note="Ring first")
    set_details(flow_sid, owner="Sales")
    return flow_sid


def test_details_as_the_log_has_them_are_no_violation(sid):
    set_details(sid, owner="", tags=[], note="")

    assert consistency.violations() == []


@pytest.mark.parametrize(
    "tamper",
    [
        lambda: LocalDetails.objects.update(owner="Claims"),
        lambda: LocalDetails.objects.update(note=""),
        lambda: FlowTag.objects.all().delete(),
        lambda: LocalDetails.objects.all().delete(),
    ],
    ids=["owner", "note", "tag", "row"],
)
def test_altered_details_are_found(sid, tamper):
    tamper()

    assert differences(sid) == 1


def test_details_that_no_event_explains_are_found(flow_sid):
    LocalDetails.objects.create(sid=flow_sid, account_sid="AC1", owner="Claims")

    assert differences(flow_sid) == 1


def test_erased_details_are_no_violation(sandbox, sid):
    erasure.erase(actor=OMAR, sid=sid)

    assert consistency.violations() == []
