"""The worker's sweep of change requests, and the verification of policies and requests."""

import threading
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.utils import timezone

from flows.approvals import requests, sweep, validity
from flows.approvals.models import ChangePolicy, ChangeRequest
from flows.approvals.request_status import RequestStatus
from flows.approvals.terms import Terms
from flows.audit.verification import verify
from flows.core.worker_thread import start_thread
from tests import ACCOUNT
from tests.flows.approvals.acting import (
    actor_of,
    apply,
    approve,
    current,
    event_actions,
    set_policy,
)
from tests.patience import HANG_TIMEOUT

pytestmark = pytest.mark.django_db(transaction=True)


def test_worker_expires_a_request_without_any_sync(request_):
    late = timezone.now() - validity.REQUEST_LIFETIME - timedelta(minutes=1)
    ChangeRequest.objects.update(submitted_at=late)
    call_command("db_worker", batch=True, interval=0, startup_delay=False, verbosity=0)
    assert current(request_).status == RequestStatus.EXPIRED
    assert event_actions(request_)[-1] == "request.expire"


def test_thread_reviews_at_its_start(request_):
    late = timezone.now() - validity.REQUEST_LIFETIME - timedelta(minutes=1)
    ChangeRequest.objects.update(submitted_at=late)
    reviewed = threading.Event()

    def review_once():
        sweep.run_once()
        reviewed.set()

    stop = start_thread("reviewing", 3600, review_once)
    assert reviewed.wait(HANG_TIMEOUT)
    stop.set()
    for thread in threading.enumerate():
        if thread.name == "reviewing":
            thread.join(HANG_TIMEOUT)
    assert current(request_).status == RequestStatus.EXPIRED


def test_verification_finds_no_fault_in_the_life_of_a_request(request_, ana, omar, adam):
    approve(request_, ana)
    requests.comment_on(request_.pk, actor=actor_of(adam), comment="Fine")
    apply(request_, omar)
    set_policy(Terms())
    assert not verify().table_faults


@pytest.mark.parametrize("status", [RequestStatus.APPROVED, RequestStatus.REJECTED])
def test_verification_finds_a_status_that_was_rewritten(request_, adam, status):
    requests.comment_on(request_.pk, actor=actor_of(adam), comment="Fine")
    ChangeRequest.objects.update(status=status)
    faults = verify().table_faults
    assert list(faults) == [f"Change request {request_.pk} has the wrong status {status}."]


def test_verification_finds_a_request_that_was_deleted(request_):
    ChangeRequest.objects.all().delete()
    assert list(verify().table_faults) == [f"Change request {request_.pk} is in the log only."]


def test_verification_finds_a_policy_that_was_deleted(request_):
    ChangePolicy.objects.all().delete()
    expected = f"The policy of account {ACCOUNT} is not the one in the log."
    assert list(verify().table_faults) == [expected]
