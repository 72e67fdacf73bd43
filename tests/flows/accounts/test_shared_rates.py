"""Rate limits that several processes share through the database.

Each `DatabaseRateLimiter` here stands for one process.
"""

import json
import time
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from flows.accounts import shared_rates
from flows.accounts.models import RateLimit
from flows.accounts.shared_rates import DatabaseRateLimiter
from flows.twilio.rates import SLOT_SECONDS
from tests.faults.acting import BackgroundCall, locked_log, run_concurrently, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
AC = "AC" + "5a" * 16


class FallbackLimiter:
    """A limiter for a failing database, which records the bookings."""

    def __init__(self):
        self.bookings = []

    def book(self, account_sid, operation, *, patience):
        self.bookings.append((account_sid, operation, patience))
        return 0.125


@pytest.fixture
def process():
    """A factory of the limiters of processes, which are closed after the test."""
    limiters = []

    def make_limiter():
        limiters.append(DatabaseRateLimiter(fallback=FallbackLimiter()))
        return limiters[-1]

    yield make_limiter
    for limiter in limiters:
        limiter.close()
        assert limiter._connection is None


def is_now(wait):
    """Return True for a turn at the time of the booking, which took some time itself."""
    return -5 < wait <= 0


def book(limiter, operation, *, patience=30.0):
    """Book a turn without the fallback."""
    wait = limiter.book(AC, operation, patience=patience)
    assert limiter._fallback.bookings == []
    return wait


def test_processes_have_separate_turns(process):
    limiter, other = process(), process()

    assert is_now(book(limiter, "update"))
    assert (
        SLOT_SECONDS - 1 < book(other, "update") < SLOT_SECONDS + 0.01
    )  # the row has rounded times
    assert book(limiter, "update", patience=0.5) is None
    assert book(other, "update") > SLOT_SECONDS


def test_operations_and_accounts_have_separate_turns(process):
    limiter = process()
    book(limiter, "update")

    assert is_now(book(limiter, "delete"))
    assert is_now(limiter.book("AC" + "0e" * 16, "update", patience=0))


def test_concurrent_bookings_have_separate_turns(process):
    processes = [process() for _ in range(4)]
    started_at = time.time()

    waits = run_concurrently(
        *(lambda limiter=limiter: book(limiter, "fetch") for limiter in processes for _ in range(6))
    )

    assert len(waits) == 24
    assert None not in waits
    free_at = json.loads(RateLimit.objects.get(account_sid=AC, operation="fetch").free_at)
    # Two slots with twelve turns each.
    assert all(at >= started_at + 12 * SLOT_SECONDS - 0.01 for at in free_at)
    assert max(free_at) <= time.time() + 13 * SLOT_SECONDS


def test_booking_does_not_wait_for_the_threads_own_transaction(process):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer: see the test of a locked database")
    limiter = process()
    with transaction.atomic():
        assert is_now(book(limiter, "update"))
        transaction.set_rollback(True)

    assert book(process(), "update") > 0


def test_malformed_slots_are_free(process):
    RateLimit.objects.create(account_sid=AC, operation="fetch", free_at='["soon", {}]')

    assert is_now(book(process(), "fetch"))


def test_clock_that_was_set_back_does_not_block_calls(process):
    RateLimit.objects.create(
        account_sid=AC, operation="fetch", free_at=json.dumps([time.time() + 9999] * 2)
    )

    assert is_now(book(process(), "fetch", patience=0))


def rename_table(name, new_name):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {name} RENAME TO {new_name}")


def test_process_limits_its_own_calls_if_the_table_is_missing(process, monkeypatch, caplog):
    limiter = process()
    rename_table("flows_ratelimit", "renamed")
    try:
        waits = [limiter.book(AC, "fetch", patience=3.0) for _ in range(3)]
    finally:
        rename_table("renamed", "flows_ratelimit")

    assert waits == [0.125] * 3
    assert limiter._fallback.bookings == [(AC, "fetch", 3.0)] * 3
    warnings = [
        record.message for record in caplog.records if record.name == "flows.accounts.shared_rates"
    ]
    assert len(warnings) == 1
    assert "this process keeps to them by itself" in warnings[0]
    monkeypatch.setattr(shared_rates, "RETRY_DELAY", 0.0)
    assert is_now(limiter.book(AC, "fetch", patience=0))
    assert len(limiter._fallback.bookings) == 3


def test_booking_does_not_wait_for_a_long_write(process):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows only")
    limiter = process()
    book(limiter, "fetch")

    with locked_log():
        started_at = time.monotonic()
        assert limiter.book(AC, "fetch", patience=3.0) == 0.125
        waited = time.monotonic() - started_at

    assert waited < connection.settings_dict["OPTIONS"]["timeout"]  # of the site's own queries


def test_booking_does_not_wait_for_a_locked_row(process):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite locks all of it")
    limiter = process()
    book(limiter, "fetch")

    with transaction.atomic():
        RateLimit.objects.select_for_update().get()
        assert limiter.book(AC, "fetch", patience=3.0) == 0.125


def test_connection_is_reopened_after_a_restart_of_the_server(process):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no connection to lose")
    limiter = process()
    book(limiter, "update")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert book(limiter, "update") > 0


def test_forked_process_opens_its_own_connection(process, monkeypatch):
    limiter = process()
    book(limiter, "update")
    parent_connection = limiter._connection

    with monkeypatch.context() as forked:
        forked.setattr(shared_rates, "os", SimpleNamespace(getpid=lambda: 1))
        assert book(limiter, "update") > 0

    assert limiter._connection is not parent_connection
    parent_connection.close()
    limiter.close()


@pytest.fixture
def interleave(monkeypatch):
    """Let another limiter book a turn between reading and replacing a row, for some times."""
    next_turn = shared_rates.next_turn

    def book_between(other, operation, times):
        remaining = [times]

        def next_turn_after_other(*args, **kwargs):
            if remaining[0]:
                remaining[0] -= 1
                monkeypatch.setattr(shared_rates, "next_turn", next_turn)
                other.book(AC, operation, patience=30.0)
                monkeypatch.setattr(shared_rates, "next_turn", next_turn_after_other)
            return next_turn(*args, **kwargs)

        monkeypatch.setattr(shared_rates, "next_turn", next_turn_after_other)

    return book_between


with_row_locks = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer at a time"
)


@with_row_locks
def test_turn_that_another_process_just_booked_is_not_booked_twice(process, interleave):
    limiter, other = process(), process()
    interleave(other, "update", times=1)

    assert book(limiter, "update") > 1.0
    assert book(other, "update") > 2.0


@with_row_locks
def test_process_limits_its_own_calls_if_others_are_always_faster(process, interleave, monkeypatch):
    monkeypatch.setattr(shared_rates, "MAX_ATTEMPTS", 3)
    limiter = process()
    interleave(process(), "list", times=3)

    assert limiter.book(AC, "list", patience=30.0) == 0.125


def test_turn_is_computed_after_the_wait_for_other_writers(process):
    """Otherwise the turn could be over when SQLite lets the process write."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's writers wait for the row only")
    limiter = process()
    book(limiter, "update")
    with locked_log():
        background_call = BackgroundCall(lambda: limiter.book(AC, "update", patience=30.0))
        wait_for(limiter._lock.locked)
        assert background_call.is_alive()

    assert 0.5 < background_call.outcome() < SLOT_SECONDS
    assert limiter._fallback.bookings == []
