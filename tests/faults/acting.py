"""Helpers of the tests of the write protocol.

They make changes, run them in threads, break the audit log from outside, and check the invariants
that must hold in any case.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest import mock

from django.apps import apps
from django.db import connection, connections
from django.db.models import QuerySet
from django.utils import timezone

from flows.audit import audit_log, chain
from flows.audit.audit_log import Actor
from flows.audit.models import UNIQUE_STAGES, AuditEvent, Stage
from flows.changes import flow_changes, in_flight
from flows.changes.flow_changes import Change
from flows.mirror import mirror
from flows.twilio.sandbox.request_log import RequestRecord
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.patience import HANG_TIMEOUT

OMAR = Actor(id="7", label="omar", role="operator", source_ip="192.0.2.7", user_agent="pytest")
STUDIO_FLOW_SID = "FW" + "1" * 32
NEW_FLOW = {
    "friendly_name": "Störungsmeldung Köln",
    "chat_service_sid": "IS" + "2" * 32,
    "channel_type": "sms",
    "contact_identity": "+4923055501",
    "integration_type": "studio",
    "integration_flow_sid": STUDIO_FLOW_SID,
    "enabled": False,
    "integration_retry_count": 0,
    "long_lived": None,
}
SECRET = "canary-7f3a"
SECRET_URL = f"https://twilio:{SECRET}@hooks.example.com/in?team=care&token={SECRET}"


def change_arguments(**overrides: Any) -> dict[str, Any]:
    return {
        "account_sid": ACCOUNT,
        "reason": "because",
        "actor": OMAR,
        "change_id": uuid.uuid4(),
        **overrides,
    }


def create_flow(_sid: str = "", **overrides: Any) -> Change:
    values = {**NEW_FLOW, **overrides.pop("values", {})}
    return flow_changes.create_flow(values=values, **change_arguments(**overrides))


def rename_flow(sid: str, **overrides: Any) -> Change:
    """Rename a flow, as an operator who saw it as the mirror has it."""
    seen = mirror.Flow.objects.get(sid=sid).resource
    base, values = (
        overrides.pop("base", seen),
        overrides.pop("values", {"friendly_name": "Plaintes Lyon"}),
    )
    return flow_changes.update_flow(
        sid=sid, base=base, values=values, **change_arguments(**overrides)
    )


def switch_flow(sid: str, *, enabled: bool = False, **overrides: Any) -> Change:
    return flow_changes.set_enabled(sid=sid, enabled=enabled, **change_arguments(**overrides))


def delete_flow(sid: str, **overrides: Any) -> Change:
    base = overrides.pop("base", {"friendly_name": "Réclamations Lyon"})
    return flow_changes.delete_flow(sid=sid, base=base, **change_arguments(**overrides))


def append_attempt(sid: str, **values: Any) -> AuditEvent:
    """Append an attempt that its process never finished, or another stage of a change."""
    event_fields = {
        "action": "flow.update",
        "stage": "attempt",
        "result": "pending",
        "actor": OMAR,
        "target_sid": sid,
    }
    return append_stage(**{**event_fields, "change_id": uuid.uuid4(), **values})


def append_stage(*, read_seq: int | None = None, **fields: Any) -> AuditEvent:
    """Append an event and update the register of open changes, as the write protocol does."""
    with audit_log.transaction() as log:
        event = log.append(**fields)
        if event.stage == Stage.ATTEMPT:
            in_flight.claim(event, read_seq=read_seq)
        elif event.change_id is not None and event.stage in UNIQUE_STAGES:
            in_flight.release(event)
    return event


VERBS: dict[str, Callable[..., Change]] = {
    "create": create_flow,
    "update": rename_flow,
    "set_enabled": switch_flow,
    "delete": delete_flow,
}


def received_writes(sandbox: Sandbox) -> list[RequestRecord]:
    """Return the writes that reached Twilio."""
    return [request for request in sandbox.requests if request.method != "GET"]


def applied_writes(sandbox: Sandbox) -> list[RequestRecord]:
    return [request for request in received_writes(sandbox) if request.applied]


def own_events() -> QuerySet[AuditEvent]:
    """Return the events of our own actions in order, without drift and sign-ins."""
    return (
        AuditEvent.objects.exclude(stage="observed")
        .exclude(action__startswith="auth.")
        .order_by("seq")
    )


def drift_events() -> list[AuditEvent]:
    """Return the drift events in order."""
    return list(
        AuditEvent.objects.filter(action="flow.drift").select_related("payload").order_by("seq")
    )


def summarize_drift(event: AuditEvent) -> tuple[Any, ...]:
    """Return flow, changed fields, and the name before and after of a drift event."""
    names = [
        snapshot and snapshot["friendly_name"]
        for snapshot in (event.payload.before, event.payload.after)
    ]
    return event.target_sid, event.changed_fields, *names


def own_stages() -> list[tuple[str, str]]:
    """Return stage and result of our own events in order."""
    return list(own_events().values_list("stage", "result"))


def assert_chain_intact(count: int | None = None) -> None:
    """Check that the sequence has no gap and that every hash matches.

    `count` is the number of our own events.
    """
    previous = chain.GENESIS
    events = list(AuditEvent.objects.select_related("payload").order_by("seq"))
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    for event in events:
        assert event.previous_hash == previous
        assert chain.event_hash(event) == event.hash
        assert chain.payload_hash(event.payload) == event.payload_hash
        previous = event.hash
    assert audit_log.last_seq() == len(events)
    if count is not None:
        assert own_events().count() == count


def dump_tables() -> str:
    """Return the contents of the tables of flows as text."""
    rows = []
    with connection.cursor() as cursor:
        for model in apps.get_app_config("flows").get_models():
            cursor.execute(f"SELECT * FROM {model._meta.db_table}")
            rows.append(str(cursor.fetchall()))
    return "\n".join(rows)


def clock_ahead(minutes: float = 2) -> Any:
    """Set this site's clock ahead of Twilio's."""
    return mock.patch(
        "django.utils.timezone.now", return_value=timezone.now() + timedelta(minutes=minutes)
    )


def age_history(sandbox: Sandbox) -> None:
    """Move everything that happened at Twilio back by a year.

    No lagging read then precedes it.
    """
    history = sandbox._store._history
    moved = [(at - timedelta(days=365), number, before) for at, number, before in history]
    history.clear()
    history.extend(moved)


class BackgroundCall(threading.Thread):
    """Call in a thread of its own, with its own database connection."""

    def __init__(self, call: Callable[[], Any], after: threading.Barrier | None = None) -> None:
        super().__init__(daemon=True)
        self._call, self._after = call, after
        self.result: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            if self._after:
                self._after.wait(HANG_TIMEOUT)
            self.result = self._call()
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error
        finally:
            connections.close_all()

    def outcome(self) -> Any:
        """Wait for the end and return the result or exception."""
        self.join(HANG_TIMEOUT)
        assert not self.is_alive()
        return self.error or self.result


def wait_for(condition: Callable[[], Any], *, seconds: float = HANG_TIMEOUT) -> None:
    """Poll until the condition holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.005)


def release_until(sandbox: Sandbox, condition: Callable[[], Any]) -> None:
    """Let held requests continue until the condition holds.

    A client can give up while its request is still on its way, so one release may come too early.
    """

    def is_met() -> Any:
        sandbox.release()
        return condition()

    wait_for(is_met)


def run_concurrently(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls at the same time; return the result or exception of each."""
    barrier = threading.Barrier(len(calls))
    return [thread.outcome() for thread in [BackgroundCall(call, barrier) for call in calls]]


@contextmanager
def locked_log() -> Iterator[None]:
    """Hold the log's lock on another connection, with a short timeout for this one."""
    other = connection.copy()
    audit_log.append(
        action="test.first", stage="access", result="denied", actor=OMAR
    )  # a head to lock
    with _lock_timeout(20), other.cursor() as holder:
        if connection.vendor == "sqlite":
            holder.execute("BEGIN IMMEDIATE")
        else:
            holder.execute("BEGIN")
            holder.execute("SELECT 1 FROM flows_chainhead FOR UPDATE")
        try:
            yield
        finally:
            holder.execute("ROLLBACK")
    other.close()


@contextmanager
def _lock_timeout(milliseconds: int) -> Iterator[None]:
    """Change this connection's usual lock timeout, to which the site's own code returns."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            before = cursor.fetchone()[0]
            cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")
            try:
                yield
            finally:
                cursor.execute(f"PRAGMA busy_timeout = {before}")
        return
    usual = connection.settings_dict
    options = {**usual["OPTIONS"], "options": f"-c lock_timeout={milliseconds}"}
    connection.close()
    connection.settings_dict = {**usual, "OPTIONS": options}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = usual


@contextmanager
def read_only_database() -> Iterator[None]:
    """Refuse writes on this connection."""
    off, on = ("PRAGMA query_only = 1", "PRAGMA query_only = 0")
    if connection.vendor == "postgresql":
        off, on = (
            "SET default_transaction_read_only = on",
            "SET default_transaction_read_only = off",
        )
    with connection.cursor() as cursor:
        cursor.execute(off)
        try:
            yield
        finally:
            cursor.execute(on)


@contextmanager
def failing_inserts(table: str, when: str = "1 = 1") -> Iterator[None]:
    """Make inserts into a table fail, on every connection."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(
                f"CREATE TRIGGER broken BEFORE INSERT ON {table} WHEN {when} "
                "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            )
        else:
            cursor.execute(
                "CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN RAISE EXCEPTION 'the disk is full'; END $$"
            )
            cursor.execute(
                f"CREATE TRIGGER broken BEFORE INSERT ON {table} FOR EACH ROW WHEN ({when}) "
                "EXECUTE FUNCTION broken()"
            )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            if connection.vendor == "sqlite":
                cursor.execute("DROP TRIGGER broken")
            else:
                cursor.execute("DROP FUNCTION broken() CASCADE")


def database_url() -> str:
    """Return the URL of the tests' database for another process."""
    config = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{config['NAME']}"
    password = f":{config['PASSWORD']}" if config["PASSWORD"] else ""
    return (
        f"postgres://{config['USER']}{password}@{config['HOST']}:{config['PORT']}/{config['NAME']}"
    )
