"""The heartbeat of workers, and the command that starts it."""

import threading
from datetime import timedelta
from functools import partial

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import DatabaseError
from django.utils import timezone
from django_tasks_db.management.commands.db_worker import Worker

from flexadmin.ops import worker_heartbeat
from flows.approvals import sweep
from flows.notifications import worker as notifications
from flows.schedules import worker as schedules
from tests.patience import HANG_TIMEOUT

pytestmark = pytest.mark.django_db


def test_heartbeat_is_remembered_and_overdue_after_two_minutes():
    assert worker_heartbeat.last_heartbeat() is None

    worker_heartbeat.record()

    heartbeat = worker_heartbeat.last_heartbeat()
    assert not worker_heartbeat.is_overdue(heartbeat)
    assert worker_heartbeat.is_overdue(timezone.now() - timedelta(minutes=2, seconds=1))


def test_failing_database_does_not_end_the_heartbeat(monkeypatch):
    def fail(*_args, **_kwargs):
        raise DatabaseError("locked")

    monkeypatch.setattr(cache, "set", fail)

    worker_heartbeat.record()


def test_thread_beats_until_it_is_stopped_or_the_process_ends(monkeypatch):
    has_beaten = threading.Event()
    monkeypatch.setattr(worker_heartbeat, "record", has_beaten.set)
    monkeypatch.setattr(worker_heartbeat, "close_old_connections", lambda: None)

    stop = worker_heartbeat.start()

    assert has_beaten.wait(HANG_TIMEOUT)
    (thread,) = (one for one in threading.enumerate() if one.name == "worker-heartbeat")
    assert thread.daemon
    stop.set()
    thread.join(HANG_TIMEOUT)
    assert not thread.is_alive()


@pytest.mark.parametrize(("batch", "starts"), [(False, 1), (True, 0)])
def test_only_a_worker_that_stays_has_a_heartbeat(monkeypatch, batch, starts):
    calls = []
    monkeypatch.setattr(worker_heartbeat, "start", lambda: calls.append("start"))
    workers = {"requests": sweep, "schedules": schedules, "notifications": notifications}
    for name, worker in workers.items():
        monkeypatch.setattr(worker, "start", partial(calls.append, f"start {name}"))
        monkeypatch.setattr(worker, "run_once", partial(calls.append, f"{name} once"))
    monkeypatch.setattr(Worker, "run", lambda _self: calls.append("run"))
    monkeypatch.setattr(Worker, "configure_signals", lambda _self: None)

    call_command("db_worker", batch=batch, verbosity=0)

    in_background = ["start", *(f"start {name}" for name in workers), "run"]
    assert calls == (in_background if starts else ["run", *(f"{name} once" for name in workers)])
