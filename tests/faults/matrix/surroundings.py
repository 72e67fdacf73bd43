"""Faults that the sandbox can't play alone: of the client, the database and other users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING

from django.db import connection, connections

from flows.twilio.client import ResourceClient
from tests.faults import acting

if TYPE_CHECKING:
    from tests.faults.matrix.play import Run


def use_wrong_key(client: ResourceClient) -> None:
    client._auth = type(client._auth)("SK" + "0" * 32, "wrong")


def use_closed_port(client: ResourceClient) -> None:
    client.base_url = "http://127.0.0.1:9/v1"


class _ExhaustedRates:
    """Rate limits without a free slot."""

    def book(self, account_sid: str, operation: str, *, patience: float) -> float | None:
        return None


def exhaust_rates(client: ResourceClient) -> None:
    """Use up the calls of this hour."""
    client._rate_limits, client._rates = True, _ExhaustedRates()


@contextmanager
def take_identity(run: Run) -> Iterator[None]:
    """Create another enabled flow with the channel and identity of this one."""
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
    """Delete the flow at Twilio between its read and the call."""
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
    """End this process's database connection during the call to Twilio."""
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
