"""A random story of flows, and what a recorder beside the sandbox writes down after each step.

The recorder doesn't read the log. It knows the sandbox's flows, and what the dashboard has read or
changed so far. All times are of a clock that only the story moves.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from flows.audit.audit_log import Actor
from flows.changes import flow_changes, reconcile
from flows.mirror.models import Flow
from flows.mirror.sync import sync_account
from flows.twilio.flex.flex_flow import FLEX_FLOW
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox

OMAR = Actor(id="7", label="omar", role="operator")
SETTLED = timedelta(minutes=3)  # no read is taken for a stale one after so long
REFUSALS = (flow_changes.Conflict, flow_changes.NothingToChange, flow_changes.FlowUnreadable)
Flows = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Page:
    """What the recorder wrote down: the flows as known, those in doubt, and Twilio's own."""

    at: datetime
    known: Mapping[str, dict[str, Any] | None]  # None for a flow that was deleted
    in_doubt: frozenset[str]
    at_twilio: Flows


class Clock:
    """A clock that stands still until the story moves it."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Story:
    """Steps of others, of this dashboard, and of both, drawn from a seed."""

    sandbox: Sandbox
    dice: random.Random
    clock: Clock
    known: dict[str, dict[str, Any] | None] = field(default_factory=dict)
    in_doubt: set[str] = field(default_factory=set)
    pages: list[Page] = field(default_factory=list)
    counter: int = 0

    def play(self, count: int) -> None:
        """Take that many steps. The last one is a sync that finds everything."""
        steps: list[Callable[[], None]] = [
            self.edit_elsewhere,
            self.edit_elsewhere,
            self.delete_elsewhere,
            self.create_elsewhere,
            self.rename,
            self.rename,
            self.switch,
            self.delete,
            self.create,
            self.lose_update,
            self.resolve,
            self.sync,
            self.sync,
        ]
        for step in [*self.dice.choices(steps, k=count), self.resolve, self.sync]:
            self.clock.now += SETTLED + timedelta(seconds=self.dice.randrange(40_000))
            step()
            self.write_down()

    def write_down(self) -> None:
        self.pages.append(
            Page(self.clock.now, dict(self.known), frozenset(self.in_doubt), self.at_twilio())
        )

    def page_at(self, moment: datetime) -> Page:
        """Return the last page that was written by a moment."""
        return max((page for page in self.pages if page.at <= moment), key=lambda page: page.at)

    def at_twilio(self) -> Flows:
        return {sid: FLEX_FLOW.decode(flow) for sid, flow in self.sandbox.flows.items()}

    def sync(self) -> None:
        sync_account(self.sandbox.account_sid)
        current = self.at_twilio()
        for sid in {**self.known, **current}:
            if sid not in self.in_doubt:
                self.known[sid] = current.get(sid)

    def edit_elsewhere(self) -> None:
        if sid := self._choose(self.sandbox.flows):
            self.sandbox.edit_flow(sid, friendly_name=self._new_name())

    def delete_elsewhere(self) -> None:
        if (sid := self._choose(self.sandbox.flows)) and len(self.sandbox.flows) > 3:
            self.sandbox.remove_flow(sid)

    def create_elsewhere(self) -> None:
        self.sandbox.add_flow(friendly_name=self._new_name(), enabled=False)

    def rename(self) -> None:
        values = {"friendly_name": self._new_name()}
        self._change(lambda sid, mine: flow_changes.update_flow(values=values, **mine))

    def switch(self) -> None:
        def change(sid: str, mine: dict[str, Any]) -> None:
            mine.pop("base")
            enabled = not Flow.objects.get(sid=sid).enabled
            flow_changes.set_enabled(enabled=enabled, **mine)

        self._change(change)

    def delete(self) -> None:
        if len(self.sandbox.flows) > 3:
            self._change(lambda sid, mine: flow_changes.delete_flow(**mine))

    def create(self) -> None:
        values = {
            "friendly_name": self._new_name(),
            "chat_service_sid": "IS" + "2" * 32,
            "channel_type": "web",
            "integration_type": "studio",
            "integration_flow_sid": "FW" + "1" * 32,
        }
        change = flow_changes.create_flow(values=values, **self._arguments())
        sid = change.event.target_sid
        self.known[sid] = self.at_twilio()[sid]

    def lose_update(self) -> None:
        """Rename a flow whose answer is lost. Twilio may have applied it, or not."""
        if self.in_doubt:
            return
        kind = self.dice.choice([FaultKind.APPLY_THEN_DROP, FaultKind.DROP])
        values = {"friendly_name": self._new_name()}
        sid = self._choose(sid for sid, flow in self.known.items() if flow is not None)
        if not sid or sid not in self.sandbox.flows:
            return
        self.known[sid] = self.at_twilio()[sid]  # read before the change
        self.sandbox.inject(Fault(kind, method="POST"))
        flow_changes.update_flow(sid=sid, base=None, values=values, **self._arguments())
        self.in_doubt.add(sid)

    def resolve(self) -> None:
        """Read twice, a minute apart, which resolves every lost update."""
        reconcile.reconcile()
        self.write_down_if_applied()
        self.clock.now += timedelta(minutes=2)
        reconcile.reconcile()
        self.in_doubt.clear()

    def write_down_if_applied(self) -> None:
        """Write down the updates that the first read shows."""
        for sid in list(self.in_doubt):
            current = self.at_twilio()[sid]
            if FLEX_FLOW.changed_writable_fields(self.known[sid] or {}, current):
                self.known[sid] = current
                self.in_doubt.discard(sid)
        self.write_down()

    def _change(self, change: Callable[[str, dict[str, Any]], Any]) -> None:
        """Change a flow that the dashboard knows. It reads the flow first, whatever comes of it."""
        sid = self._choose(sid for sid, flow in self.known.items() if flow is not None)
        if not sid:
            return
        base = Flow.objects.get(sid=sid).resource
        with suppress(*REFUSALS):
            change(sid, {"sid": sid, "base": base, **self._arguments()})
        self.known[sid] = self.at_twilio().get(sid)

    def _choose(self, sids: Any) -> str:
        """Return one of these flows without an open change, or ""."""
        choices = [sid for sid in sids if sid not in self.in_doubt]
        return self.dice.choice(choices) if choices else ""

    def _new_name(self) -> str:
        self.counter += 1
        return f"Name {self.counter}"

    def _arguments(self) -> dict[str, Any]:
        return {
            "account_sid": self.sandbox.account_sid,
            "reason": "because",
            "actor": OMAR,
            "change_id": uuid.UUID(int=self.dice.getrandbits(128)),
        }
