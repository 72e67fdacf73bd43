"""One change on its way to Twilio: its transactions."""

import uuid

import pytest
from django.db import connection

from flows.audit.models import AuditEvent, OpenChange, Result
from flows.changes.attempt import ChangeAttempt
from flows.changes.in_flight import ConcurrentChange
from flows.twilio.errors import NotSent, OutcomeUnknown
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests import ACCOUNT
from tests.faults.acting import OMAR, assert_chain_intact, own_stages


def make_attempt(**overrides):
    return ChangeAttempt(**{
        "resource": FLEX_FLOW, "operation": "create", "account_sid": ACCOUNT, "actor": OMAR, "change_id": uuid.uuid4(),
        "reason": "", "requested": {"friendly_name": "Bookings"}, **overrides,
    })  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_attempt_is_committed_and_nothing_is_locked_while_the_change_is_sent():
    in_transaction, stages = [], []

    def send():
        in_transaction.append(connection.in_atomic_block)
        stages.extend(own_stages())
        raise NotSent("no connection")

    change = make_attempt().execute(send)

    assert (in_transaction, stages) == ([False], [("attempt", "pending")])
    assert change.event.result == Result.FAILED
    assert not OpenChange.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_attempt_that_meets_an_open_change_leaves_nothing_in_the_log():
    def lose_response():
        raise OutcomeUnknown("no response")

    unknown = make_attempt().execute(lose_response).event

    with pytest.raises(ConcurrentChange) as raised:
        make_attempt().execute(lose_response)

    assert raised.value.event == unknown
    assert OpenChange.objects.get().latest == unknown
    assert AuditEvent.objects.count() == 2
    assert_chain_intact(2)
