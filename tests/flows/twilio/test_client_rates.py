"""Turns of ResourceClient within the rates."""

import json
from types import SimpleNamespace

import pytest
import responses

from flows.twilio import client as client_module
from flows.twilio.client import ResourceClient
from flows.twilio.errors import NotSent
from flows.twilio.flex.flex_flow import FLEX_FLOW
from tests.flows.twilio.simulated_twilio import (
    AC,
    FLOW,
    FO,
    LIST,
    OPERATIONS,
    ROOT,
    SECRET,
    SK,
    add_response,
    every_operation,
    page,
)

# Rates


class FakeRateLimiter:
    """A rate limiter that records bookings. `wait` is the wait for each turn, None for no turn."""

    def __init__(self, wait=0.0):
        self.wait, self.booked = wait, []

    def book(self, account_sid, operation, *, patience):
        self.booked.append((account_sid, operation, patience))
        return self.wait


def client_with_rates(rates, **options):
    return ResourceClient(
        FLEX_FLOW, base_url=ROOT, account_sid=AC, auth=(SK, SECRET), rates=rates, **options
    )


@every_operation
def test_each_call_waits_for_a_turn_of_its_operation(twilio, pauses, operation):
    rates = FakeRateLimiter(wait=1.25)
    add_response(
        twilio,
        operation,
        body="" if operation == "delete" else json.dumps(page() if operation == "list" else FLOW),
    )

    OPERATIONS[operation](client_with_rates(rates, sleep=pauses.append))

    ((account, kind, patience),) = rates.booked
    assert (account, kind, pauses) == (AC, operation, [1.25])
    assert 0 < patience <= 15.0


def test_call_waits_no_longer_than_its_patience(twilio):
    rates = FakeRateLimiter()
    twilio.get(f"{LIST}/{FO}", json=FLOW)

    client_with_rates(rates, deadline=4.0, patience=1.0).fetch(FO)

    assert rates.booked == [(AC, "fetch", 1.0)]


def test_each_page_and_each_retry_books_a_turn(twilio, pauses):
    rates = FakeRateLimiter()
    twilio.add(responses.GET, LIST, status=503)
    twilio.add(responses.GET, LIST, json=page(following="?Page=1"))
    twilio.add(responses.GET, LIST, json=page())

    list(client_with_rates(rates, sleep=pauses.append).list())

    assert [kind for _, kind, _ in rates.booked] == ["list"] * 3


@every_operation
def test_nothing_is_sent_without_a_turn_in_time(twilio, pauses, operation):
    rates = FakeRateLimiter(wait=None)

    with pytest.raises(NotSent, match="not sent"):
        OPERATIONS[operation](client_with_rates(rates, sleep=pauses.append))

    assert (len(twilio.calls), len(rates.booked), pauses) == (0, 1, [])


@pytest.mark.parametrize(
    ("overslept", "turns"), [([0.0], 1), ([0.09], 1), ([0.2, 0.0], 2), ([0.2] * 9, 3)]
)
def test_call_that_misses_its_turn_books_another(twilio, monkeypatch, overslept, turns):
    rates, clock = FakeRateLimiter(wait=0.5), [100.0]

    def sleep(seconds):
        clock[0] += seconds + overslept.pop(0)

    monkeypatch.setattr(client_module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(
        client_module.ResourceClient,
        "_exchange",
        lambda *_: (_ok_response(), json.dumps(FLOW).encode()),
    )

    client_with_rates(rates, sleep=sleep).fetch(FO)

    assert len(rates.booked) == turns


def _ok_response():
    return SimpleNamespace(status_code=200, headers={})
