"""The demo's history: what an ordinary fortnight leaves in the log, made through the real services against
the sandbox. Only the clock is told otherwise, so that the fortnight need not be waited for.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

from django.contrib.auth.models import User

from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.audit.models import Result, Stage
from flows.changes import flow_changes, reconcile
from flows.mirror import mirror
from flows.twilio.flex.flex_flow import Snapshot
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox

HISTORY_DAYS = 12
STEP_COUNT = 44


class _NoSuchFlow(LookupError):
    """The sandbox has too few flows for this step of the story: it is left out."""


class _HistoryClock:
    """A clock that goes from twelve days ago to now in uneven steps."""

    def __init__(self, dice: random.Random) -> None:
        now = datetime.now(UTC)
        self._moments = sorted(
            now - timedelta(days=HISTORY_DAYS) * dice.random() for _ in range(STEP_COUNT)
        )
        self._now = self._moments[0] - timedelta(hours=1)

    def __call__(self) -> datetime:
        self._now += timedelta(milliseconds=137)
        return self._now

    def step(self) -> None:
        self._now = max(self._now, self._moments.pop(0))


def make_history(sandbox: Sandbox, *, add_users: Callable[[], None]) -> None:
    """Make some changes by three people, with a refusal, a conflict, a lost answer and a viewer's try among them.
    The fortnight begins with adding the people. Without a flow nothing else happens in it."""
    dice = random.Random(7)  # noqa: S311 - a story, not a secret
    clock = _HistoryClock(dice)
    with mock.patch("django.utils.timezone.now", clock):
        add_users()
        mirror.sync(sandbox.account_sid)
        if not sandbox.flows:
            return
        for number in range(STEP_COUNT):
            clock.step()
            scenario = _Scenario(sandbox, dice, _make_actor(dice.choice(("omar", "omar", "ada"))))
            special = {
                5: scenario.create,
                12: scenario.refused,
                20: scenario.conflict,
                27: scenario.denied,
                33: scenario.delete,
                36: scenario.elsewhere,
                38: scenario.lost,
                41: scenario.lost_creation,
                43: scenario.elsewhere,
            }
            story = special.get(number) or dice.choice(
                (scenario.retry, scenario.rename, scenario.switch, scenario.webhook)
            )
            with suppress(flow_changes.Conflict, flow_changes.NothingToChange, _NoSuchFlow):
                story()
            reconcile.reconcile()
        _add_open_items(sandbox, dice)


def _add_open_items(sandbox: Sandbox, dice: random.Random) -> None:
    """What waits for its readers: something made elsewhere, and a change that a person has to decide."""
    sandbox.add_flow(
        friendly_name="test (delete me)", channel_type="web", integration_type="external",
        integration_url="https://hooks.example.com/pilot", enabled=False,
    )  # fmt: skip
    mirror.sync(sandbox.account_sid)
    scenario = _Scenario(sandbox, dice, _make_actor("ada"))
    sid, seen = scenario.lost()
    sandbox.edit_flow(sid, friendly_name=f"{seen['friendly_name']} 2")
    reconcile.reconcile()


def _make_actor(name: str) -> Actor:
    roles = {"omar": (2, "operator"), "ada": (4, "admin"), "vera": (1, "viewer")}
    number, role = roles[name]
    person = User.objects.get(username=name)
    return Actor(
        id=str(person.pk), label=name, role=role, source_ip=f"192.0.2.{number}", user_agent="Demo"
    )


class _Scenario:
    """One step of the story: a flow is drawn, and somebody does something with it for a reason."""

    def __init__(self, sandbox: Sandbox, dice: random.Random, actor: Actor) -> None:
        self.sandbox, self.dice, self.actor = sandbox, dice, actor

    def retry(self) -> None:
        sid, seen = self._drawn("studio")
        count = self.dice.choice(
            [count for count in range(4) if count != seen.get("integration_retry_count")]
        )
        self._update(sid, seen, "Retry less while Studio is slow", integration_retry_count=count)

    def rename(self) -> tuple[str, Snapshot]:
        sid, seen = self._drawn()
        self._update(
            sid,
            seen,
            "The team has a new name",
            friendly_name=f"{seen['friendly_name']} (new team)",
        )
        return sid, seen

    def switch(self) -> None:
        sid, seen = self._drawn()
        is_on = bool(seen.get("enabled"))
        flow_changes.set_enabled(
            sid=sid,
            enabled=not is_on,
            reason="Closed over the holidays" if is_on else "Opens again on Monday",
            actor=self.actor,
            change_id=self._id(),
        )

    def webhook(self) -> None:
        sid, seen = self._drawn("external")
        address = f"https://gateway.example.com/flex/{sid[-6:]}"
        self._update(sid, seen, "Webhooks moved to the new gateway", integration_url=address)

    def create(
        self, name: str = "Weihnachtsaktion Köln (SMS)", identity: str = "+4915550100999"
    ) -> None:
        _, like = self._drawn("studio")
        values = {name: like.get(name) for name in ("chat_service_sid", "integration_flow_sid")}
        flow_changes.create_flow(
            account_sid=self.sandbox.account_sid,
            values={
                **values,
                "friendly_name": name,
                "channel_type": "sms",
                "contact_identity": identity,
                "integration_type": "studio",
                "enabled": False,
            },
            reason="Campaign begins in December, see change 4711",
            actor=self.actor,
            change_id=self._id(),
        )

    def refused(self) -> None:
        sid, seen = self._drawn("task")
        fault = Fault(FaultKind.REFUSE, method="POST", status=400, code=20001)
        self.sandbox.inject(fault)
        self._update(sid, seen, "SLA is four hours now", integration_timeout=14_400)

    def conflict(self) -> None:
        sid, seen = self._drawn()
        self.sandbox.edit_flow(sid, friendly_name=f"{seen['friendly_name']} pilot")
        self._update(sid, seen, "Spelling", friendly_name=f"{seen['friendly_name']}.")

    def lost(self) -> tuple[str, Snapshot]:
        """The answer is lost on its way: unknown, until reading the flow shows that it was carried out."""
        if not self._sids():
            raise _NoSuchFlow
        self.sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
        return self.rename()

    def lost_creation(self) -> None:
        if not self._sids("studio"):
            raise _NoSuchFlow
        self.sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
        self.create("Rückrufwunsch Bern (SMS)", "+41315550100")

    def elsewhere(self) -> None:
        """Somebody changes a flow in the Console."""
        sid, _ = self._drawn("task")
        self.sandbox.edit_flow(sid, integration_priority=5, integration_timeout=7200)
        mirror.sync(self.sandbox.account_sid)

    def denied(self) -> None:
        sid, _ = self._drawn()
        audit_log.append(
            action="flow.update",
            stage=Stage.ACCESS,
            result=Result.DENIED,
            actor=_make_actor("vera"),
            target_sid=sid,
        )

    def delete(self) -> None:
        sid, seen = self._drawn()
        flow_changes.delete_flow(
            sid=sid,
            base={"friendly_name": seen["friendly_name"]},
            reason="Number was given back to the carrier",
            actor=self.actor,
            change_id=self._id(),
        )

    def _update(self, sid: str, seen: Snapshot, reason: str, **values: Any) -> None:
        flow_changes.update_flow(
            sid=sid, base=seen, values=values, reason=reason, actor=self.actor, change_id=self._id()
        )

    def _drawn(self, integration_type: str | None = None) -> tuple[str, Snapshot]:
        sids = self._sids(integration_type)
        if not sids:
            raise _NoSuchFlow
        sid = self.dice.choice(sids)
        return sid, mirror.fetch(sid)

    def _sids(self, integration_type: str | None = None) -> list[str]:
        flows = self.sandbox.flows.values()
        return [
            str(flow["sid"])
            for flow in flows
            if integration_type in (None, flow["integration_type"])
        ]

    def _id(self) -> uuid.UUID:
        return uuid.UUID(int=self.dice.getrandbits(128), version=4)
