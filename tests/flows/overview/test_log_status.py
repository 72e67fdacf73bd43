"""The last verification and the last checkpoint of the log."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from flows.audit import audit_log, checkpoints, verification
from flows.overview.log_status import load_log_status
from tests.flows.audit.test_tampering import tamper

pytestmark = pytest.mark.django_db(transaction=True)


def test_empty_log_was_never_verified(django_assert_num_queries):
    with django_assert_num_queries(1):
        status = load_log_status()

    assert (status.last_seq, status.verification, status.checkpoint) == (0, None, None)
    assert not status.is_broken


def test_status_has_the_last_verification_and_checkpoint(actor, django_assert_num_queries):
    for _ in range(2):
        checkpoints.export_checkpoint(actor)
        verification.verify_and_record(actor=actor)
    audit_log.append(action="flow.export", stage="access", result="succeeded", actor=actor)

    with django_assert_num_queries(1):
        status = load_log_status()

    assert (status.last_seq, status.checkpoint.seq) == (5, 3)
    assert (status.verification.event.seq, status.verification.since) == (4, 1)
    assert not status.is_broken


def test_denied_actions_are_not_the_last_ones(actor):
    checkpoints.export_checkpoint(actor)
    verification.verify_and_record(actor=actor)
    for action in ("audit.verify", "audit.checkpoint"):
        audit_log.append(action=action, stage="access", result="denied", actor=actor)

    status = load_log_status()

    assert (status.checkpoint.seq, status.verification.event.seq) == (1, 2)


def test_violation_and_altered_verification_break_the_status(actor):
    checkpoints.export_checkpoint(actor)
    tamper("UPDATE flows_auditevent SET actor_label = 'eva' WHERE seq = 1")
    verification.verify_and_record(actor=actor)
    assert load_log_status().is_broken

    tamper("UPDATE flows_auditevent SET result = 'succeeded' WHERE seq = 2")

    assert load_log_status().is_broken


def test_query_reads_few_events_however_long_the_log_is(actor):
    audit_log.append(action="flow.export", stage="access", result="succeeded", actor=actor)

    with CaptureQueriesContext(connection) as queries:
        load_log_status()

    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + queries[0]["sql"])
            plan = " ".join(row[-1] for row in cursor.fetchall())
        assert "SCAN" not in plan, plan
