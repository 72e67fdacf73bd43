"""Troubles that the sandbox can't play alone: of the client, of the database, and of other people at Twilio."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from django.db import connection, connections

from flows.twilio.client import FlexClient
from tests.faults import acting

if TYPE_CHECKING:
    from tests.faults.matrix.play import Run


def use_wrong_key(client: FlexClient) -> None:
    client._auth = type(client._auth)("SK" + "0" * 32, "wrong")


def use_closed_port(client: FlexClient) -> None:
    client.base_url = "http://127.0.0.1:9/v1"


class _ExhaustedRates:
    """Rates within which no turn is left."""

    def book(self, account_sid: str, operation: str, *, patience: float) -> float | None:
        return None


def exhaust_rates(client: FlexClient) -> None:
    """Somebody else has had every turn of this hour."""
    client._rate_limits, client._rates = True, _ExhaustedRates()


@contextmanager
def take_identity(run: Run) -> Iterator[None]:
    """Another flow that is on has the channel and the identity that this one is to be on with."""
    place = {
        name: run.values.get(name) or run.before[name]
        for name in ("channel_type", "contact_identity")
    }
    sid = run.sandbox.add_flow(**place, enabled=True)
    run.values["enabled"] = True
    if run.sid:
        run.sandbox.edit_flow(run.sid, enabled=False)
    try:
        yield
    finally:
        run.sandbox.remove_flow(sid)


@contextmanager
def delete_before_write(run: Run) -> Iterator[None]:
    """Somebody deletes the flow at Twilio between its reading and the call."""
    run.witness.on_write = lambda: run.sandbox.remove_flow(run.sid)
    yield


def fail_inserts(table: str) -> Callable[[Run], AbstractContextManager[None]]:
    return lambda _run: acting.failing_inserts(f"flows_{table}")


def fail_stage(stage: str) -> Callable[[Run], AbstractContextManager[None]]:
    return lambda _run: acting.failing_inserts("flows_auditevent", f"NEW.stage = '{stage}'")


def lock_log(_run: Run) -> AbstractContextManager[None]:
    return acting.locked_log()


def make_read_only(_run: Run) -> AbstractContextManager[None]:
    return acting.read_only_database()


@contextmanager
def disconnect_database(run: Run) -> Iterator[None]:
    """The database ends this process's connection while the call is at Twilio."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()

    def end() -> None:
        with connections["default"].cursor() as other:  # the sandbox's own thread's
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        connections.close_all()

    run.witness.on_write = end
    try:
        yield
    finally:
        connection.close()
