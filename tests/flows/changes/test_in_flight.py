"""The register of open changes: a flow takes one change at a time."""

from datetime import timedelta
from unittest import mock

import pytest
from django.utils import timezone

from flows.audit import audit_log
from flows.audit.models import AuditEvent
from flows.changes import in_flight
from flows.changes.in_flight import ConcurrentChange
from tests.faults.acting import assert_chain_intact
from tests.flows.audit.appending import SID, append, attempt


@pytest.mark.django_db
def test_attempt_is_refused_while_the_flow_has_an_open_change():
    other = attempt(target_sid=SID)

    with pytest.raises(ConcurrentChange) as raised:
        attempt(target_sid=SID)

    assert raised.value.event == other
    assert_chain_intact(1)


@pytest.mark.django_db
@pytest.mark.parametrize(("stage", "result"), [
    ("outcome", "succeeded"), ("outcome", "failed"), ("reconciled", "applied"), ("reconciled", "not_applied"),
])  # fmt: skip
def test_attempt_after_a_resolved_change(stage, result):
    append(stage=stage, result=result, change_id=attempt(target_sid=SID).change_id, target_sid=SID)

    attempt(target_sid=SID)

    assert_chain_intact(3)


@pytest.mark.django_db
def test_attempt_after_an_unknown_outcome_is_refused_until_it_is_resolved():
    change_id = attempt(target_sid=SID).change_id
    unknown = append(stage="outcome", result="unknown", change_id=change_id, target_sid=SID)

    with pytest.raises(ConcurrentChange) as raised:
        attempt(target_sid=SID)

    assert raised.value.event == unknown
    append(stage="reconciled", result="not_applied", change_id=change_id, target_sid=SID)
    attempt(target_sid=SID)
    assert_chain_intact(4)


@pytest.mark.django_db
def test_attempt_with_an_open_change_of_another_flow():
    attempt(target_sid=SID)

    attempt(target_sid="FO" + "2" * 32)
    attempt(action="flow.create")
    attempt(action="flow.create")

    assert_chain_intact(4)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "age", [timedelta(seconds=59), timedelta(seconds=61), timedelta(days=400)], ids=str
)
def test_attempt_is_refused_however_old_the_attempt_of_a_dead_process_is(age):
    with mock.patch("django.utils.timezone.now", return_value=timezone.now() - age):
        stale_attempt = attempt(target_sid=SID)

    with pytest.raises(ConcurrentChange) as raised:
        attempt(target_sid=SID)

    assert raised.value.event == stale_attempt
    assert list(in_flight.pending_attempts()) == [stale_attempt]


@pytest.mark.django_db
def test_attempt_is_refused_if_the_flow_was_changed_since_the_read():
    read_seq = audit_log.last_seq()
    change_id = attempt(target_sid=SID).change_id
    other = append(stage="outcome", result="succeeded", change_id=change_id, target_sid=SID)

    with pytest.raises(ConcurrentChange) as raised:
        attempt(target_sid=SID, read_seq=read_seq)

    assert raised.value.event == other
    attempt(target_sid=SID, read_seq=audit_log.last_seq())


@pytest.mark.django_db
def test_attempt_after_accesses_and_observations_since_the_read():
    read_seq = audit_log.last_seq()
    append(stage="access", target_sid=SID)
    append(stage="observed", target_sid=SID)

    attempt(target_sid=SID, read_seq=read_seq)

    assert AuditEvent.objects.count() == 3
    assert_chain_intact()
