"""The demo's history: weeks of ordinary events, created by the real services and the sandbox.

Only the clock is replaced, so that the events are spread over the past weeks. Everything that the
sandbox is seeded with is older than the first event: see `seed_end_time`.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from unittest import mock

from django.contrib.auth.models import User

from flows.audit import audit_log
from flows.audit.audit_log import Actor
from flows.audit.models import Result, Stage
from flows.changes import flow_changes, reconcile
from flows.local_details.fields import Details
from flows.local_details.services import change_details
from flows.mirror import mirror
from flows.mirror.sync import sync_account
from flows.twilio.resource import Snapshot
from flows.twilio.sandbox.faults import Fault, FaultKind
from flows.twilio.sandbox.server import Sandbox

HISTORY_DAYS = 45  # reaches into last month on every day of a month
STEP_COUNT = 44
# The owner and tags of the first flows by name, in turn.
DETAILS: Final[tuple[tuple[str, list[str]], ...]] = (
    ("Customer service", ["vip"]),
    ("", []),
    ("Claims", []),
    ("", ["seasonal", "sms"]),
    ("Sales", ["pilot"]),
    ("", []),
)
DETAILED_FLOW_COUNT: Final = 24
DEMO_NOTE: Final = "Ask Ada before turning this off: the number is printed on every invoice."


class _NoSuchFlow(LookupError):
    """The sandbox has no flow for this step of the history, which is omitted."""


class _HistoryClock:
    """A clock that goes from `HISTORY_DAYS` ago to now in uneven steps, more of them lately."""

    def __init__(self, rng: random.Random) -> None:
        end = datetime.now(UTC)
        self._step_times = sorted(
            end - timedelta(days=HISTORY_DAYS) * rng.random() ** 2 for _ in range(STEP_COUNT)
        )
        self._time = self._step_times[0] - timedelta(hours=1)

    def __call__(self) -> datetime:
        self._time += timedelta(milliseconds=137)
        return self._time

    def step(self) -> None:
        self._time = max(self._time, self._step_times.pop(0))


def seed_end_time() -> datetime:
    """Return the time before which the seeded flows were created and last changed.

    A later change would have an event in the log. The history begins up to an hour before its first
    step.
    """
    return datetime.now(UTC) - timedelta(days=HISTORY_DAYS, hours=2)


def make_history(sandbox: Sandbox, *, add_users: Callable[[], None]) -> None:
    """Create users and then changes by three of them.

    Among the changes are a refusal, a conflict, unknown outcomes and a denied attempt. Without
    flows in the sandbox, only the users are created.
    """
    rng = random.Random(7)  # noqa: S311 - the history is no secret, and the same each time
    clock = _HistoryClock(rng)
    with mock.patch("django.utils.timezone.now", clock):
        add_users()
        sync_account(sandbox.account_sid)
        if not sandbox.flows:
            return
        _add_details(sandbox)
        for number in range(STEP_COUNT):
            clock.step()
            actor = _make_actor(rng.choice(("omar", "omar", "ada")))
            scenario = _Scenario(sandbox, rng, actor)
            special_steps = {
                5: scenario.create,
                12: scenario.update_with_refusal,
                20: scenario.update_with_conflict,
                27: scenario.deny_update,
                33: scenario.delete,
                36: scenario.change_externally,
                38: scenario.lose_update,
                41: scenario.lose_creation,
                43: scenario.change_externally,
            }
            step = special_steps.get(number) or rng.choice(
                (
                    scenario.set_retry_count,
                    scenario.rename,
                    scenario.set_enabled,
                    scenario.set_webhook,
                )
            )
            with suppress(flow_changes.Conflict, flow_changes.NothingToChange, _NoSuchFlow):
                step()
            reconcile.reconcile()
        _add_open_items(sandbox, rng)


def _add_details(sandbox: Sandbox) -> None:
    """Give some of the first flows by name an owner and tags, and one of them a note.

    These many changes of one day come first, so that the latest events are of all kinds.
    """
    rng = random.Random(8)  # noqa: S311
    flows = sorted(sandbox.flows.values(), key=lambda flow: str(flow["friendly_name"]).casefold())
    scenario = _Scenario(sandbox, rng, _make_actor("ada"))
    for number, flow in enumerate(flows[:DETAILED_FLOW_COUNT]):
        owner, tags = DETAILS[number % len(DETAILS)]
        note = DEMO_NOTE if number == 0 else ""
        if owner or tags:
            scenario.set_details(str(flow["sid"]), owner=owner, tags=tags, note=note)


def _add_open_items(sandbox: Sandbox, rng: random.Random) -> None:
    """Add an external change for the inbox, and a change that needs a user's decision."""
    sandbox.add_flow(
        friendly_name="test (delete me)", channel_type="web", integration_type="external",
        integration_url="https://hooks.example.com/pilot", enabled=False,
    )  # fmt: skip
    sync_account(sandbox.account_sid)
    scenario = _Scenario(sandbox, rng, _make_actor("ada"))
    sid, base = scenario.lose_update()
    sandbox.edit_flow(sid, friendly_name=f"{base['friendly_name']} 2")
    reconcile.reconcile()


def _make_actor(name: str) -> Actor:
    roles = {"omar": (2, "operator"), "ada": (4, "admin"), "vera": (1, "viewer")}
    number, role = roles[name]
    user = User.objects.get(username=name)
    return Actor(
        id=str(user.pk), label=name, role=role, source_ip=f"192.0.2.{number}", user_agent="Demo"
    )


class _Scenario:
    """One step of the history: an actor changes a random flow, with a reason."""

    def __init__(self, sandbox: Sandbox, rng: random.Random, actor: Actor) -> None:
        self.sandbox = sandbox
        self.rng = rng
        self.actor = actor

    def set_retry_count(self) -> None:
        sid, base = self._draw_flow("studio")
        current = base.get("integration_retry_count")
        count = self.rng.choice([count for count in range(4) if count != current])
        self._update(sid, base, "Retry less while Studio is slow", integration_retry_count=count)

    def rename(self) -> tuple[str, Snapshot]:
        sid, base = self._draw_flow()
        self._update(
            sid,
            base,
            "The team has a new name",
            friendly_name=f"{base['friendly_name']} (new team)",
        )
        return sid, base

    def set_enabled(self) -> None:
        sid, base = self._draw_flow()
        is_enabled = bool(base.get("enabled"))
        flow_changes.set_enabled(
            sid=sid,
            account_sid=self.sandbox.account_sid,
            enabled=not is_enabled,
            reason="Closed over the holidays" if is_enabled else "Opens again on Monday",
            actor=self.actor,
            change_id=self._new_change_id(),
        )

    def set_webhook(self) -> None:
        sid, base = self._draw_flow("external")
        url = f"https://gateway.example.com/flex/{sid[-6:]}"
        self._update(sid, base, "Webhooks moved to the new gateway", integration_url=url)

    def create(
        self, name: str = "Weihnachtsaktion Köln (SMS)", identity: str = "+4915550100999"
    ) -> None:
        _, model = self._draw_flow("studio")
        references = {key: model.get(key) for key in ("chat_service_sid", "integration_flow_sid")}
        flow_changes.create_flow(
            account_sid=self.sandbox.account_sid,
            values={
                **references,
                "friendly_name": name,
                "channel_type": "sms",
                "contact_identity": identity,
                "integration_type": "studio",
                "enabled": False,
            },
            reason="Campaign begins in December, see change 4711",
            actor=self.actor,
            change_id=self._new_change_id(),
        )

    def update_with_refusal(self) -> None:
        sid, base = self._draw_flow("task")
        fault = Fault(FaultKind.REFUSE, method="POST", status=400, code=20001)
        self.sandbox.inject(fault)
        self._update(sid, base, "SLA is four hours now", integration_timeout=14_400)

    def update_with_conflict(self) -> None:
        sid, base = self._draw_flow()
        self.sandbox.edit_flow(sid, friendly_name=f"{base['friendly_name']} pilot")
        self._update(sid, base, "Spelling", friendly_name=f"{base['friendly_name']}.")

    def lose_update(self) -> tuple[str, Snapshot]:
        """Rename a flow, but lose Twilio's response, so that the outcome is unknown at first."""
        if not self._sids():
            raise _NoSuchFlow
        self.sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
        return self.rename()

    def lose_creation(self) -> None:
        if not self._sids("studio"):
            raise _NoSuchFlow
        self.sandbox.inject(Fault(FaultKind.APPLY_THEN_DROP, method="POST"))
        self.create("Rückrufwunsch Bern (SMS)", "+41315550100")

    def change_externally(self) -> None:
        """Change a flow outside this dashboard, and sync."""
        sid, _ = self._draw_flow("task")
        self.sandbox.edit_flow(sid, integration_priority=5, integration_timeout=7200)
        sync_account(self.sandbox.account_sid)

    def deny_update(self) -> None:
        sid, _ = self._draw_flow()
        audit_log.append(
            action="flow.update",
            stage=Stage.ACCESS,
            result=Result.DENIED,
            actor=_make_actor("vera"),
            target_sid=sid,
        )

    def delete(self) -> None:
        sid, base = self._draw_flow()
        flow_changes.delete_flow(
            sid=sid,
            account_sid=self.sandbox.account_sid,
            base={"friendly_name": base["friendly_name"]},
            reason="Number was given back to the carrier",
            actor=self.actor,
            change_id=self._new_change_id(),
        )

    def set_details(self, sid: str, *, owner: str, tags: list[str], note: str) -> None:
        change_details(
            sid=sid,
            account_sid=self.sandbox.account_sid,
            base=Details(),
            values={"owner": owner, "tags": tags, "note": note},
            reason="",
            actor=self.actor,
            change_id=self._new_change_id(),
        )

    def _update(self, sid: str, base: Snapshot, reason: str, **values: Any) -> None:
        flow_changes.update_flow(
            sid=sid,
            account_sid=self.sandbox.account_sid,
            base=base,
            values=values,
            reason=reason,
            actor=self.actor,
            change_id=self._new_change_id(),
        )

    def _draw_flow(self, integration_type: str | None = None) -> tuple[str, Snapshot]:
        sids = self._sids(integration_type)
        if not sids:
            raise _NoSuchFlow
        sid = self.rng.choice(sids)
        return sid, mirror.fetch(sid, account_sid=self.sandbox.account_sid)

    def _sids(self, integration_type: str | None = None) -> list[str]:
        flows = self.sandbox.flows.values()
        return [
            str(flow["sid"])
            for flow in flows
            if integration_type in (None, flow["integration_type"])
        ]

    def _new_change_id(self) -> uuid.UUID:
        return uuid.UUID(int=self.rng.getrandbits(128), version=4)
