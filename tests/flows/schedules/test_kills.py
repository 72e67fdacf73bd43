"""A worker that dies at any statement: the schedule runs once all the same, or is suspended.

The statement of the database at which it dies is chosen, and all later ones fail too, so that no
handler of the dying process tidies up. `SCHEDULE_KILL_STEP` is the distance between two such
statements; 1 tries each.
"""

import os
from contextlib import contextmanager

import pytest
from django.db import connection

from flows.audit.verification import verify
from flows.changes import reconcile
from flows.mirror.sync import sync_account
from flows.schedules import running
from flows.schedules.models import Schedule
from flows.schedules.schedule_status import ScheduleStatus
from tests import ACCOUNT
from tests.faults.acting import clock_ahead
from tests.flows.schedules.scheduling import Clock, schedule_switch

pytestmark = pytest.mark.django_db(transaction=True)

STEP = int(os.environ.get("SCHEDULE_KILL_STEP", "5"))
MAX_STATEMENTS = 400


class Killed(BaseException):
    """The process ended here."""


@contextmanager
def killed_at(statement: int):
    """Let the process die at a statement. Yields the number of statements that were executed."""
    counted = [0]

    def count(execute, sql, params, many, context):
        counted[0] += 1
        if counted[0] >= statement:
            raise Killed
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        yield counted


def run_and_die(clock, statement):
    """Run what is due. Return False if it ended before it reached this statement."""
    try:
        with killed_at(statement):
            running.run_due(clock)
    except Killed:
        connection.close()
        return True
    return False


def restart_after_a_while(clock):
    """Look again after the restart, and find the outcome of what the dead worker had begun."""
    clock.advance(minutes=1)
    running.run_due(clock)
    for minutes in (12, 14):  # "not applied" takes two reads
        with clock_ahead(minutes):
            reconcile.reconcile()
            running.run_due(clock)


def test_a_worker_that_dies_at_any_statement_runs_it_once_or_says_that_it_didnt(
    sandbox, omar, person
):
    fates = set()
    statement = 1
    while statement < MAX_STATEMENTS:
        sid = sandbox.add_flow(enabled=True)
        sync_account(ACCOUNT)
        clock = Clock()
        schedule = schedule_switch(omar, sid, clock)
        clock.advance(hours=1)

        died = run_and_die(clock, statement)
        restart_after_a_while(clock)

        ended = Schedule.objects.get(pk=schedule.pk)
        writes = [
            one for one in sandbox.requests if one.method == "POST" and one.path.endswith(sid)
        ]
        is_off = sandbox.flows[sid]["enabled"] is False
        assert (ended.status, len(writes), is_off) in (
            (ScheduleStatus.DONE, 1, True),
            (ScheduleStatus.SUSPENDED, 0, False),
        ), f"killed at statement {statement}"
        fates.add(ended.status)
        if not died:
            break
        statement += STEP
    assert 40 < statement < MAX_STATEMENTS
    assert fates == {ScheduleStatus.DONE, ScheduleStatus.SUSPENDED}
    assert verify().bad_seq is None


def test_two_workers_in_turn_run_it_once(sandbox, flow_sid, omar, clock):
    """The second worker runs to its end at each statement of the first that can be interrupted."""
    schedule_switch(omar, flow_sid, clock)
    clock.advance(hours=1)
    looks = []

    def clock_of_the_first():
        if len(looks) < 20:
            looks.append(connection.in_atomic_block)
            if not connection.in_atomic_block:
                running.run_due(clock)
        return clock()

    running.run_due(clock_of_the_first)

    assert Schedule.objects.get().status == ScheduleStatus.DONE
    assert len([one for one in sandbox.requests if one.method == "POST"]) == 1
