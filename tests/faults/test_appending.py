"""Eight processes append to one log through the services: attempts, outcomes and drift."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows.audit import verification
from flows.audit.models import AuditEvent, OpenChange, OpenDrift
from tests.faults.acting import database_url
from tests.patience import HANG_TIMEOUT

PROCESSES, ROUNDS, EVENTS_A_ROUND = 8, 8, 5
COMMAND = [sys.executable, "-m", "tests.faults.appender", str(ROUNDS), "changes"]


@pytest.fixture
def appenders():
    """Processes that wait for the signal to start."""
    running = [
        subprocess.Popen(
            COMMAND,
            cwd=Path(__file__).resolve().parents[2],
            env={**os.environ, "DATABASE_URL": database_url()},
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(PROCESSES)
    ]
    try:
        assert [process.stdout.readline() for process in running] == ["ready\n"] * PROCESSES
        yield running
    finally:
        for process in running:
            process.kill()
            process.communicate()


@pytest.mark.django_db(transaction=True)
def test_eight_processes_write_one_log_without_a_gap(appenders):
    for _ in range(ROUNDS):
        for process in appenders:
            process.stdin.write("go\n")
            process.stdin.flush()
        assert [process.stdout.readline() for process in appenders] == ["written\n"] * PROCESSES
    errors = [process.communicate(timeout=HANG_TIMEOUT)[1] for process in appenders]

    assert errors == [""] * PROCESSES
    assert [process.returncode for process in appenders] == [0] * PROCESSES
    verdict = verification.verify()
    assert (verdict.events, verdict.bad_seq) == (PROCESSES * ROUNDS * EVENTS_A_ROUND, None)
    events = list(AuditEvent.objects.order_by("seq"))
    a_round = PROCESSES * EVENTS_A_ROUND
    for start in range(0, len(events), a_round):
        assert (
            len({event.target_sid[:10] for event in events[start : start + a_round]}) == PROCESSES
        )
    assert [
        event.stage for event in events if event.actor_id == events[0].actor_id and event.actor_id
    ] == [
        "attempt",
        "outcome",
    ] * ROUNDS
    assert not OpenChange.objects.exists()
    assert OpenDrift.objects.count() == PROCESSES * ROUNDS * 3
