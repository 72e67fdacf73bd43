"""Troubles of a migration: a kill, a refusal or a lost answer at each of its writes.

A scenario prepares a flow, switches it over and rolls it back, with one trouble at one write. After
each rest, the sandbox must have exactly one handler, or the migration says that customers are
unserved and what to do.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from unittest import mock

from django.contrib.auth.models import User

from flows.accounts import clients
from flows.audit import audit_log
from flows.audit.audit_log import Actor, NotRecorded
from flows.availability import restrictions
from flows.migration import execution, leases, sending, services
from flows.migration.models import FlowMigration
from flows.migration.status import MigrationStatus
from flows.mirror.models import Flow
from flows.twilio.client import ResourceClient
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox
from tests import ACCOUNT
from tests.faults.matrix.play import Clock
from tests.flows.migration.world import Kind, World

MAX_RUNS: Final = 12
WAY_OUT: Final = ("Try again", "Decide the outcome", "nothing else is sent", "rolled back")


class Killed(BaseException):
    """The process ended here. Nothing after it happens."""


@dataclass
class Trouble:
    """What happens at the write with this number, counted from 0."""

    name: str
    at: int
    writes: int = 0
    happened: bool = False

    def is_due(self) -> bool:
        """Count a write, and return True at the one that has the trouble."""
        is_due = self.writes == self.at and not self.happened
        self.writes += 1
        self.happened |= is_due
        return is_due


FAULTS: Final = {
    "refused 400": Fault(FaultKind.REFUSE, status=400, code=20001),
    "refused 403": Fault(FaultKind.REFUSE, status=403, code=20403),
    "lost, applied": Fault(FaultKind.APPLY_THEN_DROP),
    "lost, not applied": Fault(FaultKind.DROP),
    "server error": Fault(FaultKind.SERVER_ERROR, status=500),
}
KILLS: Final = ("killed before the call", "killed after the call", "killed after the outcome")
TROUBLES: Final = (*KILLS, *FAULTS)


@dataclass
class Verdict:
    """Violations that were found, and how often each status was reached."""

    violations: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    scenarios: int = 0


class Scenario:
    """One flow of a kind with one trouble, from its preparation to its rollback."""

    def __init__(
        self, world: World, clock: Clock, kind: Kind, trouble: Trouble, user: User, verdict: Verdict
    ) -> None:
        self.world, self.clock, self.kind, self.trouble = world, clock, kind, trouble
        self.actor = Actor(id=str(user.pk), label=user.username, role="operator")
        self.verdict = verdict
        self.sid = world.add(kind)
        self.before = world.state(self.sid)

    def play(self) -> None:
        """Play the scenario and note violations."""
        self.verdict.scenarios += 1
        self._prepare()
        with _troubles(self.world.sandbox, self.trouble):
            self.rest()
            if self.kind.refusal:
                self._check_refused()
                return
            if self._status == MigrationStatus.READY:
                services.switch(migration=self.migration, reason="tests", actor=self.actor)
                self.rest()
            self._rest_after_resuming()
            if self._status not in (MigrationStatus.ROLLED_BACK, MigrationStatus.STUCK):
                services.roll_back(migration=self.migration, reason="tests", actor=self.actor)
                self.rest()
            self._rest_after_resuming()
            self._roll_back_again()
        self._check_rolled_back()

    def _prepare(self) -> None:
        migration = services.prepare(
            flow=Flow.objects.get(sid=self.sid),
            deployment_key=self.world.deployment_key(self.kind),
            reason="tests",
            actor=self.actor,
        )
        assert migration is not None
        self.migration = migration

    def migrate(self) -> FlowMigration:
        """Prepare and switch over without any trouble."""
        self._prepare()
        self.rest()
        services.switch(migration=self.migration, reason="tests", actor=self.actor)
        self.rest()
        return self.migration

    @property
    def _status(self) -> str:
        self.migration.refresh_from_db()
        return self.migration.status

    def rest(self) -> None:
        """Let workers run until nothing is left to do, and check who answers after each."""
        for _ in range(MAX_RUNS):
            try:
                execution.run_migrations.func(ACCOUNT)
            except Killed:
                self._check_served()
                self.clock.move(leases.LEASE_TIMEOUT)
                continue
            self._check_served()
            if not FlowMigration.objects.get(pk=self.migration.pk).is_running:
                break
            self.clock.move(execution.WAIT_FOR_OUTCOME)
        self.verdict.statuses[self._status] += 1
        if self.migration.is_running:
            self._complain("never rests")

    def _rest_after_resuming(self) -> None:
        for _ in range(3):
            if self._status != MigrationStatus.STUCK:
                return
            restrictions.retry_endpoints(account_sid=ACCOUNT, actor=self.actor)
            services.resume(migration=self.migration, reason="tests", actor=self.actor)
            self.rest()

    def _roll_back_again(self) -> None:
        """Go back once more if the address was turned on again because the flow couldn't be."""
        if self._status == MigrationStatus.SWITCHED and "only in part" in self.migration.problem:
            restrictions.retry_endpoints(account_sid=ACCOUNT, actor=self.actor)
            services.roll_back(migration=self.migration, reason="tests", actor=self.actor)
            self.rest()

    def _check_served(self) -> None:
        if self.sid not in self.world.sandbox.flows:
            return  # it was deleted, and its address answers
        if self.kind.refusal:
            return  # no one, or two, may have answered before; nothing may change
        handlers = self.world.handlers(self.sid, self.before)
        status, problem = self._status, self.migration.problem
        if len(handlers) > 1:
            self._complain(f"answered by {handlers} in {status}")
        if handlers or (self.trouble.name in KILLS and self.migration.is_running):
            return
        is_explained = "no answer" in problem or self.migration.is_running
        if not is_explained or not any(each in problem for each in WAY_OUT):
            self._complain(f"unserved in {status}: {problem!r}")

    def _check_refused(self) -> None:
        if self._status != MigrationStatus.ROLLED_BACK:
            self._complain(f"not refused, but {self._status}")
        elif self.kind.refusal not in self.migration.problem:
            self._complain(f"refused by another sentence: {self.migration.problem}")
        if self.world.state(self.sid) != self.before or self.trouble.writes:
            self._complain("changed although it was refused")

    def _check_rolled_back(self) -> None:
        if self._status != MigrationStatus.ROLLED_BACK:
            self._complain(f"not rolled back, but {self._status}: {self.migration.problem}")
        after = self.world.state(self.sid)
        if after != self.before:
            self._complain(f"not as before: {_differences(self.before, after)}")

    def _complain(self, text: str) -> None:
        self.verdict.violations.append(
            f"{self.kind}, {self.trouble.name} at {self.trouble.at}: {text}"
        )


def play_all(
    world: World, clock: Clock, kind: Kind, name: str, user: User, verdict: Verdict
) -> None:
    """Play a kind with a trouble at each of its writes."""
    for at in range(20):
        trouble = Trouble(name, at)
        Scenario(world, clock, kind, trouble, user, verdict).play()
        if not trouble.happened:
            return


def _differences(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {part: (before[part], after[part]) for part in before if before[part] != after[part]}


@contextmanager
def moving_clock() -> Iterator[Clock]:
    """Set the clock of this site, and give clients no pause between tries."""
    clock = Clock()
    client = clients.ResourceClient
    hurried = functools.partial(client, sleep=lambda _seconds: None)
    with (
        mock.patch("django.utils.timezone.now", clock.now),
        mock.patch.object(clients, "ResourceClient", hurried),
    ):
        yield clock


@contextmanager
def _troubles(sandbox: Sandbox, trouble: Trouble) -> Iterator[None]:
    with ExitStack() as stack:
        if trouble.name in FAULTS:
            stack.enter_context(_faulty_writes(sandbox, trouble))
        elif trouble.name == "killed after the outcome":
            stack.enter_context(_killed_after_outcome(trouble))
        else:
            stack.enter_context(_killed_around_calls(trouble))
        yield


@contextmanager
def _faulty_writes(sandbox: Sandbox, trouble: Trouble) -> Iterator[None]:
    last_path = ""

    def take(method: str, path: str) -> Fault | None:
        nonlocal last_path
        if method == "GET":
            return None
        is_retry = method == "DELETE" and path == last_path
        last_path = path if method == "DELETE" else ""
        if is_retry:
            return None  # the client tries a deletion again by itself
        return FAULTS[trouble.name] if trouble.is_due() else None

    with mock.patch.object(sandbox._faults, "take", take):
        yield


@contextmanager
def _killed_around_calls(trouble: Trouble) -> Iterator[None]:
    """End the process at a call, before or after it. The log gets nothing more from that moment."""

    def kill_around(call: Callable[..., Any]) -> Callable[..., Any]:
        def at_that_moment(*args: Any, **options: Any) -> Any:
            if not trouble.is_due():
                return call(*args, **options)
            if trouble.name == "killed after the call":
                call(*args, **options)
            _end_process()
            raise Killed

        return at_that_moment

    with ExitStack() as stack:
        for verb in ("create", "update", "delete"):
            call = getattr(ResourceClient, verb)
            stack.enter_context(mock.patch.object(ResourceClient, verb, kill_around(call)))
        yield


def _end_process() -> None:
    """Let the next write to the log fail once, which is that of the outcome."""
    original = audit_log.transaction

    def fail_once() -> Any:
        audit_log.transaction = original
        raise NotRecorded("the process has ended")

    audit_log.transaction = fail_once  # type: ignore[assignment]


@contextmanager
def _killed_after_outcome(trouble: Trouble) -> Iterator[None]:
    """End the process after a step's outcome is recorded, before anything else is stored."""
    close_step = sending.close_step

    def kill(*args: Any) -> None:
        if trouble.is_due():
            raise Killed
        close_step(*args)

    with (
        mock.patch.object(sending, "close_step", kill),
        mock.patch("flows.migration.phases.close_step", kill),
    ):
        yield


def delete_with_trouble(
    world: World, clock: Clock, kind: Kind, name: str, user: User
) -> tuple[FlowMigration, bool]:
    """Migrate a flow of a kind and delete it with a trouble. Return it, and True if it is deleted."""
    verdict, trouble = Verdict(), Trouble(name, 0)
    scenario = Scenario(world, clock, kind, trouble, user, verdict)
    migration = scenario.migrate()
    services.verify(migration=migration, reason="tests", actor=scenario.actor)
    clock.move(services.DELETION_DELAY)
    services.delete(migration=migration, reason="tests", actor=scenario.actor)
    with _troubles(world.sandbox, trouble):
        scenario.rest()
    assert trouble.happened
    migration.refresh_from_db()
    return migration, scenario.sid not in world.sandbox.flows
