"""The next turn within Twilio's rates, and the rate limiter of one process."""

import pytest

from flows.twilio.rates import (
    CALLS_PER_SECOND,
    MAX_BOOKING_AHEAD,
    SLOT_SECONDS,
    LocalRateLimiter,
    next_turn,
)
from tests.data import FACTS


def test_rates_are_twilios():
    assert FACTS["rates"] == CALLS_PER_SECOND


def turns(places, count, *, current_time=100.0, patience=1000.0):
    free_at, waits = [], []
    for _ in range(count):
        booking = next_turn(free_at, places, current_time=current_time, patience=patience)
        waits.append(booking.wait)
        free_at = booking.free_at
    return waits


@pytest.mark.parametrize("places", [1, 2, 10])
def test_no_second_has_more_turns_than_slots(places):
    waits = turns(places, 5 * places)

    assert waits[:places] == [0.0] * places
    for at in range(len(waits) - places):
        assert waits[at + places] - waits[at] >= SLOT_SECONDS - 1e-9 > 1.0


def test_turn_beyond_the_patience_is_not_booked():
    free_at = [101.0, 102.0]

    assert next_turn(free_at, 2, current_time=100.0, patience=0.9) is None
    booking = next_turn(free_at, 2, current_time=100.0, patience=1.0)
    assert (booking.wait, booking.free_at) == (1.0, [101.0 + SLOT_SECONDS, 102.0][::-1])


def test_slot_that_was_free_for_long_gives_one_turn():
    assert next_turn([1.0], 1, current_time=100.0, patience=0).free_at == [100.0 + SLOT_SECONDS]


def test_slot_booked_too_far_ahead_is_free():
    """Otherwise a clock that was set back, or an old backup, would block all calls until then."""
    booking = next_turn([100.0 + MAX_BOOKING_AHEAD + 1, 3e12], 2, current_time=100.0, patience=0)

    assert (booking.wait, booking.free_at) == (0.0, [0.0, 100.0 + SLOT_SECONDS])


@pytest.mark.parametrize("free_at", [[], [99.0], [99.0, 99.0, 99.0]])
def test_number_of_slots_follows_the_rate(free_at):
    assert len(next_turn(free_at, 2, current_time=100.0, patience=0).free_at) == 2


def test_rates_are_per_account_and_operation():
    clock = [50.0]
    rates = LocalRateLimiter(clock=lambda: clock[0])

    assert rates.book("AC1", "update", patience=0) == 0.0
    assert rates.book("AC1", "update", patience=0.5) is None
    assert rates.book("AC2", "update", patience=0) == 0.0
    assert rates.book("AC1", "delete", patience=0) == 0.0
    clock[0] += SLOT_SECONDS
    assert rates.book("AC1", "update", patience=0) == 0.0


def test_page_reads_do_not_starve_a_change():
    """A change waits not much longer than a page's patience, however many pages are read."""
    rates = LocalRateLimiter(clock=lambda: 100.0)
    pages = [rates.book("AC1", "fetch", patience=1.0) for _ in range(500)]

    changes = [rates.book("AC1", "fetch", patience=15.0) for _ in range(3)]

    assert sum(wait is not None for wait in pages) == CALLS_PER_SECOND["fetch"]
    assert max(changes) <= 1.0 + 2 * SLOT_SECONDS
