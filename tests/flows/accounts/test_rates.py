"""Twilio's rates as several processes agree on them in the database: each `DatabaseRates` here is a
process's."""

import json
import time
from types import SimpleNamespace

import pytest
from django.db import connection, transaction

from flows.accounts import rates
from flows.accounts.models import RateLimit
from flows.accounts.rates import DatabaseRateLimiter
from flows.twilio.rates import SLOT_SECONDS
from tests.faults.acting import BackgroundCall, locked_log, run_concurrently, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
AC = "AC" + "5a" * 16


class Otherwise:
    """The rates where the database can't be asked."""

    def __init__(self):
        self.booked = []

    def book(self, account_sid, operation, *, patience):
        self.booked.append((account_sid, operation, patience))
        return 0.125


@pytest.fixture
def process():
    """Makes a process's rates."""
    made = []

    def make():
        made.append(DatabaseRateLimiter(fallback=Otherwise()))
        return made[-1]

    yield make
    for one in made:
        one.close()
        assert one._connection is None


def is_now(wait):
    """A turn at the moment of the booking, which took a while itself."""
    return -5 < wait <= 0


def booked(one, operation, *, patience=30.0):
    wait = one.book(AC, operation, patience=patience)
    assert one._fallback.booked == []
    return wait


def test_turn_that_one_process_has_is_no_others(process):
    one, other = process(), process()

    assert is_now(booked(one, "update"))
    assert (
        SLOT_SECONDS - 1 < booked(other, "update") < SLOT_SECONDS + 0.01
    )  # what stands in the row is rounded
    assert booked(one, "update", patience=0.5) is None
    assert booked(other, "update") > SLOT_SECONDS


def test_kinds_and_accounts_have_their_own(process):
    one = process()
    booked(one, "update")

    assert is_now(booked(one, "delete"))
    assert is_now(one.book("AC" + "0e" * 16, "update", patience=0))


def test_many_at_once_all_have_a_turn_of_their_own(process):
    processes = [process() for _ in range(4)]
    began = time.time()

    waits = run_concurrently(
        *(lambda one=one: booked(one, "fetch") for one in processes for _ in range(6))
    )

    assert len(waits) == 24
    assert None not in waits
    free_at = json.loads(RateLimit.objects.get(account_sid=AC, operation="fetch").free_at)
    # Two places, twelve turns of each.
    assert all(at >= began + 12 * SLOT_SECONDS - 0.01 for at in free_at)
    assert max(free_at) <= time.time() + 13 * SLOT_SECONDS


def test_booking_does_not_wait_for_a_transaction_of_the_threads_own(process):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has one writer: see the test of a locked database")
    one = process()
    with transaction.atomic():
        assert is_now(booked(one, "update"))
        transaction.set_rollback(True)

    assert booked(process(), "update") > 0


def test_places_that_can_not_be_read_are_free(process):
    RateLimit.objects.create(account_sid=AC, operation="fetch", free_at='["soon", {}]')

    assert is_now(booked(process(), "fetch"))


def test_clock_that_went_back_ends_no_calls(process):
    RateLimit.objects.create(
        account_sid=AC, operation="fetch", free_at=json.dumps([time.time() + 9999] * 2)
    )

    assert is_now(booked(process(), "fetch", patience=0))


def renamed(to, back):
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {back} RENAME TO {to}")


def test_process_keeps_to_the_rates_by_itself_where_the_table_is_not_there(
    process, monkeypatch, caplog
):
    one = process()
    renamed("elsewhere", "flows_ratelimit")
    try:
        waits = [one.book(AC, "fetch", patience=3.0) for _ in range(3)]
    finally:
        renamed("flows_ratelimit", "elsewhere")

    assert waits == [0.125] * 3
    assert one._fallback.booked == [(AC, "fetch", 3.0)] * 3
    warned = [record.message for record in caplog.records if record.name == "flows.accounts.rates"]
    assert len(warned) == 1
    assert "this process keeps to them by itself" in warned[0]
    monkeypatch.setattr(rates, "RETRY_DELAY", 0.0)
    assert is_now(one.book(AC, "fetch", patience=0))
    assert len(one._fallback.booked) == 3


def test_read_does_not_wait_for_a_database_that_somebody_writes_for_long(process):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL locks rows, and nobody keeps one of these")
    one = process()
    booked(one, "fetch")

    with locked_log():
        began = time.monotonic()
        assert one.book(AC, "fetch", patience=3.0) == 0.125
        waited = time.monotonic() - began

    assert waited < 5  # the site's own patience with its database is ten


def test_row_that_somebody_keeps_locked_is_not_waited_for(process):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite locks all of it")
    one = process()
    booked(one, "fetch")

    with transaction.atomic():
        RateLimit.objects.select_for_update().get()
        assert one.book(AC, "fetch", patience=3.0) == 0.125


def test_server_that_was_restarted_is_asked_again(process):
    if connection.vendor == "sqlite":
        pytest.skip("SQLite has no connection to lose")
    one = process()
    booked(one, "update")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    assert booked(one, "update") > 0


def test_process_that_is_forked_makes_a_connection_of_its_own(process, monkeypatch):
    one = process()
    booked(one, "update")
    parents = one._connection

    with monkeypatch.context() as forked:
        forked.setattr(rates, "os", SimpleNamespace(getpid=lambda: 1))
        assert booked(one, "update") > 0

    assert one._connection is not parents
    parents.close()
    one.close()


@pytest.fixture
def overtaken(monkeypatch):
    """Has `other` book a turn between the reading and the replacing of a row, so many times."""
    own = rates.next_turn

    def by(other, operation, times):
        left = [times]

        def after_the_other(*args, **kwargs):
            if left[0]:
                left[0] -= 1
                monkeypatch.setattr(rates, "next_turn", own)
                other.book(AC, operation, patience=30.0)
                monkeypatch.setattr(rates, "next_turn", after_the_other)
            return own(*args, **kwargs)

        monkeypatch.setattr(rates, "next_turn", after_the_other)

    return by


only_rows = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer at a time"
)


@only_rows
def test_turn_that_another_booked_a_moment_before_is_not_given_twice(process, overtaken):
    one, other = process(), process()
    overtaken(other, "update", times=1)

    assert booked(one, "update") > 1.0
    assert booked(other, "update") > 2.0


@only_rows
def test_others_that_are_faster_each_time_leave_it_to_the_process(process, overtaken, monkeypatch):
    monkeypatch.setattr(rates, "MAX_ATTEMPTS", 3)
    one = process()
    overtaken(process(), "list", times=3)

    assert one.book(AC, "list", patience=30.0) == 0.125


def test_turn_is_booked_after_the_others_that_write(process):
    """Else the wait for SQLite's one writer would be longer than the wait for the turn, which would be over then."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL's others only wait for a row")
    one = process()
    booked(one, "update")
    with locked_log():
        waiting = BackgroundCall(lambda: one.book(AC, "update", patience=30.0))
        wait_for(one._lock.locked)
        assert waiting.is_alive()

    assert 0.5 < waiting.outcome() < SLOT_SECONDS
    assert one._fallback.booked == []
